// A mask by lot, the same on every machine.
#pragma once
#include <tessera/mask/mask.hpp>

namespace tessera::inline TESSERA_ISA {

/// Each block of `rows` × `columns` scores is visible with probability `density`, decided by a hash of its place and
/// `seed`; the same in every head unless `by_head`.
///     Random{.density = 0.5, .seed = 7}
///     # # # . # . # #
///     # # . # # . # #
///     # . . . # # . .
/// cost    a hash; `cover` one for each block that the tile touches, until two differ. Where blocks are single scores,
///         hashes take about as long as attention does; `BlockMask` (mask/block_mask.hpp) remembers.
/// source  Zaheer 2020 (BigBird) §2, random attention; the mixing function of Steele 2014 (SplitMix64)
struct Random {
    double density = 0.5;
    std::uint64_t seed = 0;
    Index rows = 1, columns = 1;
    bool by_head = false;

    constexpr bool allows(Site at) const { return visible(row(at.head, at.query / rows), at.key / columns); }
    constexpr Cover cover(Tile tile) const {
        const bool first = allows({tile.head, tile.queries.begin, tile.keys.begin});
        for (Index y = tile.queries.begin / rows; y * rows < tile.queries.end; ++y) {
            const std::uint64_t lot = row(tile.head, y);
            for (Index x = tile.keys.begin / columns; x * columns < tile.keys.end; ++x)
                if (visible(lot, x) != first) return Cover::partial;
        }
        return first ? Cover::full : Cover::empty;
    }
    constexpr std::uint64_t bits(Index head, Index query, Range keys) const {
        const std::uint64_t lot = row(head, query / rows);
        return masks::bits_of_blocks(keys, columns, [&](Index x) { return visible(lot, x); });
    }
    static constexpr bool cover_is_exact() { return true; }

  private:
    static constexpr std::uint64_t mixed(std::uint64_t z) {
        z += 0x9e3779b97f4a7c15u;
        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
        z = (z ^ z >> 27) * 0x94d049bb133111ebu;
        return z ^ z >> 31;
    }
    constexpr std::uint64_t row(Index head, Index y) const {
        return mixed(mixed(mixed(seed) ^ static_cast<std::uint64_t>(by_head ? head : 0)) ^
                     static_cast<std::uint64_t>(y));
    }
    constexpr bool visible(std::uint64_t row, Index x) const {
        return static_cast<double>(mixed(row ^ static_cast<std::uint64_t>(x)) >> 11) * 0x1p-53 < density;
    }
};

}  // namespace tessera::inline TESSERA_ISA
