// Patches of a picture that see those around them.
#pragma once
#include <tessera/mask/mask.hpp>

namespace tessera::inline TESSERA_ISA {

/// Positions are the patches of a picture, row after row; each sees the patches at most `down` rows and `across` columns
/// away. Patches after a [CLS] row that sees and is seen by all: FirstKeys{1} | FirstQueries{1} | Shifted{mask, -1, -1}.
///     Neighborhood{.height = 3, .width = 3, .down = 1, .across = 1}, query 4 and query 0
///     # # #          # # .
///     # # #          # # .
///     # # #          . . .
/// cost    `cover` a step for each pair of picture rows that the tile touches
/// source  Hassani 2023 (Neighborhood Attention), without its shift of windows at the borders
struct Neighborhood {
    Index height, width, down = 1, across = 1;

    constexpr bool allows(Site at) const {
        if (at.query >= height * width || at.key >= height * width) return false;
        return within(at.query / width - at.key / width, down) && within(at.query % width - at.key % width, across);
    }
    constexpr Cover cover(Tile tile) const {
        // Positions after the picture see nothing and are not seen.
        bool started = tile.queries.end > height * width || tile.keys.end > height * width;
        Cover known = Cover::empty;
        for (Range q = piece(tile.queries.begin, tile.queries); !q.empty(); q = piece(q.end, tile.queries))
            for (Range k = piece(tile.keys.begin, tile.keys); !k.empty(); k = piece(k.end, tile.keys)) {
                const bool rows_near = within(q.begin / width - k.begin / width, down);
                const Cover part = rows_near ? strip(columns(q), columns(k)) : Cover::empty;
                known = started ? masks::joined(known, part) : part;
                started = true;
                if (known == Cover::partial) return known;
            }
        return known;
    }
    constexpr Range key_bounds(Range queries) const {
        queries = intersection(queries, {0, height * width});
        if (queries.empty()) return Range::nowhere;
        const Index first = queries.begin / width, last = (queries.end - 1) / width;
        // A piece of one picture row sees only the columns near it; several rows may see any.
        const Index left = first == last ? std::max(queries.begin % width - across, Index{0}) : 0;
        const Index right = first == last ? std::min((queries.end - 1) % width + across + 1, width) : width;
        return {std::max(first - down, Index{0}) * width + left, std::min(last + down, height - 1) * width + right};
    }
    constexpr std::uint64_t bits(Index, Index query, Range keys) const {
        std::uint64_t seen = 0;
        if (query >= height * width) return seen;
        const Index row = query / width, column = query % width;
        for (Range k = piece(keys.begin, keys); !k.empty(); k = piece(k.end, keys)) {
            const Index first = k.begin / width * width;
            const Range reach{first + column - across, first + column + across + 1};
            if (within(row - k.begin / width, down)) seen |= masks::ones(intersection(k, reach), keys.begin);
        }
        return seen;
    }
    static constexpr bool cover_is_exact() { return true; }
    static constexpr Index heads() { return 1; }

  private:
    static constexpr bool within(Index distance, Index reach) { return -reach <= distance && distance <= reach; }
    /// Columns `qx` of one picture row against columns `kx` of another near it.
    constexpr Cover strip(Range qx, Range kx) const {
        const Index least = kx.begin - (qx.end - 1), most = kx.end - 1 - qx.begin;
        if (least > across || most < -across) return Cover::empty;
        return within(least, across) && within(most, across) ? Cover::full : Cover::partial;
    }
    /// Those of `positions` from `first` on that are in its picture row.
    constexpr Range piece(Index first, Range positions) const {
        return {first, std::min({(first / width + 1) * width, positions.end, height * width})};
    }
    constexpr Range columns(Range piece) const {
        const Index row = piece.begin / width * width;
        return {piece.begin - row, piece.end - row};
    }
};

}  // namespace tessera::inline TESSERA_ISA
