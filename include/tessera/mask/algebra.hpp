// The algebra of masks: `a & b`, `a | b`, `~a`, with what is known about tiles composed as well.
#pragma once
#include <tessera/mask/mask.hpp>
#include <utility>

namespace tessera::inline TESSERA_ISA {

namespace compose {

/// `from` without `part`, where that leaves one range; all of `from` where it would leave two.
constexpr Range without(Range from, Range part) {
    part = intersection(from, part);
    if (part.empty()) return from;
    if (part.begin == from.begin) return {part.end, from.end};
    if (part.end == from.end) return {from.begin, part.begin};
    return from;
}

/// The part of `keys` that is left when ends of which it is known that they are all `known` (full or empty) are cut off.
template <Mask M>
constexpr Range rest(const M& mask, Range queries, Range keys, Cover known) {
    if constexpr (requires { mask.rest(queries, keys, known); })
        return mask.rest(queries, keys, known);
    else if (known == Cover::empty)
        return intersection(keys, masks::key_bounds(mask, queries, keys.end));
    else
        return without(keys, masks::full_keys(mask, queries, keys.end));
}

/// What follows from asking the parts once; `cover` then goes row by row where this leaves doubt.
template <Mask M>
constexpr Cover estimate(const M& mask, Tile tile) {
    if constexpr (requires { mask.estimate(tile); })
        return mask.estimate(tile);
    else
        return masks::cover(mask, tile);
}

/// Two masks may both be partial on a tile and yet have nothing, or everything, together. Single rows tell, because there
/// most masks are one run of keys; where they are not, the bits of the row do, unless a part knows nothing of tiles, so
/// that each bit may be dear. Ends at the first row that shows the tile to be mixed.
template <class M>
constexpr Cover by_rows(const M& mask, Tile tile) {
    const Cover whole = mask.estimate(tile);
    if (whole != Cover::partial) return whole;
    Cover rows = Cover::partial;
    for (Index query = tile.queries.begin; query < tile.queries.end; ++query) {
        const Tile one{tile.head, {query, query + 1}, tile.keys};
        Cover row = tile.queries.size() == 1 ? whole : mask.estimate(one);
        if (row == Cover::partial && masks::cover_is_exact(mask)) row = masks::cover_by_bits(mask, one);
        if (row == Cover::partial || (query > tile.queries.begin && row != rows)) return Cover::partial;
        rows = row;
    }
    return rows;
}

/// What `And` and `Or` share: where one of two masks is known to be `Deciding` (nothing visible, or everything), the
/// other need not be asked.
template <Mask A, Mask B, Cover Deciding>
struct Pair {
    A a;
    B b;

    constexpr bool allows(Site at) const { return both ? a.allows(at) && b.allows(at) : a.allows(at) || b.allows(at); }
    constexpr Cover cover(Tile tile) const { return by_rows(*this, tile); }
    constexpr Cover estimate(Tile tile) const {
        const Range keys = rest(tile.queries, tile.keys, Deciding);
        if (keys.empty()) return Deciding;
        const Tile narrow{tile.head, tile.queries, keys};
        const Cover first = compose::estimate(a, narrow);
        const Cover known = first == Deciding ? first : joined_or_decided(first, compose::estimate(b, narrow));
        return known == Deciding || keys == tile.keys ? known : Cover::partial;
    }
    constexpr Range key_bounds(Range queries) const { return rest(queries, Range::everywhere, Cover::empty); }
    constexpr Range full_keys(Range queries) const {
        const Range first = masks::full_keys(a, queries, Range::everywhere.end),
                    second = masks::full_keys(b, queries, Range::everywhere.end);
        if (both) return intersection(first, second);
        const bool touch = first.begin <= second.end && second.begin <= first.end;
        if (touch && !first.empty() && !second.empty()) return hull(first, second);
        return first.size() < second.size() ? second : first;
    }
    constexpr Range rest(Range queries, Range keys, Cover known) const {
        const Range first = compose::rest(a, queries, keys, known);
        if (known != Deciding) return hull(first, compose::rest(b, queries, keys, known));
        return first.empty() ? first : compose::rest(b, queries, first, known);
    }
    constexpr std::uint64_t bits(Index head, Index query, Range keys) const {
        const std::uint64_t first = masks::bits(a, head, query, keys), second = masks::bits(b, head, query, keys);
        return both ? first & second : first | second;
    }
    constexpr bool fits(Index queries, Index keys) const {
        return masks::fits(a, queries, keys) && masks::fits(b, queries, keys);
    }
    constexpr bool cover_is_exact() const { return masks::cover_is_exact(a) && masks::cover_is_exact(b); }

  private:
    static constexpr bool both = Deciding == Cover::empty;
    static constexpr Cover joined_or_decided(Cover first, Cover second) {
        return second == Deciding ? second : masks::joined(first, second);
    }
};

}  // namespace compose

/// Visible where both are.
///     Causal{} & FirstKeys{2}
///     # . . .
///     # # . .
///     # # . .
///     # # . .
template <Mask A, Mask B>
struct And : compose::Pair<A, B, Cover::empty> {};

/// Visible where either is.
///     Causal{} | FirstKeys{2}
///     # # . .
///     # # . .
///     # # # .
///     # # # #
template <Mask A, Mask B>
struct Or : compose::Pair<A, B, Cover::full> {};

/// Visible where the other is not.
///     ~Causal{}
///     . # # #
///     . . # #
///     . . . #
///     . . . .
template <Mask A>
struct Not {
    A a;

    constexpr bool allows(Site at) const { return !a.allows(at); }
    constexpr Cover cover(Tile tile) const { return inverse(masks::cover(a, tile)); }
    constexpr Cover estimate(Tile tile) const { return inverse(compose::estimate(a, tile)); }
    constexpr Range key_bounds(Range queries) const { return rest(queries, Range::everywhere, Cover::empty); }
    constexpr Range full_keys(Range queries) const {
        const Range hidden = masks::key_bounds(a, queries, Range::everywhere.end);
        if (hidden.empty()) return Range::everywhere;
        return hidden.end < Range::everywhere.end ? Range{hidden.end, Range::everywhere.end} : Range{0, hidden.begin};
    }
    constexpr Range rest(Range queries, Range keys, Cover known) const {
        return compose::rest(a, queries, keys, inverse(known));
    }
    constexpr std::uint64_t bits(Index head, Index query, Range keys) const {
        return masks::bits(a, head, query, keys) ^ masks::ones(keys, keys.begin);
    }
    constexpr bool fits(Index queries, Index keys) const { return masks::fits(a, queries, keys); }
    constexpr bool cover_is_exact() const { return masks::cover_is_exact(a); }

  private:
    static constexpr Cover inverse(Cover c) {
        return c == Cover::partial ? c : c == Cover::full ? Cover::empty : Cover::full;
    }
};

template <Mask A, Mask B>
constexpr And<A, B> operator&(A a, B b) {
    return {{std::move(a), std::move(b)}};
}
template <Mask A, Mask B>
constexpr Or<A, B> operator|(A a, B b) {
    return {{std::move(a), std::move(b)}};
}
template <Mask A>
constexpr Not<A> operator~(A a) {
    return {std::move(a)};
}

}  // namespace tessera::inline TESSERA_ISA
