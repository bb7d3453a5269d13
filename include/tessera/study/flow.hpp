// Where information gets to through several layers of attention under a mask: a proof, when asked in a static_assert.
#pragma once
#include <tessera/mask/mask.hpp>
#include <tessera/mask/table.hpp>
#include <vector>

namespace tessera::inline TESSERA_ISA {

/// So many layers that more would change nothing.
inline constexpr Index any_depth = PTRDIFF_MAX;

/// What information may pass through.
struct FlowOptions {
    Index layers = any_depth;
    Index heads = 0;  // 0: all that the mask tells apart
    Index rows = 0;   // 0: any number
};

namespace flow {

/// A breadth-first search: marks in `seen` all that is reached from what is marked in so many steps. The neighbours of a row
/// lie in the range near_to(row), and are those of which joins(row, neighbour) is true.
template <class NearTo, class Joins>
constexpr void search(masks::Values<char>& seen, Index steps, const NearTo& near_to, const Joins& joins) {
    const masks::Values<Index> queue(seen.size(), [](std::size_t) { return Index{0}; });
    std::size_t end = 0;
    for (std::size_t row = 0; row < seen.size(); ++row)
        if (seen[row] != 0) queue[end++] = static_cast<Index>(row);
    for (std::size_t begin = 0, frontier = end; steps > 0 && begin < end; --steps, frontier = end)
        for (; begin < frontier; ++begin) {
            const Range rows = near_to(queue[begin]);
            for (Index row = rows.begin; row < rows.end; ++row) {
                char& mark = seen[static_cast<std::size_t>(row)];
                if (mark != 0 || !joins(queue[begin], row)) continue;
                mark = 1;
                queue[end++] = row;
            }
        }
}

template <Mask M>
constexpr bool sees(const M& mask, Index heads, Index query, Index key) {
    for (Index head = 0; head < heads; ++head)
        if (mask.allows({head, query, key})) return true;
    return false;
}

constexpr auto marks(Range rows) {
    return [rows](std::size_t row) {
        return char{rows.begin <= static_cast<Index>(row) && static_cast<Index>(row) < rows.end};
    };
}

}  // namespace flow

/// Which of `rows` rows can depend on what rows `from` hold, after some layers of self-attention under `mask`; a row always
/// depends on itself, by the residual connection.
/// shape   → [rows], 1 if it can
/// errors  Errc::option_value if nobody says how many heads the mask tells apart
/// cost    rows² · heads scores at most, however many layers
template <Mask M>
constexpr std::vector<char> reachable(const M& mask, Range from, Index rows, FlowOptions how = {}) {
    const Index heads = masks::all_heads(mask, how.heads);
    masks::Values<char> seen(static_cast<std::size_t>(rows), flow::marks(from));
    flow::search(
        seen, how.layers,
        [rows](Index) {
            return Range{0, rows};
        },
        [&](Index key, Index query) { return flow::sees(mask, heads, query, key); });
    return {seen.begin(), seen.end()};
}

/// Whether anything that rows `from` hold can reach one of rows `to`, directly or through any others:
/// ```cpp
/// static_assert(!reaches(masks::multimodal_causal(32), text_rows, query_rows));
/// static_assert(!reaches(Causal{}, {5, 8}, {0, 5}));
/// ```
/// Rows after both ranges, up to a million, are taken together, by what `key_bounds` tells of them; where that is not enough,
/// say how many rows there are, and each is looked at: {.rows = 64}.
/// errors  Errc::option_value if a range is empty or written backwards, if nobody says how many heads the mask tells apart,
///         and where it has to be said how many rows there are
template <Mask M>
constexpr bool reaches(const M& mask, Range from, Range to, FlowOptions how = {}) {
    constexpr Index last = 1 << 20;
    const Index heads = masks::all_heads(mask, how.heads);
    const Index rows = how.rows > 0 ? how.rows : std::max(from.end, to.end);
    for (const Range range : {from, to})
        if (range.begin < 0 || range.empty() || range.end > rows)
            throw Error(Errc::option_value, "reaches: expected rows from a first to a later one, found [", range.begin,
                        ", ", range.end, ")");
    // Backwards, from `to` to what it sees. The row after all others stands for all later ones.
    for (const Index more : {0, 1}) {
        bool open = false;
        masks::Values<char> seen(static_cast<std::size_t>(rows + more), flow::marks(to));
        const auto near_to = [&](Index query) {
            const Range queries{query, query < rows ? query + 1 : last};
            const Range keys = masks::key_bounds(mask, queries, how.rows > 0 ? rows : last);
            open = open || keys.end > rows;
            return masks::clipped(keys, rows + more);
        };
        flow::search(seen, how.layers, near_to, [&](Index query, Index key) {
            return query == rows || key == rows || flow::sees(mask, heads, query, key);
        });
        const bool found =
            std::any_of(seen.begin() + from.begin, seen.begin() + from.end, [](char c) { return c != 0; });
        if (more == 0 ? found || !open : !found) return found;
    }
    throw Error(Errc::option_value, "reaches: rows after row ", rows,
                " may pass it on: say how many there are, {.rows = N}");
}

}  // namespace tessera::inline TESSERA_ISA
