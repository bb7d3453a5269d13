// Masks to look at, as text.
#pragma once
#include <tessera/study/summary.hpp>

namespace tessera::inline TESSERA_ISA {

namespace drawing {

/// How many scores the side of a cell is.
inline Index scores_of_cell(Index queries, Index keys, Index side) {
    return (std::max({queries, keys, Index{1}}) + side - 1) / side;
}

}  // namespace drawing

/// The head's mask as text, a line for each row of cells: `#` everything visible, `.` nothing, between them `-`, `+` and
/// `*` for up to a third, up to two thirds, and more. Where a cell is a score, there are only `#` and `.`.
template <Mask M>
std::string draw(const M& mask, Index queries, Index keys, const Drawing& how = {}) {
    const Index scores = drawing::scores_of_cell(queries, keys, how.side);
    const Density cells(mask, queries, keys, how.head, scores, scores);
    std::string text;
    for (Index y = 0; y < cells.height(); ++y) {
        for (Index x = 0; x < cells.width(); ++x) {
            const Cover cover = cells.cover(y, x);
            const double share = cells.share(y, x);
            text += cover == Cover::full    ? '#'
                    : cover == Cover::empty ? '.'
                    : share * 3 <= 1        ? '-'
                    : share * 3 <= 2        ? '+'
                                            : '*';
        }
        text += '\n';
    }
    return text;
}

}  // namespace tessera::inline TESSERA_ISA
