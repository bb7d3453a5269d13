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

    /// No bound: what `key_bounds` returns when any key may be visible.
    static const Range everywhere;
    /// What `full_keys` returns when no key is known to be visible.
    static const Range nowhere;

    constexpr Index size() const { return end - begin; }
    constexpr bool empty() const { return end <= begin; }
    friend constexpr bool operator==(Range, Range) = default;

    friend constexpr Range intersection(Range a, Range b) {
        const Index first = std::max(a.begin, b.begin);
        return {first, std::max(first, std::min(a.end, b.end))};
    }
    /// The smallest range that holds both.
    friend constexpr Range hull(Range a, Range b) {
        if (a.empty()) return b;
        if (b.empty()) return a;
        return {std::min(a.begin, b.begin), std::max(a.end, b.end)};
    }
};
inline constexpr Range Range::everywhere{0, PTRDIFF_MAX};
inline constexpr Range Range::nowhere{0, 0};

/// A block of scores of one head; never empty.
struct Tile {
    Index head;
    Range queries, keys;
    friend constexpr bool operator==(Tile, Tile) = default;
};

/// How much of a tile is visible. `partial` promises nothing: a mask that cannot tell says `partial`.
enum class Cover : char { empty, partial, full };

/// A mask is a value with `allows(Site) → bool`. To save work it may also have
///     cover(Tile) → Cover                     what is known about a whole tile
///     key_bounds(Range queries) → Range       a range outside of which none of these queries sees a key, in any head
///     full_keys(Range queries) → Range        a range inside of which all of these queries see every key, in every head
///     bits(Index head, Index query, Range keys) → std::uint64_t      which of at most 64 keys this query sees
///     next_sequence(Index query) → Index      the first later query that is better computed apart from this one because
///                                             it looks at other keys, as the first of the next sequence does
/// and, to catch mistakes,
///     fits(Index queries, Index keys) → bool  whether it is meant for so many queries and keys
///     cover_is_exact() → bool                 a promise: `cover` says `partial` of no tile that is empty or full
/// All have to agree with `allows`; `verify` (study/verify.hpp) checks that they do.
template <class M>
concept Mask = std::copyable<M> && requires(const M& mask, Site at) {
    { mask.allows(at) } -> std::same_as<bool>;
};

/// What a mask answers, whether it has the hook or not.
namespace masks {

/// `range` without what of its ends is not `wanted`.
template <class F>
constexpr Range trimmed(Range range, const F& wanted) {
    while (!range.empty() && !wanted(range.begin)) ++range.begin;
    while (!range.empty() && !wanted(range.end - 1)) --range.end;
    return range;
}

/// What is known about the union of two disjoint tiles.
constexpr Cover joined(Cover a, Cover b) { return a == b ? a : Cover::partial; }

/// What `mask` knows about `tile`.
template <Mask M>
constexpr Cover cover(const M& mask, Tile tile) {
    if constexpr (requires {
                      { mask.cover(tile) } -> std::same_as<Cover>;
                  })
        return mask.cover(tile);
    else
        return Cover::partial;
}

/// The part of `range` within [0, keys).
constexpr Range clipped(Range range, Index keys) {
    const Index begin = std::clamp<Index>(range.begin, 0, keys);
    return {begin, std::clamp<Index>(range.end, begin, keys)};
}

/// Keys outside of the returned range are invisible to all of `queries`; it lies within [0, keys).
template <Mask M>
constexpr Range key_bounds(const M& mask, Range queries, Index keys) {
    if constexpr (requires {
                      { mask.key_bounds(queries) } -> std::same_as<Range>;
                  })
        return clipped(mask.key_bounds(queries), keys);
    else
        return {0, keys};
}

/// Keys inside of the returned range are visible to all of `queries` in every head; it lies within [0, keys).
template <Mask M>
constexpr Range full_keys(const M& mask, Range queries, Index keys) {
    if constexpr (requires {
                      { mask.full_keys(queries) } -> std::same_as<Range>;
                  })
        return clipped(mask.full_keys(queries), keys);
    else
        return Range::nowhere;
}

/// The queries from `queries.begin` on that are best computed together.
template <Mask M>
constexpr Range same_sequence(const M& mask, Range queries) {
    if constexpr (requires {
                      { mask.next_sequence(queries.begin) } -> std::same_as<Index>;
                  })
        return {queries.begin, std::clamp(mask.next_sequence(queries.begin), queries.begin + 1, queries.end)};
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
constexpr bool cover_is_exact(const M& mask) {
    if constexpr (requires {
                      { mask.cover_is_exact() } -> std::same_as<bool>;
                  })
        return mask.cover_is_exact();
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
/// `partial`.
/// cost    where one run of keys is visible, two range questions; otherwise `allows` where these leave doubt
template <Mask M>
constexpr std::uint64_t bits(const M& mask, Index head, Index query, Range keys) {
    TESSERA_EXPECTS(keys.size() <= 64);
    if constexpr (requires {
                      { mask.bits(head, query, keys) } -> std::same_as<std::uint64_t>;
                  }) {
        return mask.bits(head, query, keys);
    } else {
        const Range possible = intersection(keys, key_bounds(mask, {query, query + 1}, keys.end));
        const Range certain = intersection(possible, full_keys(mask, {query, query + 1}, keys.end));
        std::uint64_t visible = ones(certain, keys.begin);
        const auto ask = [&](Range doubtful) {
            for (Index key = doubtful.begin; key < doubtful.end; ++key)
                visible |= std::uint64_t{mask.allows({head, query, key})} << (key - keys.begin);
        };
        ask({possible.begin, std::min(certain.begin, possible.end)});
        ask({certain.end, possible.end});
        return visible;
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
            const std::uint64_t seen = masks::bits(mask, tile.head, query, part);
            any |= seen != 0, all &= seen == ones(part, key);
            if (any && !all) return Cover::partial;
        }
    return all ? Cover::full : Cover::empty;
}

}  // namespace masks

}  // namespace tessera::inline TESSERA_ISA
