// All words of the world, and what the tokenizers' files have in common.
#pragma once
#include <array>
#include <map>
#include <string>
#include <string_view>
#include <tessera/core/json.hpp>
#include <vector>

namespace scenes {

using tessera::Index;
using tessera::Json;

/// Name and content of files that lie beside a model's weights.
using Files = std::map<std::string, std::string>;

/// Words of captions, notes and questions, frequent ones first.
inline constexpr std::array<std::string_view, 38> world_words{
    "a",       "small", "large", "left",   "of",     "above",    "circle", "square", "triangle", "cross",
    "ring",    "red",   "green", "blue",   "yellow", "purple",   "white",  "right",  "below",    "is",
    "the",     "what",  "size",  "colour", "shape",  "object",   "yes",    "no",     "how",      "many",
    "objects", "are",   "there", "one",    "two",    "question", "answer", "short"};
inline constexpr std::array<std::string_view, 4> signs{",", ".", ":", "?"};

inline std::string text_of(const Json& json) { return json.dump(1) + '\n'; }

/// A token with a meaning of its own, as the files list it.
inline Json special_token(std::string_view content) {
    return {{"content", content}, {"lstrip", false},      {"normalized", false},
            {"rstrip", false},    {"single_word", false}, {"special", true}};
}

/// Tokens that texts do not hold, by their ids: the lists of tokenizer.json and of tokenizer_config.json.
struct SpecialTokenList {
    Json with_ids = Json::array(), by_id = Json::object();

    void add(Index id, std::string_view content) {
        Json token = special_token(content);
        by_id[std::to_string(id)] = token;
        token["id"] = id;
        with_ids.push_back(std::move(token));
    }
};

/// What a tokenizer puts around each text: `before`, the text, `after`; empty where there is nothing.
inline Json around(std::string_view before, Index before_id, std::string_view after, Index after_id) {
    Json specials = Json::object(), single = Json::array(), pair = Json::array();
    const auto put = [&](Json& list, std::string_view token, Index id) {
        if (token.empty()) return;
        list.push_back({{"SpecialToken", {{"id", token}, {"type_id", 0}}}});
        specials[std::string(token)] = {
            {"id", token}, {"ids", Json::array({id})}, {"tokens", Json::array({std::string(token)})}};
    };
    for (Json* const list : {&single, &pair}) {
        put(*list, before, before_id);
        list->push_back({{"Sequence", {{"id", "A"}, {"type_id", 0}}}});
        put(*list, after, after_id);
    }
    pair.push_back({{"Sequence", {{"id", "B"}, {"type_id", 0}}}});
    put(pair, after, after_id);
    return {{"type", "TemplateProcessing"},
            {"single", std::move(single)},
            {"pair", std::move(pair)},
            {"special_tokens", std::move(specials)}};
}

}  // namespace scenes
