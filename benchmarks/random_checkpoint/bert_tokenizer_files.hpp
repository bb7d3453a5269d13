// A made-up WordPiece of BERT's size and order of ids, as vocab.txt: any text of ASCII letters, digits and signs can be encoded.
#pragma once
#include <string>
#include <vector>

#include "tokenizer_files.hpp"

namespace tessera::random_checkpoint {

/// Pieces in the order of their ids: [UNK], [CLS], [SEP] and [MASK] where BERT has them, signs, letters, then words and parts of
/// words of up to four letters, frequent ones first.
inline std::string bert_vocabulary_text() {
    constexpr std::size_t size = 30522;
    constexpr std::string_view letters = "etaoinshrdlcumwfgypbvkjxqz";
    std::vector<std::string> pieces{"[PAD]"};
    for (int i = 0; pieces.size() < 999; ++i) {
        if (pieces.size() == 100) pieces.insert(pieces.end(), {"[UNK]", "[CLS]", "[SEP]", "[MASK]"});
        pieces.push_back("[unused" + std::to_string(i) + ']');
    }
    const auto add = [&](const std::string& piece) {
        if (pieces.size() < size) pieces.push_back(piece);
    };
    for (char sign = '!'; sign <= '~'; ++sign)
        if (sign < 'A' || sign > 'Z') add({sign}), add(std::string("##") + sign);
    std::vector<std::string> parts{""};
    for (int count = 1; count <= 4; ++count) {
        std::vector<std::string> longer;
        for (const std::string& part : parts)
            for (const char letter : letters) longer.push_back(part + letter);
        parts = std::move(longer);
        for (const std::string& part : parts)
            if (count > 1) add(part), add("##" + part);
    }
    std::string text;
    for (const std::string& piece : pieces) text += piece + '\n';
    return text;
}

/// What lies beside vocab.txt: for BLIP-2 [DEC] and <image>, which come after its words; BERT knows of neither.
inline Documents bert_tokenizer_documents(bool blip2) {
    Json names = {{"cls_token", "[CLS]"},
                  {"mask_token", "[MASK]"},
                  {"pad_token", "[PAD]"},
                  {"sep_token", "[SEP]"},
                  {"unk_token", "[UNK]"}};
    std::vector<std::pair<Index, std::string_view>> special{
        {0, "[PAD]"}, {100, "[UNK]"}, {101, "[CLS]"}, {102, "[SEP]"}, {103, "[MASK]"}};
    if (blip2) {
        names["bos_token"] = "[DEC]";
        special.insert(special.end(), {{30522, "[DEC]"}, {bert_image_id, "<image>"}});
    }
    Json config = names;
    config["tokenizer_class"] = "BertTokenizer";
    config["do_lower_case"] = true;
    config["strip_accents"] = nullptr;
    config["tokenize_chinese_chars"] = true;
    config["clean_up_tokenization_spaces"] = false;
    config["model_max_length"] = 512;
    for (const auto& [id, content] : special)
        config["added_tokens_decoder"][std::to_string(id)] = added_token(content, false);
    Documents files{{"special_tokens_map.json", names}, {"tokenizer_config.json", config}};
    if (blip2) files["added_tokens.json"] = {{"[DEC]", 30522}, {"<image>", bert_image_id}};
    return files;
}

}  // namespace tessera::random_checkpoint
