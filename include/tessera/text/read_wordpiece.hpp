// WordPiece from files: tokenizer.json, or vocab.txt as the first releases of BERT have it.
#pragma once
#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <tessera/core/error.hpp>
#include <tessera/core/file.hpp>
#include <tessera/core/printable.hpp>
#include <tessera/core/utf8.hpp>
#include <tessera/text/json_field.hpp>
#include <tessera/text/piece_tokenizer.hpp>
#include <tessera/text/tokenizer_json.hpp>
#include <tessera/text/tokenizer_settings.hpp>
#include <tessera/text/vocabulary.hpp>
#include <tessera/text/wordpiece.hpp>
#include <utility>

namespace tessera::inline TESSERA_ISA {

using WordPieceTokenizer = PieceTokenizer<WordPiece>;

namespace detail {

inline std::map<std::string, std::string> usual_wordpiece_roles() {
    return {{"unk_token", "[UNK]"},
            {"sep_token", "[SEP]"},
            {"pad_token", "[PAD]"},
            {"cls_token", "[CLS]"},
            {"mask_token", "[MASK]"}};
}

// vocab.txt: a piece each line; its number is the id.
inline Vocabulary read_lines(const std::filesystem::path& path) {
    const MappedFile file(path);
    std::string_view rest = file.text();
    if (rest.empty())
        throw Error(Errc::tokenizer_format, path.string(), ": the file is empty, expected a token on each line");
    expect_utf8(rest, path.string(), Errc::tokenizer_format);
    Vocabulary vocabulary;
    for (Token id = 0; !rest.empty(); ++id) {
        const std::size_t end = rest.find('\n');
        std::string_view line = rest.substr(0, end);
        rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (!line.empty()) vocabulary.add(line, id, path.string());
    }
    return vocabulary;
}

}  // namespace detail

/// From the root of a tokenizer.json whose model is "WordPiece".
/// errors  tokenizer_format
inline std::unique_ptr<WordPieceTokenizer> read_wordpiece(const JsonField& root, const TokenizerSettings& settings) {
    const JsonField model = root["model"];
    WordPieceOptions options;
    options.unknown = model.text_or("unk_token", options.unknown);
    options.prefix = model.text_or("continuing_subword_prefix", options.prefix);
    constexpr Token most_characters = 1000000;
    if (const auto longest = model.find("max_input_chars_per_word"))
        options.longest = static_cast<std::size_t>(longest->id(most_characters));
    expect_section(root, "pre_tokenizer", "BertPreTokenizer");
    const JsonField decoder = expect_section(root, "decoder", "WordPiece");
    options.clean_up = decoder.flag_or("cleanup", true);
    if (decoder.text_or("prefix", options.prefix) != options.prefix)
        refuse_setting(decoder["prefix"], "the model's prefix");
    options.text = {.clean = false, .split_cjk = false, .strip_accents = false, .lower = false};
    if (root.find("normalizer")) {
        const JsonField normalizer = expect_section(root, "normalizer", "BertNormalizer");
        options.text.clean = normalizer.flag_or("clean_text", true);
        options.text.split_cjk = normalizer.flag_or("handle_chinese_chars", true);
        options.text.lower = normalizer.flag_or("lowercase", true);
        options.text.strip_accents = normalizer.flag_or("strip_accents", options.text.lower);
    }
    WordPiece wordpiece(read_vocabulary(model["vocab"]), options, model["vocab"].where());
    TokenizerRules rules = read_rules(root, settings, wordpiece.vocabulary());
    cast_roles(rules, settings, wordpiece.vocabulary(), detail::usual_wordpiece_roles());
    return std::make_unique<WordPieceTokenizer>(std::move(wordpiece), std::move(rules));
}

/// From vocab.txt in `folder`: [CLS] … [SEP] around every text, lower case unless the settings say otherwise.
/// errors  tokenizer_format
inline std::unique_ptr<WordPieceTokenizer> read_wordpiece(const std::filesystem::path& folder,
                                                          TokenizerSettings settings) {
    const auto vocab = folder / "vocab.txt";
    const auto usual = detail::usual_wordpiece_roles();
    for (const auto& [role, content] : usual)
        settings.special.insert(settings.roles.try_emplace(role, content).first->second);
    WordPieceOptions options;
    options.unknown = settings.roles.at("unk_token");
    options.text.lower = settings.lower.value_or(true);
    options.text.strip_accents = settings.strip_accents.value_or(options.text.lower);
    options.text.split_cjk = settings.split_cjk.value_or(true);
    WordPiece wordpiece(detail::read_lines(vocab), options, vocab.string());
    TokenizerRules rules = join_rules({}, settings, wordpiece.vocabulary(), vocab.string());
    cast_roles(rules, settings, wordpiece.vocabulary(), usual);
    const auto needed = [&](std::string_view role, const std::optional<Token>& token) {
        if (!token)
            throw Error(Errc::tokenizer_format, vocab.string(), ": expected the token ",
                        in_quotes(settings.roles.at(std::string(role))), ", found none");
        return *token;
    };
    rules.before = {needed("cls_token", rules.special_tokens.cls)};
    rules.behind = {needed("sep_token", rules.special_tokens.sep)};
    return std::make_unique<WordPieceTokenizer>(std::move(wordpiece), std::move(rules));
}

}  // namespace tessera::inline TESSERA_ISA
