// The Q-Former's tokenizer: a WordPiece whose words are whole.
#pragma once
#include "words.hpp"

namespace scenes {

/// Tokens in the order of their ids; `[DEC]` begins a caption that is to be generated (ITG).
inline std::vector<std::string> bert_vocabulary() {
    std::vector<std::string> out{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"};
    out.insert(out.end(), world_words.begin(), world_words.end());
    out.insert(out.end(), signs.begin(), signs.end());
    return out;
}

inline Files bert_tokenizer() {
    const std::vector<std::string> vocabulary = bert_vocabulary();
    const auto size = static_cast<Index>(vocabulary.size());
    Json ids;
    std::string lines;
    for (Index id = 0; const std::string& token : vocabulary) ids[token] = id++, lines += token + '\n';
    SpecialTokenList special;
    for (Index id = 0; id < 5; ++id) special.add(id, vocabulary[static_cast<std::size_t>(id)]);
    special.add(size, "[DEC]");
    special.add(size + 1, "<image>");

    const Json names = {{"bos_token", "[DEC]"}, {"cls_token", "[CLS]"}, {"mask_token", "[MASK]"},
                        {"pad_token", "[PAD]"}, {"sep_token", "[SEP]"}, {"unk_token", "[UNK]"}};
    Json config = names;
    config.update(Json{{"tokenizer_class", "BertTokenizer"},
                       {"do_lower_case", true},
                       {"strip_accents", nullptr},
                       {"tokenize_chinese_chars", true},
                       {"clean_up_tokenization_spaces", false},
                       {"model_max_length", 64},
                       {"added_tokens_decoder", special.by_id}});
    const Json tokenizer = {{"version", "1.0"},
                            {"truncation", nullptr},
                            {"padding", nullptr},
                            {"added_tokens", special.with_ids},
                            {"normalizer",
                             {{"type", "BertNormalizer"},
                              {"clean_text", true},
                              {"handle_chinese_chars", true},
                              {"strip_accents", nullptr},
                              {"lowercase", true}}},
                            {"pre_tokenizer", {{"type", "BertPreTokenizer"}}},
                            {"post_processor", around("[CLS]", 2, "[SEP]", 3)},
                            {"decoder", {{"type", "WordPiece"}, {"prefix", "##"}, {"cleanup", true}}},
                            {"model",
                             {{"type", "WordPiece"},
                              {"unk_token", "[UNK]"},
                              {"continuing_subword_prefix", "##"},
                              {"max_input_chars_per_word", 100},
                              {"vocab", ids}}}};
    return {{"vocab.txt", lines},
            {"tokenizer.json", text_of(tokenizer)},
            {"tokenizer_config.json", text_of(config)},
            {"special_tokens_map.json", text_of(names)},
            {"added_tokens.json", text_of({{"[DEC]", size}, {"<image>", size + 1}})}};
}

}  // namespace scenes
