// A made-up unigram tokenizer of T5's size and order of ids, as tokenizer.json: any text of ASCII letters, digits and signs can
// be encoded, any id decoded.
#pragma once
#include <string>
#include <vector>

#include "tokenizer_files.hpp"

namespace tessera::random_checkpoint {

/// Pieces in the order of their ids with their scores: letters and signs, then words and parts of words of up to four
/// letters, frequent ones first; the more letters a piece has, the better it scores for each of them.
inline Json made_up_pieces() {
    constexpr std::size_t size = 32000;
    constexpr std::string_view letters = "etaoinshrdlcumwfgypbvkjxqz";
    const std::string mark = "▁";
    Json pieces = Json::array({{"<pad>", 0.0}, {"</s>", 0.0}, {"<unk>", 0.0}});
    const auto add = [&](const std::string& piece, std::size_t count) {
        if (pieces.size() < size)
            pieces.push_back({piece, -8.0 - static_cast<double>(count) - 1e-4 * static_cast<double>(pieces.size())});
    };
    add(mark, 0);
    for (char sign = '!'; sign <= '~'; ++sign) add(std::string{sign}, 1);
    std::vector<std::string> parts{""};
    for (std::size_t count = 1; count <= 4; ++count) {
        std::vector<std::string> longer;
        for (const std::string& part : parts)
            for (const char letter : letters) longer.push_back(part + letter);
        parts = std::move(longer);
        for (const std::string& part : parts) {
            add(mark + part, count);
            if (count > 1) add(part, count);
        }
    }
    return pieces;
}

inline Documents t5_tokenizer_documents(bool image) {
    Json names = {{"eos_token", "</s>"}, {"unk_token", "<unk>"}, {"pad_token", "<pad>"}};
    Json pieces = made_up_pieces(), added = Json::array();
    const auto add = [&](Index id, const std::string& content) {
        added.push_back(added_token(content, false));
        added.back()["id"] = id;
    };
    add(0, "<pad>"), add(1, "</s>"), add(2, "<unk>");
    for (Index i = 99; i >= 0; --i) {  // <extra_id_0> has the highest id
        const std::string sentinel = "<extra_id_" + std::to_string(i) + '>';
        add(static_cast<Index>(pieces.size()), sentinel);
        pieces.push_back({sentinel, 0.0});
        names["additional_special_tokens"].push_back("<extra_id_" + std::to_string(99 - i) + '>');
    }
    if (image) add(t5_image_id, "<image>");
    const Json metaspace = {{"type", "Metaspace"}, {"replacement", "▁"}, {"prepend_scheme", "always"}, {"split", true}};
    const Json text = {{"Sequence", {{"id", "A"}, {"type_id", 0}}}},
               second = {{"Sequence", {{"id", "B"}, {"type_id", 0}}}},
               end = {{"SpecialToken", {{"id", "</s>"}, {"type_id", 0}}}};
    Json config = names;
    config["tokenizer_class"] = "T5Tokenizer";
    config["extra_ids"] = 100;
    config["clean_up_tokenization_spaces"] = true;
    for (Json token : added) {
        const std::string id = std::to_string(token["id"].get<Index>());
        token.erase("id");
        config["added_tokens_decoder"][id] = std::move(token);
    }
    Documents files{
        {"special_tokens_map.json", names},
        {"tokenizer_config.json", config},
        {"tokenizer.json",
         {{"version", "1.0"},
          {"truncation", nullptr},
          {"padding", nullptr},
          {"added_tokens", std::move(added)},
          {"normalizer", nullptr},
          {"pre_tokenizer",
           {{"type", "Sequence"}, {"pretokenizers", Json::array({Json{{"type", "WhitespaceSplit"}}, metaspace})}}},
          {"post_processor",
           {{"type", "TemplateProcessing"},
            {"single", Json::array({text, end})},
            {"pair", Json::array({text, end, second, end})},
            {"special_tokens",
             {{"</s>", {{"id", "</s>"}, {"ids", Json::array({1})}, {"tokens", Json::array({"</s>"})}}}}}}},
          {"decoder", metaspace},
          {"model", {{"type", "Unigram"}, {"unk_id", 2}, {"vocab", std::move(pieces)}, {"byte_fallback", false}}}}}};
    if (image) files["added_tokens.json"] = {{"<image>", t5_image_id}};
    return files;
}

}  // namespace tessera::random_checkpoint
