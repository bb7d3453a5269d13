// Masks to look at, as text, and what they show and should cost, in figures and in a sentence.
#pragma once
#include <array>
#include <cstdio>
#include <string>
#include <tessera/study/density.hpp>

namespace tessera::inline TESSERA_ISA {

/// What of a mask is looked at, and how finely.
struct Drawing {
    Index head = 0, heads = 0;                // heads head, …, head + heads − 1; 0: all that the mask tells apart
    Index side = 64;                          // at most so many cells in each direction, each a square of scores
    Index tile_queries = 32, tile_keys = 32;  // the tiles of the kernel, by which cost is told
};

/// Figures about all heads of a drawing together.
struct Summary {
    Index queries = 0, keys = 0, heads = 0;
    Index tile_queries = 0, tile_keys = 0;
    Index skipped = 0, masked = 0, whole = 0;  // tiles of which nothing, some, everything is visible
    double visible = 0;                        // the part of all scores that is visible
    double live = 0;                           // the part of all scores that lies in tiles that are not skipped

    Index tiles() const { return skipped + masked + whole; }
    /// How much faster than without a mask it can be, if time goes with the live tiles; ∞ if nothing is visible.
    double speed_up() const { return 1.0 / live; }
};

/// How many heads of `mask` are drawn. What PerHead leaves to heads after its last one is nothing, and not drawn.
template <Mask M>
Index drawn_heads(const M& mask, Index queries, Index keys, const Drawing& how) {
    if (how.heads > 0) return how.heads;
    const Index heads = masks::heads(mask) - how.head;
    return heads > 1 && Density(mask, queries, keys, how.head + heads - 1).visible() == 0 ? heads - 1
                                                                                          : std::max(heads, Index{1});
}

template <Mask M>
Summary summary(const M& mask, Index queries, Index keys, Drawing how = {}) {
    how.heads = drawn_heads(mask, queries, keys, how);
    Summary sum{queries, keys, how.heads, how.tile_queries, how.tile_keys};
    for (Index head = how.head; head < how.head + how.heads; ++head) {
        const Density tiles(mask, queries, keys, head, how.tile_queries, how.tile_keys);
        sum.skipped += tiles.count(Cover::empty);
        sum.masked += tiles.count(Cover::partial);
        sum.whole += tiles.count(Cover::full);
        sum.visible += tiles.share() / static_cast<double>(how.heads);
        sum.live += tiles.live_share() / static_cast<double>(how.heads);
    }
    return sum;
}

namespace drawing {

inline std::string rounded(double x, const char* format = "%.1f") {
    std::array<char, 32> text;
    std::snprintf(text.data(), text.size(), format, x);
    return text.data();
}
/// How many scores the side of a cell is.
inline Index scores_of_cell(Index queries, Index keys, Index side) {
    return (std::max({queries, keys, Index{1}}) + side - 1) / side;
}
/// "3 heads", "1 head".
inline std::string counted(Index count, const std::string& what) {
    return std::to_string(count) + ' ' + what + (count == 1 ? "" : "s");
}

}  // namespace drawing

/// One sentence.
inline std::string sentence(const Summary& sum) {
    using drawing::counted;
    std::string text = (sum.heads > 1 ? counted(sum.heads, "head") + " of " : "") + std::to_string(sum.queries) +
                       " queries × " + std::to_string(sum.keys) + " keys, " + drawing::rounded(100 * sum.visible) +
                       " % visible; of " + counted(sum.tiles(), "tile") + " of " + std::to_string(sum.tile_queries) +
                       " × " + std::to_string(sum.tile_keys) + ", " + std::to_string(sum.skipped) + " skipped, " +
                       std::to_string(sum.masked) + " masked, " + std::to_string(sum.whole) + " whole";
    if (sum.live > 0) text += ": up to " + drawing::rounded(sum.speed_up(), "%.2f") + "× as fast as without it";
    return text;
}

/// What the mask shows and what it should cost, in one sentence.
template <Mask M>
std::string describe(const M& mask, Index queries, Index keys, const Drawing& how = {}) {
    return sentence(summary(mask, queries, keys, how));
}

/// The mask as text, a line for each row of cells: `#` everything visible, `.` nothing, between them `-`, `+` and `*` for up to
/// a third, up to two thirds, and more. Where a cell is a score, there are only `#` and `.`. Several heads follow one another,
/// each after a line with its number.
template <Mask M>
std::string draw(const M& mask, Index queries, Index keys, const Drawing& how = {}) {
    const Index scores = drawing::scores_of_cell(queries, keys, how.side);
    const Index heads = drawn_heads(mask, queries, keys, how);
    std::string text;
    for (Index head = how.head; head < how.head + heads; ++head) {
        if (heads > 1) text += (text.empty() ? "head " : "\nhead ") + std::to_string(head) + '\n';
        const Density cells(mask, queries, keys, head, scores, scores);
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
    }
    return text;
}

}  // namespace tessera::inline TESSERA_ISA
