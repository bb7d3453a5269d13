// The tokenizer of a checkpoint in the forms in which it is published: vocab.json and merges.txt for OPT,
// tokenizer.json beside them for BLIP-2, with its `<image>`.
#pragma once
#include "vocabulary.hpp"

namespace tessera::random_checkpoint {

inline Json added_token(std::string_view content, bool normalized) {
    return {{"content", content}, {"lstrip", false},      {"normalized", normalized},
            {"rstrip", false},    {"single_word", false}, {"special", true}};
}

/// Special tokens by id.
inline std::vector<std::pair<Index, Json>> added_tokens(bool image) {
    std::vector<std::pair<Index, Json>> tokens{{1, added_token("<pad>", true)}, {2, added_token("</s>", true)}};
    if (image) tokens.emplace_back(image_id, added_token("<image>", false));
    return tokens;
}

inline Json vocabulary_json(const Vocabulary& v) {
    Json ids = Json::object();
    for (std::size_t id = 0; id < v.tokens.size(); ++id) ids[v.tokens[id]] = id;
    return ids;
}

inline std::string merges_text(const Vocabulary& v) {
    std::string text = "#version: 0.2\n";
    for (const auto& [left, right] : v.merges) text += left + ' ' + right + '\n';
    return text;
}

/// `</s>` in front of every text, as OPT was trained.
inline Json begin_with_end_of_text() {
    const auto special = [](int type) { return Json{{"SpecialToken", {{"id", "</s>"}, {"type_id", type}}}}; };
    const auto sequence = [](std::string_view id) { return Json{{"Sequence", {{"id", id}, {"type_id", 0}}}}; };
    return {
        {"type", "TemplateProcessing"},
        {"single", Json::array({special(0), sequence("A")})},
        {"pair", Json::array({special(0), sequence("A"), special(0), sequence("B")})},
        {"special_tokens", {{"</s>", {{"id", "</s>"}, {"ids", Json::array({2})}, {"tokens", Json::array({"</s>"})}}}}}};
}

inline Json tokenizer_json(const Vocabulary& v) {
    Json added = Json::array();
    for (auto& [id, token] : added_tokens(true)) {
        added.push_back(token);
        added.back()["id"] = id;
    }
    const auto byte_level = [](bool prefix) {
        return Json{{"type", "ByteLevel"}, {"add_prefix_space", prefix}, {"trim_offsets", true}, {"use_regex", true}};
    };
    return {{"version", "1.0"},
            {"truncation", nullptr},
            {"padding", nullptr},
            {"added_tokens", std::move(added)},
            {"normalizer", nullptr},
            {"pre_tokenizer", byte_level(false)},
            {"post_processor", begin_with_end_of_text()},
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
              {"vocab", vocabulary_json(v)},
              {"merges", v.merges}}}};
}

inline Documents tokenizer_documents(const Vocabulary& v, bool image) {
    const Json names = {{"bos_token", "</s>"}, {"eos_token", "</s>"}, {"unk_token", "</s>"}, {"pad_token", "<pad>"}};
    Json config = names;
    config["tokenizer_class"] = "GPT2Tokenizer";
    config["add_bos_token"] = true;
    config["add_prefix_space"] = false;
    config["clean_up_tokenization_spaces"] = false;
    config["errors"] = "replace";
    for (auto& [id, token] : added_tokens(image)) config["added_tokens_decoder"][std::to_string(id)] = token;

    Documents files{
        {"vocab.json", vocabulary_json(v)}, {"special_tokens_map.json", names}, {"tokenizer_config.json", config}};
    if (image) {
        files["tokenizer.json"] = tokenizer_json(v);
        files["added_tokens.json"] = {{"<image>", image_id}};
    }
    return files;
}

}  // namespace tessera::random_checkpoint
