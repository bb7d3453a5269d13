// A mask by lot, the same on every machine.
#pragma once
#include <tessera/mask/mask.hpp>

namespace tessera {

/// Each block of `rows` × `columns` scores is visible with probability `density`, decided by a hash of its place and
/// `seed`; the same in every head unless `by_head`.
///     Random{.density = 0.5, .seed = 7}
///     # # # . # . # #
///     # # . # # . # #
///     # . . . # # . .
/// cost    a hash; `cover` one for each block that the tile touches, until two differ
/// source  Zaheer 2020 (BigBird) §2, random attention; the mixing function of Steele 2014 (SplitMix64)
struct Random {
    double density = 0.5;
    std::uint64_t seed = 0;
    Index rows = 1, columns = 1;
    bool by_head = false;

    constexpr bool allows(Site at) const { return visible(at.head, at.query / rows, at.key / columns); }
    constexpr Cover cover(Tile tile) const {
        const bool first = visible(tile.head, tile.queries.begin / rows, tile.keys.begin / columns);
        for (Index y = tile.queries.begin / rows; y * rows < tile.queries.end; ++y)
            for (Index x = tile.keys.begin / columns; x * columns < tile.keys.end; ++x)
                if (visible(tile.head, y, x) != first) return Cover::some;
        return first ? Cover::all : Cover::none;
    }
    static constexpr bool exact() { return true; }

  private:
    static constexpr std::uint64_t mixed(std::uint64_t z) {
        z += 0x9e3779b97f4a7c15u;
        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
        z = (z ^ z >> 27) * 0x94d049bb133111ebu;
        return z ^ z >> 31;
    }
    constexpr bool visible(Index head, Index y, Index x) const {
        std::uint64_t lot = mixed(seed);
        for (const Index part : {by_head ? head : 0, y, x}) lot = mixed(lot ^ static_cast<std::uint64_t>(part));
        return static_cast<double>(lot >> 11) * 0x1p-53 < density;
    }
};

}  // namespace tessera
