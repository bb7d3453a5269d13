// Columns that everybody sees.
#pragma once
#include <tessera/mask/mask.hpp>

namespace tessera::inline TESSERA_ISA {

/// Every step-th key from `first` on, for everybody: columns that sum up what lies between them.
///     Strided{.step = 3, .first = 1}
///     . # . . # .
///     . # . . # .
/// source  Child 2019 (Sparse Transformer) §4.2, "fixed": Strided{n, n - 1} & Causal{} beside blocks of n
struct Strided {
    Index step = 1, first = 0;

    constexpr bool allows(Site at) const { return at.key >= first && (at.key - first) % step == 0; }
    constexpr Cover cover(Tile tile) const {
        if (next(tile.keys.begin) >= tile.keys.end) return Cover::empty;
        if (tile.keys.size() == 1) return Cover::full;
        return step == 1 && tile.keys.begin >= first ? Cover::full : Cover::partial;
    }
    constexpr Range key_bounds(Range) const { return {first, Range::everywhere.end}; }
    constexpr Range full_keys(Range) const { return step == 1 ? Range{first, Range::everywhere.end} : Range::nowhere; }
    constexpr std::uint64_t bits(Index, Index, Range keys) const {
        const Index from = next(keys.begin);
        if (from >= keys.end) return 0;
        std::uint64_t seen = std::uint64_t{1} << (from - keys.begin);
        for (Index by = step; by < 64; by *= 2) seen |= seen << by;
        return seen & masks::ones({from, keys.end}, keys.begin);
    }
    static constexpr bool cover_is_exact() { return true; }
    static constexpr Index heads() { return 1; }

  private:
    /// The first such key that is not before `key`.
    constexpr Index next(Index key) const {
        return key <= first ? first : first + (key - first + step - 1) / step * step;
    }
};

}  // namespace tessera::inline TESSERA_ISA
