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

/// The part of `keys` that is left when ends of which it is known that they are all `known` (all or none) are cut off.
template <Mask M>
constexpr Range rest(const M& mask, Range queries, Range keys, Cover known) {
    if constexpr (requires { mask.rest(queries, keys, known); })
        return mask.rest(queries, keys, known);
    else if (known == Cover::none)
        return intersection(keys, visible_keys(mask, queries, keys.end));
    else
        return without(keys, common_keys(mask, queries, keys.end));
}

/// What follows from asking the parts once; `cover` then goes row by row where this leaves doubt.
template <Mask M>
constexpr Cover estimate(const M& mask, Tile tile) {
    if constexpr (requires { mask.estimate(tile); })
        return mask.estimate(tile);
    else
        return cover(mask, tile);
}

/// Two masks may both be partial on a tile and yet have nothing, or everything, together. Single rows tell, because there
/// most masks are one run of keys; where they are not, the bits of the row do, unless a part knows nothing of tiles, so
/// that each bit may be dear. Ends at the first row that shows the tile to be mixed.
template <class M>
constexpr Cover by_rows(const M& mask, Tile tile) {
    const Cover whole = mask.estimate(tile);
    if (whole != Cover::some) return whole;
    Cover rows = Cover::some;
    for (Index query = tile.queries.begin; query < tile.queries.end; ++query) {
        const Tile one{tile.head, {query, query + 1}, tile.keys};
        Cover row = tile.queries.size() == 1 ? whole : mask.estimate(one);
        if (row == Cover::some && exact(mask)) row = cover_by_bits(mask, one);
        if (row == Cover::some || (query > tile.queries.begin && row != rows)) return Cover::some;
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
        return known == Deciding || keys == tile.keys ? known : Cover::some;
    }
    constexpr Range keys(Range queries) const { return rest(queries, everywhere, Cover::none); }
    constexpr Range common(Range queries) const {
        const Range first = common_keys(a, queries, everywhere.end), second = common_keys(b, queries, everywhere.end);
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
        const std::uint64_t first = visible_bits(a, head, query, keys), second = visible_bits(b, head, query, keys);
        return both ? first & second : first | second;
    }
    constexpr bool fits(Index queries, Index keys) const {
        return tessera::fits(a, queries, keys) && tessera::fits(b, queries, keys);
    }
    constexpr bool exact() const { return tessera::exact(a) && tessera::exact(b); }

  private:
    static constexpr bool both = Deciding == Cover::none;
    static constexpr Cover joined_or_decided(Cover first, Cover second) {
        return second == Deciding ? second : joined(first, second);
    }
};

}  // namespace compose

/// Visible where both are.
///     Causal{} & KeysBelow{2}
///     # . . .
///     # # . .
///     # # . .
///     # # . .
template <Mask A, Mask B>
struct And : compose::Pair<A, B, Cover::none> {};

/// Visible where either is.
///     Causal{} | KeysBelow{2}
///     # # . .
///     # # . .
///     # # # .
///     # # # #
template <Mask A, Mask B>
struct Or : compose::Pair<A, B, Cover::all> {};

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
    constexpr Cover cover(Tile tile) const { return inverse(tessera::cover(a, tile)); }
    constexpr Cover estimate(Tile tile) const { return inverse(compose::estimate(a, tile)); }
    constexpr Range keys(Range queries) const { return rest(queries, everywhere, Cover::none); }
    constexpr Range common(Range queries) const {
        const Range hidden = visible_keys(a, queries, everywhere.end);
        if (hidden.empty()) return everywhere;
        return hidden.end < everywhere.end ? Range{hidden.end, everywhere.end} : Range{0, hidden.begin};
    }
    constexpr Range rest(Range queries, Range keys, Cover known) const {
        return compose::rest(a, queries, keys, inverse(known));
    }
    constexpr std::uint64_t bits(Index head, Index query, Range keys) const {
        return visible_bits(a, head, query, keys) ^ ones(keys, keys.begin);
    }
    constexpr bool fits(Index queries, Index keys) const { return tessera::fits(a, queries, keys); }
    constexpr bool exact() const { return tessera::exact(a); }

  private:
    static constexpr Cover inverse(Cover c) {
        return c == Cover::some ? c : c == Cover::all ? Cover::none : Cover::all;
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
