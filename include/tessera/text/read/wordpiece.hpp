// WordPiece from files: tokenizer.json, or vocab.txt as the first releases of BERT have it.
#pragma once
#include <filesystem>
#include <memory>
#include <string>
#include <tessera/text/model/wordpiece.hpp>
#include <tessera/text/read/lines.hpp>
#include <tessera/text/read/tokenizer_json.hpp>

namespace tessera::inline TESSERA_ISA {

namespace detail {

inline std::map<std::string, std::string> usual_wordpiece_roles() {
    return {{"unk_token", "[UNK]"},
            {"sep_token", "[SEP]"},
            {"pad_token", "[PAD]"},
            {"cls_token", "[CLS]"},
            {"mask_token", "[MASK]"}};
}

}  // namespace detail

/// From the root of a tokenizer.json whose model is "WordPiece".
/// errors  tokenizer_format
inline std::unique_ptr<Tokenizer> read_wordpiece(JsonValue root, TokenizerSettings settings) {
    const JsonValue model = root["model"];
    WordPieceOptions options;
    options.unknown = model.text("unk_token", options.unknown);
    options.prefix = model.text("continuing_subword_prefix", options.prefix);
    constexpr Index most_characters = 1000000;
    options.longest = static_cast<std::size_t>(
        model.whole("max_input_chars_per_word", static_cast<Index>(options.longest), 0, most_characters));
    expect_section(root, "pre_tokenizer", "BertPreTokenizer");
    const JsonValue decoder = expect_section(root, "decoder", "WordPiece");
    options.clean_up = decoder.flag("cleanup", true);
    if (decoder.text("prefix", options.prefix) != options.prefix)
        refuse_setting(decoder["prefix"], "the model's prefix");
    options.text = {.clean = false, .split_cjk = false, .strip_accents = false, .lower = false};
    if (root.find("normalizer")) {
        const JsonValue normalizer = expect_section(root, "normalizer", "BertNormalizer");
        options.text.clean = normalizer.flag("clean_text", true);
        options.text.split_cjk = normalizer.flag("handle_chinese_chars", true);
        options.text.lower = normalizer.flag("lowercase", true);
        options.text.strip_accents = normalizer.flag("strip_accents", options.text.lower);
    }
    auto wordpiece = std::make_unique<WordPiece>(read_vocabulary(model["vocab"]), options, model["vocab"].where());
    settings.roles.merge(detail::usual_wordpiece_roles());
    TokenizerRules rules = read_rules(root, settings, wordpiece->vocabulary());
    return std::make_unique<PieceTokenizer>(std::move(wordpiece), std::move(rules));
}

/// From vocab.txt in `folder`, a piece on each line: [CLS] … [SEP] around every text, lower case unless the settings say
/// otherwise.
/// errors  tokenizer_format
inline std::unique_ptr<Tokenizer> read_wordpiece(const std::filesystem::path& folder, TokenizerSettings settings) {
    const auto vocab = folder / "vocab.txt";
    settings.assume(detail::usual_wordpiece_roles());
    WordPieceOptions options;
    options.unknown = settings.roles.at("unk_token");
    options.text.lower = settings.lower.value_or(true);
    options.text.strip_accents = settings.strip_accents.value_or(options.text.lower);
    options.text.split_cjk = settings.split_cjk.value_or(true);
    Vocabulary pieces;
    for_each_line(vocab, [&](std::string_view line, std::size_t number) {
        if (!line.empty()) pieces.add(line, static_cast<Token>(number - 1), vocab.string());
    });
    if (pieces.size() == 0)
        throw Error(Errc::tokenizer_format, vocab.string(), ": the file is empty, expected a token on each line");
    auto wordpiece = std::make_unique<WordPiece>(std::move(pieces), options, vocab.string());
    TokenizerRules rules = join_rules({}, settings, wordpiece->vocabulary());
    rules.prefix_ids = {required(rules.special_tokens.cls, settings.roles.at("cls_token"), vocab.string())};
    rules.suffix_ids = {required(rules.special_tokens.sep, settings.roles.at("sep_token"), vocab.string())};
    return std::make_unique<PieceTokenizer>(std::move(wordpiece), std::move(rules));
}

}  // namespace tessera::inline TESSERA_ISA
