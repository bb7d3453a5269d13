// Who may see whom: the concept of a mask, and the questions a kernel asks it.
#pragma once
#include <algorithm>
#include <concepts>
#include <cstdint>
#include <tessera/core/view.hpp>

namespace tessera::inline TESSERA_ISA {

/// One score: query row `query` of head `head` against key row `key`.
struct Site {
    Index head, query, key;
};

/// Positions begin, …, end − 1.
struct Range {
    Index begin, end;
    constexpr Index size() const { return end - begin; }
    constexpr bool empty() const { return end <= begin; }
    friend constexpr bool operator==(Range, Range) = default;
};

/// A block of scores of one head; never empty.
struct Tile {
    Index head;
    Range queries, keys;
    friend constexpr bool operator==(Tile, Tile) = default;
};

/// How much of a tile is visible. `some` promises nothing: a mask that cannot tell says `some`.
enum class Cover : char { none, some, all };

/// A mask is a value with `allows(Site) → bool`. It may also say, to save work,
///     cover(Tile) → Cover                what is known about a whole tile
///     keys(Range queries) → Range        a range outside of which none of these queries sees a key, in any head
///     common(Range queries) → Range      a range inside of which all of these queries see every key, in every head
///     bits(Index head, Index query, Range keys) → std::uint64_t      which of at most 64 keys this query sees
///     cut(Index query) → Index           the first later query that had better not be computed together with this one,
///                                        because it looks at other keys, as the first of the next sequence does
/// and, to catch mistakes,
///     fits(Index queries, Index keys) → bool     whether it is meant for so many queries and keys
///     exact() → bool                     a promise: `cover` says `some` of no tile that is none or all
/// All have to agree with `allows`; `verify` (study/verify.hpp) checks that they do.
template <class M>
concept Mask = std::copyable<M> && requires(const M& mask, Site at) {
    { mask.allows(at) } -> std::same_as<bool>;
};

/// No bound: what `keys` returns when any key may be visible.
inline constexpr Range everywhere{0, PTRDIFF_MAX};
/// What `common` returns when no key is known to be visible.
inline constexpr Range nowhere{0, 0};

constexpr Range intersection(Range a, Range b) {
    const Index begin = std::max(a.begin, b.begin);
    return {begin, std::max(begin, std::min(a.end, b.end))};
}

/// The smallest range that holds both.
constexpr Range hull(Range a, Range b) {
    if (a.empty()) return b;
    if (b.empty()) return a;
    return {std::min(a.begin, b.begin), std::max(a.end, b.end)};
}

/// `range` without what of its ends is not `wanted`.
template <class F>
constexpr Range trimmed(Range range, const F& wanted) {
    while (!range.empty() && !wanted(range.begin)) ++range.begin;
    while (!range.empty() && !wanted(range.end - 1)) --range.end;
    return range;
}

/// What is known about the union of two disjoint tiles.
constexpr Cover joined(Cover a, Cover b) { return a == b ? a : Cover::some; }

/// What `mask` knows about `tile`.
template <Mask M>
constexpr Cover cover(const M& mask, Tile tile) {
    if constexpr (requires {
                      { mask.cover(tile) } -> std::same_as<Cover>;
                  })
        return mask.cover(tile);
    else
        return Cover::some;
}

/// The part of `range` within [0, keys).
constexpr Range clipped(Range range, Index keys) {
    const Index begin = std::clamp<Index>(range.begin, 0, keys);
    return {begin, std::clamp<Index>(range.end, begin, keys)};
}

/// Keys outside of the returned range are invisible to all of `queries`; it lies within [0, keys).
template <Mask M>
constexpr Range visible_keys(const M& mask, Range queries, Index keys) {
    if constexpr (requires {
                      { mask.keys(queries) } -> std::same_as<Range>;
                  })
        return clipped(mask.keys(queries), keys);
    else
        return {0, keys};
}

/// Keys inside of the returned range are visible to all of `queries` in every head; it lies within [0, keys).
template <Mask M>
constexpr Range common_keys(const M& mask, Range queries, Index keys) {
    if constexpr (requires {
                      { mask.common(queries) } -> std::same_as<Range>;
                  })
        return clipped(mask.common(queries), keys);
    else
        return nowhere;
}

/// The queries from `queries.begin` on that are best computed together.
template <Mask M>
constexpr Range together(const M& mask, Range queries) {
    if constexpr (requires {
                      { mask.cut(queries.begin) } -> std::same_as<Index>;
                  })
        return {queries.begin, std::clamp(mask.cut(queries.begin), queries.begin + 1, queries.end)};
    else
        return queries;
}

/// Whether `mask` is meant for so many queries and keys; a causal mask without an alignment wants as many of both.
template <Mask M>
constexpr bool fits(const M& mask, Index queries, Index keys) {
    if constexpr (requires {
                      { mask.fits(queries, keys) } -> std::same_as<bool>;
                  })
        return mask.fits(queries, keys);
    else
        return true;
}

/// Whether `mask` promises that it can tell every tile.
template <Mask M>
constexpr bool exact(const M& mask) {
    if constexpr (requires {
                      { mask.exact() } -> std::same_as<bool>;
                  })
        return mask.exact();
    else
        return false;
}

/// As many ones as `range` has positions, from bit `range.begin - base` on; at most 64.
constexpr std::uint64_t ones(Range range, Index base) {
    return range.empty() ? 0 : ~std::uint64_t{0} >> (64 - range.size()) << (range.begin - base);
}

/// The bits of at most 64 keys that come in blocks of `columns`: block x is all ones where visible(x), else zeros.
template <class F>
constexpr std::uint64_t bits_of_blocks(Range keys, Index columns, const F& visible) {
    std::uint64_t bits = 0;
    Index x = keys.begin / columns;
    for (Range block{keys.begin, 0}; block.begin < keys.end; block.begin = block.end, ++x) {
        block.end = std::min((x + 1) * columns, keys.end);
        bits |= ones(block, keys.begin) & -std::uint64_t{visible(x)};  // a branch could not be foreseen
    }
    return bits;
}

/// Which of at most 64 keys one query sees: bit i is key `keys.begin + i`. What a kernel asks about tiles that are
/// `some`.
/// cost    where one run of keys is visible, two range questions; otherwise `allows` where these leave doubt
template <Mask M>
constexpr std::uint64_t visible_bits(const M& mask, Index head, Index query, Range keys) {
    TESSERA_EXPECTS(keys.size() <= 64);
    if constexpr (requires {
                      { mask.bits(head, query, keys) } -> std::same_as<std::uint64_t>;
                  }) {
        return mask.bits(head, query, keys);
    } else {
        const Range possible = intersection(keys, visible_keys(mask, {query, query + 1}, keys.end));
        const Range certain = intersection(possible, common_keys(mask, {query, query + 1}, keys.end));
        std::uint64_t bits = ones(certain, keys.begin);
        const auto ask = [&](Range doubtful) {
            for (Index key = doubtful.begin; key < doubtful.end; ++key)
                bits |= std::uint64_t{mask.allows({head, query, key})} << (key - keys.begin);
        };
        ask({possible.begin, std::min(certain.begin, possible.end)});
        ask({certain.end, possible.end});
        return bits;
    }
}

/// How much of a tile is visible, from the bits of its rows: the last resort, which always tells.
/// cost    a word for each 64 scores of a row, until two differ
template <Mask M>
constexpr Cover cover_by_bits(const M& mask, Tile tile) {
    bool any = false, all = true;
    for (Index query = tile.queries.begin; query < tile.queries.end; ++query)
        for (Index key = tile.keys.begin; key < tile.keys.end; key += 64) {
            const Range part{key, std::min(key + 64, tile.keys.end)};
            const std::uint64_t seen = visible_bits(mask, tile.head, query, part);
            any |= seen != 0, all &= seen == ones(part, key);
            if (any && !all) return Cover::some;
        }
    return all ? Cover::all : Cover::none;
}

}  // namespace tessera::inline TESSERA_ISA
