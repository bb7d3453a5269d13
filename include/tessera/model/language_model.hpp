// What a model of language has that can generate text, whatever it is made of.
#pragma once
#include <tessera/core/token.hpp>
#include <tessera/nn/cache.hpp>
#include <tessera/nn/embedding.hpp>
#include <vector>

namespace tessera::inline TESSERA_ISA {

/// What a text is to follow: rows that are no words, such as a picture's, then words.
template <Index Width>
struct Prompt {
    ConstRows<Width> soft;       // [Q, Width]; none where Q is 0
    std::span<const Token> ids;  // [Q + T]: a placeholder for each row of `soft`, then the words
};

/// What a decoder reads first to generate a text. `rows` stand at the places 0, 1, … of the text.
template <class Decoder>
struct Beginning {
    typename Decoder::Cache cache;             // of what was read otherwise, with room for `rows` and all that follows
    ConstRows<Decoder::embedding_width> rows;  // [n > 0, embedding_width], in the scratch it was made with
    std::vector<Token> seen;                   // their ids; rules about repetition count them
};

/// A model that generates text: Opt, T5, the Q-Former with a head of its own.
///     append   reads rows that follow what caches hold, adds them to the caches, returns the state of each; reads each
///              weight once, however many texts there are
///     begin    makes the Beginning of each prompt, whose cache has room for the beginning and `more` rows, kept as f32 or bf16
/// shape   append: embedded [T, embedding_width] of all texts → states [T, embedding_width]; logits → [T, vocabulary]
/// errors  Errc::sequence_length beyond a cache's capacity or `most_positions`; Errc::token_id; Errc::weight_unset
template <class D>
concept LanguageModel = requires(const D& decoder, ConstRows<D::embedding_width> embedded,
                                 std::span<const Continuation<typename D::Cache>> texts,
                                 std::span<const Prompt<D::embedding_width>> prompts, std::span<const Token> ids,
                                 Index more, DType stored, Scratch& s) {
    { D::most_positions } -> std::convertible_to<Index>;
    { decoder.embedding(ids, s) } -> std::convertible_to<Rows<D::embedding_width>>;
    { decoder.append(embedded, texts, s) } -> std::convertible_to<Rows<D::embedding_width>>;
    { decoder.logits(embedded, s) } -> std::convertible_to<Rows<D::vocabulary>>;
    { decoder.begin(prompts, more, s, stored) } -> std::same_as<std::vector<Beginning<D>>>;
};

}  // namespace tessera::inline TESSERA_ISA
