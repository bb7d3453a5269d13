// T5's tokenizer: a Unigram whose pieces are whole words.
#pragma once
#include "words.hpp"

namespace scenes {

/// Pieces in the order of their ids; `▁` is the space before a word.
inline std::vector<std::string> t5_vocabulary() {
    std::vector<std::string> out{"<pad>", "</s>", "<unk>", "▁"};
    for (const std::string_view word : world_words) {
        const bool is_capital = word == "question" || word == "short";
        out.push_back("▁" + std::string(word));
        if (is_capital) out.back()[3] = static_cast<char>(word[0] - 'a' + 'A');  // after the three bytes of ▁
    }
    out.insert(out.end(), signs.begin(), signs.end());
    return out;
}

inline Files t5_tokenizer(bool image) {
    const std::vector<std::string> vocabulary = t5_vocabulary();
    const auto size = static_cast<Index>(vocabulary.size());
    Json pieces = Json::array();
    for (Index id = 0; const std::string& piece : vocabulary) {
        const double rare = 0.01 * static_cast<double>(id);
        pieces.push_back({piece, id < 3 ? 0.0 : piece == "▁" ? -8.0 : -3.0 - rare});
        ++id;
    }
    SpecialTokenList special;
    for (Index id = 0; id < 3; ++id) special.add(id, vocabulary[static_cast<std::size_t>(id)]);
    if (image) special.add(size, "<image>");

    const Json names = {{"eos_token", "</s>"}, {"unk_token", "<unk>"}, {"pad_token", "<pad>"}};
    Json config = names;
    config.update(Json{{"tokenizer_class", "T5Tokenizer"},
                       {"extra_ids", 0},
                       {"clean_up_tokenization_spaces", false},
                       {"model_max_length", 512},
                       {"added_tokens_decoder", special.by_id}});
    const Json metaspace = {{"type", "Metaspace"}, {"replacement", "▁"}, {"prepend_scheme", "always"}, {"split", true}};
    const Json tokenizer = {
        {"version", "1.0"},
        {"truncation", nullptr},
        {"padding", nullptr},
        {"added_tokens", special.with_ids},
        {"normalizer", nullptr},
        {"pre_tokenizer",
         {{"type", "Sequence"}, {"pretokenizers", Json::array({Json{{"type", "WhitespaceSplit"}}, metaspace})}}},
        {"post_processor", around("", 0, "</s>", 1)},
        {"decoder", metaspace},
        {"model", {{"type", "Unigram"}, {"unk_id", 2}, {"vocab", std::move(pieces)}, {"byte_fallback", false}}}};
    Files files{{"tokenizer.json", text_of(tokenizer)},
                {"tokenizer_config.json", text_of(config)},
                {"special_tokens_map.json", text_of(names)}};
    if (image) files["added_tokens.json"] = text_of({{"<image>", size}});
    return files;
}

}  // namespace scenes
