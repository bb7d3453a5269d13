// OPT's tokenizer: byte-level BPE, merged until each word of the world with the space before it is one token.
#pragma once
#include <algorithm>
#include <tessera/text/model/bpe.hpp>
#include <utility>

#include "words.hpp"

namespace scenes {

struct BpeVocabulary {
    std::vector<std::string> tokens;  // in the order of their ids
    std::vector<std::pair<std::string, std::string>> merges;

    Index id(std::string_view token) const { return std::ranges::find(tokens, token) - tokens.begin(); }
};

namespace detail {

/// Adds the merges that make `word` one token. What was one token stays so: a later merge comes after all that made it.
inline void merge_word(BpeVocabulary& v, std::string_view word) {
    std::vector<std::string> parts;
    for (const char byte : word) {
        std::string& part = parts.emplace_back();
        tessera::append_utf8(part, tessera::byte_characters()[static_cast<unsigned char>(byte)]);
    }
    const auto join = [&](std::size_t i) {
        parts[i] += parts[i + 1];
        parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(i) + 1);
    };
    for (const auto& [left, right] : v.merges)
        for (std::size_t i = 0; i + 1 < parts.size(); ++i)
            if (parts[i] == left && parts[i + 1] == right) join(i);
    while (parts.size() > 1) {
        v.merges.emplace_back(parts[0], parts[1]);
        v.tokens.push_back(parts[0] + parts[1]);
        join(0);
    }
}

}  // namespace detail

/// OPT's four special tokens, the bytes, the merged ones.
inline BpeVocabulary opt_vocabulary() {
    BpeVocabulary v{{"<s>", "<pad>", "</s>", "<unk>"}, {}};
    for (const char32_t character : tessera::byte_characters())
        tessera::append_utf8(v.tokens.emplace_back(), character);
    for (const std::string_view word : world_words)
        if (word != "question" && word != "answer" && word != "short") detail::merge_word(v, ' ' + std::string(word));
    for (const std::string_view word : {"Question", " Answer"}) detail::merge_word(v, word);
    return v;
}

inline Files opt_tokenizer(bool image) {
    const BpeVocabulary v = opt_vocabulary();
    const auto size = static_cast<Index>(v.tokens.size());
    Json ids;
    for (Index id = 0; const std::string& token : v.tokens) ids[token] = id++;
    std::string merges = "#version: 0.2\n";
    for (const auto& [left, right] : v.merges) merges += left + ' ' + right + '\n';
    SpecialTokenList special;
    special.add(1, "<pad>");
    special.add(2, "</s>");
    if (image) special.add(size, "<image>");

    const Json names = {{"bos_token", "</s>"}, {"eos_token", "</s>"}, {"unk_token", "</s>"}, {"pad_token", "<pad>"}};
    Json config = names;
    config.update(Json{{"tokenizer_class", "GPT2Tokenizer"},
                       {"add_bos_token", true},
                       {"add_prefix_space", false},
                       {"clean_up_tokenization_spaces", false},
                       {"errors", "replace"},
                       {"model_max_length", 160},
                       {"added_tokens_decoder", special.by_id}});
    const auto byte_level = [](bool prefix) {
        return Json{{"type", "ByteLevel"}, {"add_prefix_space", prefix}, {"trim_offsets", true}, {"use_regex", true}};
    };
    Json pairs = Json::array();
    for (const auto& [left, right] : v.merges) pairs.push_back(Json::array({left, right}));
    const Json tokenizer = {{"version", "1.0"},
                            {"truncation", nullptr},
                            {"padding", nullptr},
                            {"added_tokens", special.with_ids},
                            {"normalizer", nullptr},
                            {"pre_tokenizer", byte_level(false)},
                            {"post_processor", around("</s>", 2, "", 0)},
                            {"decoder", byte_level(true)},
                            {"model",
                             {{"type", "BPE"},
                              {"dropout", nullptr},
                              {"unk_token", nullptr},
                              {"continuing_subword_prefix", ""},
                              {"end_of_word_suffix", ""},
                              {"fuse_unk", false},
                              {"byte_fallback", false},
                              {"ignore_merges", false},
                              {"vocab", ids},
                              {"merges", pairs}}}};
    Files files{{"vocab.json", text_of(ids)},
                {"merges.txt", merges},
                {"tokenizer.json", text_of(tokenizer)},
                {"tokenizer_config.json", text_of(config)},
                {"special_tokens_map.json", text_of(names)}};
    if (image) files["added_tokens.json"] = text_of({{"<image>", size}});
    return files;
}

}  // namespace scenes
