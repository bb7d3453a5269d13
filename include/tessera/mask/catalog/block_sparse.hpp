// A choice for each block of scores.
#pragma once
#include <tessera/mask/blocks.hpp>

namespace tessera::inline TESSERA_ISA {

/// A byte for each block of `rows` × `columns` scores.
///     BlockSparse{blocks, 2, 2} with blocks {1, 0; 1, 1}
///     # # . .
///     # # . .
///     # # # #
///     # # # #
/// shape   blocks [⌈queries / rows⌉, ⌈keys / columns⌉], zero is invisible; borrowed, not copied
/// cost    `cover` and `bits` look at the blocks that they touch, `key_bounds` at the ends of the rows of blocks
struct BlockSparse {
    View<const std::uint8_t, dyn, dyn> blocks;
    Index rows, columns;

  private:
    /// Which blocks of row y are visible.
    constexpr auto row(Index y) const {
        return [this, y](Index x) { return y < blocks.extent(0) && x < blocks.extent(1) && blocks(y, x) != 0; };
    }

  public:
    constexpr bool allows(Site at) const { return row(at.query / rows)(at.key / columns); }
    constexpr Cover cover(Tile tile) const {
        return masks::cover_of_blocks(tile, rows, columns, [this](Index y) { return row(y); });
    }
    constexpr Range key_bounds(Range queries) const {
        Range seen = Range::nowhere;
        for (Index y = queries.begin / rows; y < std::min((queries.end + rows - 1) / rows, blocks.extent(0)); ++y) {
            const Range visible = masks::trimmed({0, blocks.extent(1)}, row(y));
            seen = hull(seen, {visible.begin * columns, visible.end * columns});
        }
        return seen;
    }
    constexpr std::uint64_t bits(Index, Index query, Range keys) const {
        return masks::bits_of_blocks(keys, columns, row(query / rows));
    }
    constexpr bool fits(Index queries, Index keys) const {
        return (queries + rows - 1) / rows == blocks.extent(0) && (keys + columns - 1) / columns == blocks.extent(1);
    }
    static constexpr bool cover_is_exact() { return true; }
    static constexpr Index heads() { return 1; }
};

}  // namespace tessera::inline TESSERA_ISA
