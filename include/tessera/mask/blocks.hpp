// What masks have in common that decide for blocks of scores.
#pragma once
#include <tessera/mask/mask.hpp>

namespace tessera::inline TESSERA_ISA::masks {

/// The cover of a tile of blocks of `rows` × `columns` scores: block (y, x) is visible where row(y)(x). Until two differ.
template <class Row>
constexpr Cover cover_of_blocks(Tile tile, Index rows, Index columns, const Row& row) {
    const bool first = row(tile.queries.begin / rows)(tile.keys.begin / columns);
    for (Index y = tile.queries.begin / rows; y * rows < tile.queries.end; ++y) {
        const auto visible = row(y);
        for (Index x = tile.keys.begin / columns; x * columns < tile.keys.end; ++x)
            if (visible(x) != first) return Cover::partial;
    }
    return first ? Cover::full : Cover::empty;
}

/// The bits of at most 64 keys that come in blocks of `columns`: block x is all ones where visible(x), else zeros.
template <class F>
constexpr std::uint64_t bits_of_blocks(Range keys, Index columns, const F& visible) {
    std::uint64_t bits = 0;
    Index x = keys.begin / columns;
    for (Range block{keys.begin, 0}; block.begin < keys.end; block.begin = block.end, ++x) {
        block.end = std::min((x + 1) * columns, keys.end);
        bits |= ones(block, keys.begin) & (std::uint64_t{0} - visible(x));  // no branch, as none could be foreseen
    }
    return bits;
}

}  // namespace tessera::inline TESSERA_ISA::masks
