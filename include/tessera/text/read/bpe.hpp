// Byte-level BPE from files: tokenizer.json, or vocab.json with merges.txt as the first releases of OPT have them.
#pragma once
#include <filesystem>
#include <memory>
#include <string>
#include <tessera/text/model/bpe.hpp>
#include <tessera/text/read/lines.hpp>
#include <tessera/text/read/tokenizer_json.hpp>

namespace tessera::inline TESSERA_ISA {

namespace detail {

// OPT begins and ends with </s>, which also stands for what it does not know; GPT-2 has <|endoftext|>.
inline std::map<std::string, std::string> usual_bpe_roles(const Vocabulary& vocabulary) {
    const std::string end = vocabulary.find("</s>") ? "</s>" : "<|endoftext|>";
    return {{"bos_token", end}, {"eos_token", end}, {"unk_token", end}, {"pad_token", "<pad>"}};
}

// The settings can ask for tokens around the text that the files of the vocabulary do not know of.
inline void add_ends(TokenizerRules& rules, bool bos, bool eos) {
    if (bos && rules.prefix_ids.empty() && rules.special_tokens.bos) rules.prefix_ids = {*rules.special_tokens.bos};
    if (eos && rules.suffix_ids.empty() && rules.special_tokens.eos) rules.suffix_ids = {*rules.special_tokens.eos};
}

}  // namespace detail

/// From the root of a tokenizer.json whose model is "BPE".
/// errors  tokenizer_format
inline std::unique_ptr<Tokenizer> read_bpe(JsonValue root, TokenizerSettings settings) {
    const JsonValue model = root["model"];
    if (const auto normalizer = root.find("normalizer")) refuse_setting(*normalizer, "null for BPE");
    const JsonValue split = expect_section(root, "pre_tokenizer", "ByteLevel");
    expect_section(root, "decoder", "ByteLevel");
    for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"})
        if (!model.text(key, "").empty()) refuse_setting(model[key], "none, as byte-level BPE has it");
    if (const auto dropout = model.find("dropout"); dropout && dropout->number() != 0)
        refuse_setting(*dropout, "no dropout");

    const BpeOptions options{.add_prefix_space = split.flag("add_prefix_space", true),
                             .split_words = split.flag("use_regex", true),
                             .whole_words_first = model.flag("ignore_merges", false)};
    auto bpe = std::make_unique<Bpe>(read_vocabulary(model["vocab"]), options, model["vocab"].where());
    for (const JsonValue merge : model["merges"].list()) {  // "Ġ a", or ["Ġ", "a"]
        if (!merge.is_text() && merge.list().size() != 2)
            merge.fail("expected a merge of two parts, found ", merge.size());
        const std::string wrong = merge.is_text() ? bpe->add_merge(merge.text())
                                                  : bpe->add_merge(merge.element(0).text(), merge.element(1).text());
        if (!wrong.empty()) merge.fail(wrong);
    }
    settings.roles.merge(detail::usual_bpe_roles(bpe->vocabulary()));
    TokenizerRules rules = read_rules(root, settings, bpe->vocabulary());
    detail::add_ends(rules, settings.add_bos.value_or(false), settings.add_eos.value_or(false));
    return std::make_unique<PieceTokenizer>(std::move(bpe), std::move(rules));
}

/// From vocab.json and merges.txt in `folder`. Without a tokenizer_config.json, a vocabulary with </s> is taken for
/// OPT's, which puts it before every text.
/// errors  tokenizer_format
inline std::unique_ptr<Tokenizer> read_bpe(const std::filesystem::path& folder, TokenizerSettings settings) {
    const auto vocab = folder / "vocab.json", merges = folder / "merges.txt";
    for (const auto& path : {vocab, merges})
        if (!std::filesystem::exists(path))
            throw Error(Errc::tokenizer_format, path.string(), ": missing; BPE needs vocab.json and merges.txt");
    Vocabulary pieces = read_vocabulary(JsonFile(vocab, Errc::tokenizer_format).root());
    if (pieces.find("a</w>"))
        throw Error(Errc::tokenizer_format, vocab.string(),
                    ": marks of word ends (</w>) are not supported; expected byte-level BPE");

    const BpeOptions options{.add_prefix_space = settings.add_prefix_space.value_or(false)};
    auto bpe = std::make_unique<Bpe>(std::move(pieces), options, vocab.string());
    for_each_line(merges, [&](std::string_view line, std::size_t number) {
        if (line.starts_with("#version")) return;
        if (const std::string wrong = bpe->add_merge(line); !wrong.empty())
            throw Error(Errc::tokenizer_format, merges.string(), ": line ", number, ": ", wrong);
    });
    settings.assume(detail::usual_bpe_roles(bpe->vocabulary()));
    TokenizerRules rules = join_rules({}, settings, bpe->vocabulary());
    const bool opt = !settings.has_config && bpe->vocabulary().find("</s>");
    detail::add_ends(rules, settings.add_bos.value_or(opt), settings.add_eos.value_or(false));
    return std::make_unique<PieceTokenizer>(std::move(bpe), std::move(rules));
}

}  // namespace tessera::inline TESSERA_ISA
