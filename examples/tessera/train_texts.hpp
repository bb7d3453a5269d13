// Texts that are cut in two by chance.
#pragma once
#include <tessera/train/data/prompted_texts.hpp>
#include <tessera/train/stage2.hpp>

namespace program {

/// Adds a text of T5: its encoder reads the first words, by chance how many, and the decoder writes what follows.
/// source  Li 2023 (BLIP-2) §3.2
inline void cut_at_random(tessera::PromptedTexts& to, std::span<const tessera::Token> ids, std::uint64_t seed) {
    const tessera::Index words = std::ssize(ids) - 1;  // the last is </s>
    to.push_cut(ids, words > 0 ? tessera::prefix_length(words, seed) : 0);
}

}  // namespace program
