// Where information gets to through several layers of attention under a mask: a proof, when asked in a static_assert.
#pragma once
#include <tessera/mask/mask.hpp>
#include <vector>

namespace tessera::inline TESSERA_ISA {

/// So many layers that more would change nothing.
inline constexpr Index any_depth = PTRDIFF_MAX;

/// Which of `rows` rows can depend on what rows `from` hold, after `layers` layers of self-attention under `mask` with
/// `heads` heads; a row always knows itself, by the residual path.
/// shape   → [rows], 1 if it can
/// cost    rows² · heads scores at most, however many layers
template <Mask M>
constexpr std::vector<char> reached(const M& mask, Range from, Index rows, Index layers = any_depth, Index heads = 1) {
    std::vector<char> knows(static_cast<std::size_t>(rows), char{0});
    // Only rows that the layer before has reached can carry news: all others were heard already.
    std::vector<Index> news, next;
    for (Index row = from.begin; row < std::min(from.end, rows); ++row) {
        knows[static_cast<std::size_t>(row)] = 1;
        news.push_back(row);
    }
    const auto hears = [&](Index query) {
        for (const Index key : news)
            for (Index head = 0; head < heads; ++head)
                if (mask.allows({head, query, key})) return true;
        return false;
    };
    for (Index layer = 0; layer < layers && !news.empty(); ++layer) {
        next.clear();
        for (Index query = 0; query < rows; ++query) {
            if (knows[static_cast<std::size_t>(query)] || !hears(query)) continue;
            knows[static_cast<std::size_t>(query)] = 1;
            next.push_back(query);
        }
        news.swap(next);
    }
    return knows;
}

/// Whether anything that rows `from` hold can reach one of rows `to`, directly or through others:
///     static_assert(!reaches(masks::multimodal_causal(32), text, queries));
///     static_assert(!reaches(Causal{}, {5, 8}, {0, 5}));
/// Rows up to the end of both ranges take part; where others follow that could pass it on, widen a range or ask `reached`.
template <Mask M>
constexpr bool reaches(const M& mask, Range from, Range to, Index layers = any_depth, Index heads = 1) {
    const std::vector<char> knows = reached(mask, from, std::max(from.end, to.end), layers, heads);
    for (Index row = to.begin; row < to.end; ++row)
        if (knows[static_cast<std::size_t>(row)]) return true;
    return false;
}

}  // namespace tessera::inline TESSERA_ISA
