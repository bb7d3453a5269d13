// Who may see whom: the concept of a mask, and the questions a kernel asks it.
#pragma once
#include <algorithm>
#include <concepts>
#include <cstdint>
#include <tessera/core/view.hpp>
#include <type_traits>

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
        const Index first = a.begin < b.begin ? b.begin : a.begin, last = a.end < b.end ? a.end : b.end;
        return {first, last < first ? first : last};
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
///     heads() → Index                         how many heads it tells apart: 1 if it does not look at the head; all later
///                                             ones see what the last of them sees
/// All have to agree with `allows`; `verify` (study/verify.hpp) checks that they do. Without `cover`, the two ranges tell.
template <class M>
concept Mask = std::copyable<M> && requires(const M& mask, Site at) {
    { mask.allows(at) } -> std::same_as<bool>;
};

/// What a mask answers, whether it has the hook or not.
/// errors  a hook of the right name with a wrong signature does not compile, as it would be passed over in silence
namespace masks {

/// Detail: whether F, the type of &M::hook, is that of a function; a datum may have the name of a hook.
template <class F>
concept Function = std::is_member_function_pointer_v<F> || std::is_function_v<std::remove_pointer_t<F>>;

// has_cover<M>() and so on: whether M has a hook that takes these parameters, and then values of such types.
#define TESSERA_MASK_HOOK(result, hook, parameters, ...)                                                     \
    template <class M>                                                                                       \
    consteval bool has_##hook() {                                                                            \
        constexpr bool has = requires(const M& mask) {                                                       \
            { mask.hook(__VA_ARGS__) } -> std::same_as<result>;                                              \
        };                                                                                                   \
        constexpr bool other = requires {                                                                    \
            { &M::hook } -> Function;                                                                        \
        };                                                                                                   \
        static_assert(has || !other,                                                                         \
                      "the hook " #hook " of this mask has to be: " #result " " #hook #parameters " const"); \
        return has;                                                                                          \
    }
TESSERA_MASK_HOOK(Cover, cover, (Tile tile), Tile{})
TESSERA_MASK_HOOK(Range, key_bounds, (Range queries), Range{})
TESSERA_MASK_HOOK(Range, full_keys, (Range queries), Range{})
TESSERA_MASK_HOOK(std::uint64_t, bits, (Index head, Index query, Range keys), Index{}, Index{}, Range{})
TESSERA_MASK_HOOK(Index, next_sequence, (Index query), Index{})
TESSERA_MASK_HOOK(bool, fits, (Index queries, Index keys), Index{}, Index{})
TESSERA_MASK_HOOK(bool, cover_is_exact, ())
TESSERA_MASK_HOOK(Index, heads, ())
#undef TESSERA_MASK_HOOK

/// `range` without what of its ends is not `wanted`.
template <class F>
constexpr Range trimmed(Range range, const F& wanted) {
    while (!range.empty() && !wanted(range.begin)) ++range.begin;
    while (!range.empty() && !wanted(range.end - 1)) --range.end;
    return range;
}

/// The part of `range` within [0, keys).
constexpr Range clipped(Range range, Index keys) {
    const Index begin = std::clamp<Index>(range.begin, 0, keys);
    return {begin, std::clamp<Index>(range.end, begin, keys)};
}

/// What is known about the union of two disjoint tiles.
constexpr Cover joined(Cover a, Cover b) { return a == b ? a : Cover::partial; }

/// As many ones as `range` has positions, from bit `range.begin - base` on; at most 64.
constexpr std::uint64_t ones(Range range, Index base) {
    return range.empty() ? 0 : ~std::uint64_t{0} >> (64 - range.size()) << (range.begin - base);
}

/// Keys outside of the returned range are invisible to all of `queries`; it lies within [0, keys).
template <Mask M>
constexpr Range key_bounds(const M& mask, Range queries, Index keys) {
    if constexpr (has_key_bounds<M>())
        return clipped(mask.key_bounds(queries), keys);
    else
        return {0, keys};
}

/// Keys inside of the returned range are visible to all of `queries` in every head; it lies within [0, keys).
template <Mask M>
constexpr Range full_keys(const M& mask, Range queries, Index keys) {
    if constexpr (has_full_keys<M>())
        return clipped(mask.full_keys(queries), keys);
    else
        return Range::nowhere;
}

/// The queries from `queries.begin` on that are best computed together.
template <Mask M>
constexpr Range same_sequence(const M& mask, Range queries) {
    if constexpr (has_next_sequence<M>())
        return {queries.begin, std::clamp(mask.next_sequence(queries.begin), queries.begin + 1, queries.end)};
    else
        return queries;
}

/// Whether `mask` is meant for so many queries and keys; a causal mask without an alignment wants as many of both.
template <Mask M>
constexpr bool fits(const M& mask, Index queries, Index keys) {
    if constexpr (has_fits<M>())
        return mask.fits(queries, keys);
    else
        return true;
}

/// Whether `mask` promises that it can tell every tile.
template <Mask M>
constexpr bool cover_is_exact(const M& mask) {
    if constexpr (has_cover_is_exact<M>())
        return mask.cover_is_exact();
    else
        return false;
}

/// How many heads `mask` tells apart; 0 if it does not say, or if there is no end to them.
template <Mask M>
constexpr Index heads(const M& mask) {
    if constexpr (has_heads<M>())
        return mask.heads();
    else
        return 0;
}

/// How many heads of `mask` there are to look at: `said`, or if that is 0 all that it tells apart.
/// errors  Errc::option_value if neither says
template <Mask M>
constexpr Index all_heads(const M& mask, Index said = 0) {
    if (said == 0) said = heads(mask);
    if (said <= 0)
        throw Error(Errc::option_value,
                    "this mask does not say how many heads it tells apart: say for how many it is "
                    "to be looked at, or give it the hook heads()");
    return said;
}

/// Which of at most 64 keys one query sees: bit i is key `keys.begin + i`. What a kernel asks about tiles that are
/// `partial`.
/// cost    where one run of keys is visible, two range questions; otherwise `allows` where these leave doubt
template <Mask M>
constexpr std::uint64_t bits(const M& mask, Index head, Index query, Range keys) {
    TESSERA_EXPECTS(keys.size() <= 64);
    if constexpr (has_bits<M>()) {
        return mask.bits(head, query, keys);
    } else {
        Range possible = keys, certain{keys.begin, keys.begin};
        if constexpr (has_key_bounds<M>()) possible = intersection(keys, mask.key_bounds({query, query + 1}));
        if constexpr (has_full_keys<M>()) certain = intersection(possible, mask.full_keys({query, query + 1}));
        if (certain == possible) return ones(certain, keys.begin);
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

/// What `mask` knows about `tile`.
template <Mask M>
constexpr Cover cover(const M& mask, Tile tile) {
    if constexpr (has_cover<M>()) {
        return mask.cover(tile);
    } else {
        if constexpr (has_key_bounds<M>())
            if (intersection(tile.keys, mask.key_bounds(tile.queries)).empty()) return Cover::empty;
        if constexpr (has_full_keys<M>())
            if (intersection(tile.keys, mask.full_keys(tile.queries)) == tile.keys) return Cover::full;
        return Cover::partial;
    }
}

}  // namespace masks

}  // namespace tessera::inline TESSERA_ISA
