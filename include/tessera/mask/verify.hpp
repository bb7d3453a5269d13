// Does a mask keep its word? Compares what it says about tiles and ranges with what it says about single scores.
#pragma once
#include <string>
#include <tessera/mask/mask.hpp>
#include <vector>

namespace tessera {

/// What `verify` found; true if nothing is wrong.
struct Verdict {
    const char* wrong = nullptr;  // which answer disagrees with `allows`: "cover", "keys", "common"
    Tile tile{};                  // where: for `keys` and `common`, the queries that were asked and the range returned
    Cover said = Cover::some;     // what `cover` said
    Index tiles = 0;              // how many tiles were asked
    Index loose = 0;              // of how many `cover` said `some`, although they are none or all

    constexpr explicit operator bool() const { return wrong == nullptr; }

    /// One sentence.
    std::string text() const {
        const auto range = [](Range r) { return '[' + std::to_string(r.begin) + ", " + std::to_string(r.end) + ')'; };
        const std::string counted = std::to_string(tiles) + " tiles";
        if (!wrong) return counted + " agree with allows, " + std::to_string(loose) + " of them loosely";
        const std::string queries = "head " + std::to_string(tile.head) + ", queries " + range(tile.queries);
        if (std::string_view(wrong) != "cover")
            return std::string(wrong) + " disagrees with allows: " + queries + " → " + range(tile.keys);
        return "cover disagrees with allows: " + queries + " × keys " + range(tile.keys) + " is not " +
               (said == Cover::all ? "all" : "none");
    }
};

/// Asks `mask` about every tile whose edges are multiples of `step` (or the ends), and about every range of queries,
/// and compares the answers with `allows`. Run it on a mask of your own: static_assert(verify(Mine{}, 9, 9)). cost
/// heads · (queries · keys / step²)² / 4 tiles
template <Mask M>
constexpr Verdict verify(const M& mask, Index queries, Index keys, Index heads = 1, Index step = 1) {
    Verdict verdict;
    const auto next = [step](Index at, Index end) { return std::min((at / step + 1) * step, end); };
    // seen[q, k]: how many of the scores above and left of (q, k) are visible
    std::vector<Index> seen(static_cast<std::size_t>((queries + 1) * (keys + 1)), Index{0});
    const auto above = [&](Index q, Index k) -> Index& { return seen[static_cast<std::size_t>(q * (keys + 1) + k)]; };
    const auto count = [&](Range q, Range k) {
        return above(q.end, k.end) - above(q.begin, k.end) - above(q.end, k.begin) + above(q.begin, k.begin);
    };
    for (Index head = 0; head < heads; ++head) {
        for (Index q = 0; q < queries; ++q) {
            Index row = 0;
            for (Index k = 0; k < keys; ++k) {
                row += mask.allows({head, q, k});
                above(q + 1, k + 1) = above(q, k + 1) + row;
            }
        }
        for (Range q{0, 0}; q.begin < queries; q.begin = next(q.begin, queries)) {
            for (q.end = next(q.begin, queries);; q.end = next(q.end, queries)) {
                const Range outer = visible_keys(mask, q, keys), inner = common_keys(mask, q, keys);
                if (count(q, outer) != count(q, {0, keys})) verdict.wrong = "keys", verdict.tile = {head, q, outer};
                if (count(q, inner) != q.size() * inner.size())
                    verdict.wrong = "common", verdict.tile = {head, q, inner};
                if (!verdict) return verdict;
                for (Range k{0, 0}; k.begin < keys; k.begin = next(k.begin, keys)) {
                    for (k.end = next(k.begin, keys);; k.end = next(k.end, keys)) {
                        const Tile tile{head, q, k};
                        const Index visible = count(q, k), all = q.size() * k.size();
                        const Cover truth = visible == 0 ? Cover::none : visible == all ? Cover::all : Cover::some;
                        const Cover said = cover(mask, tile);
                        ++verdict.tiles;
                        if (said == Cover::some && truth != said) ++verdict.loose;
                        if (said != Cover::some && truth != said) {
                            verdict.wrong = "cover", verdict.tile = tile, verdict.said = said;
                            return verdict;
                        }
                        if (k.end == keys) break;
                    }
                }
                if (q.end == queries) break;
            }
        }
    }
    return verdict;
}

}  // namespace tessera
