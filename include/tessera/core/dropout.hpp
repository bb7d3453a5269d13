// Which numbers are dropped, and where models drop.
#pragma once
#include <cstdint>
#include <tessera/core/compiler.hpp>

namespace tessera::inline TESSERA_ISA {

/// Drops each of some numbers with probability `p`, and divides the others by 1 − p. What becomes of a number depends on `seed` and on
/// its own number, which are counted from `first` on: nothing need be stored to do the same again.
struct Dropout {
    float p = 0;
    std::uint64_t seed = 0, first = 0;

    explicit constexpr operator bool() const { return p > 0; }
};

/// The two rates that BERT tells apart: of rows after a layer, and of the probabilities of an attention.
enum class DropoutSite : bool { hidden, attention };

/// Each use of dropout has numbers of its own, so many for each head of an attention.
inline constexpr std::uint64_t dropout_stream = std::uint64_t{1} << 32;

}  // namespace tessera::inline TESSERA_ISA
