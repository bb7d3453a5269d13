// What a mask shows and what it should cost, in figures and in a sentence.
#pragma once
#include <array>
#include <cstdio>
#include <string>
#include <tessera/study/density.hpp>

namespace tessera::inline TESSERA_ISA {

/// What of a mask is looked at, and how finely.
struct Drawing {
    Index head = 0, heads = 1;                // heads head, …, head + heads − 1
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

template <Mask M>
Summary summary(const M& mask, Index queries, Index keys, const Drawing& how = {}) {
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

}  // namespace tessera::inline TESSERA_ISA
