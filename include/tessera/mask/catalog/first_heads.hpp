// Heads that see everything, beside heads that see nothing.
#pragma once
#include <tessera/mask/mask.hpp>

namespace tessera::inline TESSERA_ISA {

/// Everything in the first `count` heads, nothing in the others: `Choose{FirstHeads{4}, Window{64}, Causal{}}`.
///     FirstHeads{1}, head 0 and head 1
///     # # #          . . .
///     # # #          . . .
struct FirstHeads {
    Index count;

    constexpr bool allows(Site at) const { return at.head < count; }
    constexpr Cover cover(Tile tile) const { return tile.head < count ? Cover::full : Cover::empty; }
    static constexpr bool cover_is_exact() { return true; }
    constexpr Index heads() const { return std::max(count, Index{0}) + 1; }
};

}  // namespace tessera::inline TESSERA_ISA
