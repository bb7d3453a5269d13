// Random blocks, the same ones on every machine.
#pragma once
#include <tessera/core/split_mix.hpp>
#include <tessera/mask/blocks.hpp>

namespace tessera::inline TESSERA_ISA {

/// Each block of `rows` × `columns` scores is visible with probability `density`, decided by a hash of its place and
/// `seed`, so that it is reproducible; the same in every head unless `by_head`.
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

  private:
    /// Which blocks of row y are visible.
    constexpr auto row(Index head, Index y) const {
        const std::uint64_t place = split_mix(split_mix(seed) ^ static_cast<std::uint64_t>(by_head ? head : 0));
        return [limit = density, row = split_mix(place ^ static_cast<std::uint64_t>(y))](Index x) {
            return static_cast<double>(split_mix(row ^ static_cast<std::uint64_t>(x)) >> 11) * 0x1p-53 < limit;
        };
    }

  public:
    constexpr bool allows(Site at) const { return row(at.head, at.query / rows)(at.key / columns); }
    constexpr Cover cover(Tile tile) const {
        return masks::cover_of_blocks(tile, rows, columns, [&](Index y) { return row(tile.head, y); });
    }
    constexpr std::uint64_t bits(Index head, Index query, Range keys) const {
        return masks::bits_of_blocks(keys, columns, row(head, query / rows));
    }
    static constexpr bool cover_is_exact() { return true; }
    constexpr Index heads() const { return by_head ? 0 : 1; }
};

}  // namespace tessera::inline TESSERA_ISA
