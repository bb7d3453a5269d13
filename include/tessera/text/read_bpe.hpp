// Byte-level BPE from files: tokenizer.json, or vocab.json with merges.txt as the first releases of OPT have them.
#pragma once
#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <tessera/core/error.hpp>
#include <tessera/core/file.hpp>
#include <tessera/core/json.hpp>
#include <tessera/core/printable.hpp>
#include <tessera/core/utf8.hpp>
#include <tessera/text/bpe.hpp>
#include <tessera/text/json_field.hpp>
#include <tessera/text/piece_tokenizer.hpp>
#include <tessera/text/tokenizer_json.hpp>
#include <tessera/text/tokenizer_settings.hpp>
#include <tessera/text/vocabulary.hpp>
#include <utility>

namespace tessera::inline TESSERA_ISA {

using BpeTokenizer = PieceTokenizer<Bpe>;

namespace detail {

// OPT begins, ends and does not know with </s>, GPT-2 with <|endoftext|>.
inline std::map<std::string, std::string> usual_bpe_roles(const Vocabulary& vocabulary) {
    const std::string end = vocabulary.find("</s>") ? "</s>" : "<|endoftext|>";
    return {{"bos_token", end}, {"eos_token", end}, {"unk_token", end}, {"pad_token", "<pad>"}};
}

// "Ġ a" of a list of merges.
inline void add_merge_line(Bpe& bpe, std::string_view line, auto&& where) {
    const std::size_t space = line.find(' ');
    const bool two = space != std::string_view::npos && space > 0 && space + 1 < line.size() &&
                     line.find(' ', space + 1) == std::string_view::npos;
    if (!two) throw Error(Errc::tokenizer_format, where(), ": expected a merge of two parts, found ", in_quotes(line));
    bpe.add_merge(line.substr(0, space), line.substr(space + 1), where);
}

// merges.txt: a line each, best first, behind a comment "#version: 0.2".
inline void read_merges(Bpe& bpe, const std::filesystem::path& path) {
    const MappedFile file(path);
    std::string_view rest = file.text();
    expect_utf8(rest, path.string(), Errc::tokenizer_format);
    for (std::size_t number = 1; !rest.empty(); ++number) {
        const std::size_t end = rest.find('\n');
        std::string_view line = rest.substr(0, end);
        rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (line.starts_with("#version")) continue;
        add_merge_line(bpe, line, [&] { return path.string() + ": line " + std::to_string(number); });
    }
}

// The settings can ask for tokens around the text that the files of the vocabulary do not know of.
inline void add_ends(TokenizerRules& rules, bool bos, bool eos) {
    if (bos && rules.before.empty() && rules.special_tokens.bos) rules.before = {*rules.special_tokens.bos};
    if (eos && rules.behind.empty() && rules.special_tokens.eos) rules.behind = {*rules.special_tokens.eos};
}

}  // namespace detail

/// From the root of a tokenizer.json whose model is "BPE".
/// errors  tokenizer_format
inline std::unique_ptr<BpeTokenizer> read_bpe(const JsonField& root, const TokenizerSettings& settings) {
    const JsonField model = root["model"];
    if (const auto normalizer = root.find("normalizer")) refuse_setting(*normalizer, "null for BPE");
    const JsonField split = expect_section(root, "pre_tokenizer", "ByteLevel");
    expect_section(root, "decoder", "ByteLevel");
    for (const std::string_view key : {"continuing_subword_prefix", "end_of_word_suffix"})
        if (!model.text_or(key, "").empty()) refuse_setting(model[key], "none, as byte-level BPE has it");
    if (const auto dropout = model.find("dropout"); dropout && dropout->number() != 0)
        refuse_setting(*dropout, "no dropout");

    const BpeOptions options{.add_prefix_space = split.flag_or("add_prefix_space", true),
                             .split_words = split.flag_or("use_regex", true),
                             .whole_words_first = model.flag_or("ignore_merges", false)};
    Bpe bpe(read_vocabulary(model["vocab"]), options, model["vocab"].where());
    const JsonField merges = model["merges"];
    for (std::size_t i = 0; i < merges.list().size(); ++i) {
        const Json& merge = merges.value()[i];
        const auto where = [&] { return merges.element(i).where(); };
        if (merge.is_string()) {
            detail::add_merge_line(bpe, merge.get_ref<const std::string&>(), where);
        } else {
            const JsonField pair = merges.element(i);
            if (pair.list().size() != 2) pair.fail("expected a merge of two parts, found ", pair.value().size());
            bpe.add_merge(pair.element(0).text(), pair.element(1).text(), where);
        }
    }
    TokenizerRules rules = read_rules(root, settings, bpe.vocabulary());
    cast_roles(rules, settings, bpe.vocabulary(), detail::usual_bpe_roles(bpe.vocabulary()));
    detail::add_ends(rules, settings.add_bos.value_or(false), settings.add_eos.value_or(false));
    return std::make_unique<BpeTokenizer>(std::move(bpe), std::move(rules));
}

/// From vocab.json and merges.txt in `folder`. Without a tokenizer_config.json, a vocabulary with </s> is taken for
/// OPT's, which puts it in front of every text.
/// errors  tokenizer_format
inline std::unique_ptr<BpeTokenizer> read_bpe(const std::filesystem::path& folder, TokenizerSettings settings) {
    const auto vocab = folder / "vocab.json", merges = folder / "merges.txt";
    for (const auto& path : {vocab, merges})
        if (!std::filesystem::exists(path))
            throw Error(Errc::tokenizer_format, path.string(), ": missing; BPE needs vocab.json and merges.txt");
    const Json json = read_json(vocab, Errc::tokenizer_format);
    Vocabulary pieces = read_vocabulary(JsonField(json, vocab));
    if (pieces.find("a</w>"))
        throw Error(Errc::tokenizer_format, vocab.string(),
                    ": marks of word ends (</w>) are not supported; expected byte-level BPE");

    Bpe bpe(std::move(pieces), {.add_prefix_space = settings.add_prefix_space.value_or(false)}, vocab.string());
    detail::read_merges(bpe, merges);
    const auto usual = detail::usual_bpe_roles(bpe.vocabulary());
    for (const auto& [role, content] : usual)
        settings.special.insert(settings.roles.try_emplace(role, content).first->second);
    TokenizerRules rules = join_rules({}, settings, bpe.vocabulary(), vocab.string());
    cast_roles(rules, settings, bpe.vocabulary(), usual);
    const bool opt = !settings.has_config && bpe.vocabulary().find("</s>");
    detail::add_ends(rules, settings.add_bos.value_or(opt), settings.add_eos.value_or(false));
    return std::make_unique<BpeTokenizer>(std::move(bpe), std::move(rules));
}

}  // namespace tessera::inline TESSERA_ISA
