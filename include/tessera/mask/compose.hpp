// The algebra of masks: `a & b`, `a | b`, `~a`, with what is known about tiles composed as well.
#pragma once
#include <tessera/mask/mask.hpp>
#include <utility>

namespace tessera {

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

/// Two masks may both be partial on a tile and yet have nothing, or everything, together: single rows tell, because
/// there most masks are one run of keys. Ends at the first row that shows the tile to be mixed.
template <class M>
constexpr Cover by_rows(const M& mask, Tile tile) {
    const Cover whole = mask.estimate(tile);
    if (whole != Cover::some || tile.queries.size() == 1) return whole;
    Cover rows = Cover::some;
    for (Index query = tile.queries.begin; query < tile.queries.end; ++query) {
        const Cover row = mask.estimate({tile.head, {query, query + 1}, tile.keys});
        if (row == Cover::some || (query > tile.queries.begin && row != rows)) return Cover::some;
        rows = row;
    }
    return rows;
}

}  // namespace compose

/// Visible where both are.
template <Mask A, Mask B>
struct And {
    A a;
    B b;

    constexpr bool allows(Site at) const { return a.allows(at) && b.allows(at); }
    constexpr Cover cover(Tile tile) const { return compose::by_rows(*this, tile); }
    constexpr Cover estimate(Tile tile) const {
        const Range keys = rest(tile.queries, tile.keys, Cover::none);
        if (keys.empty()) return Cover::none;
        const Tile narrow{tile.head, tile.queries, keys};
        const Cover both = std::min(compose::estimate(a, narrow), compose::estimate(b, narrow));
        return both == Cover::all && keys != tile.keys ? Cover::some : both;
    }
    constexpr Range keys(Range queries) const { return rest(queries, everywhere, Cover::none); }
    constexpr Range common(Range queries) const {
        return intersection(common_keys(a, queries, everywhere.end), common_keys(b, queries, everywhere.end));
    }
    constexpr Range rest(Range queries, Range keys, Cover known) const {
        const Range first = compose::rest(a, queries, keys, known);
        if (known == Cover::all) return hull(first, compose::rest(b, queries, keys, known));
        return first.empty() ? first : compose::rest(b, queries, first, known);
    }
    constexpr std::uint64_t bits(Index head, Index query, Range keys) const {
        return visible_bits(a, head, query, keys) & visible_bits(b, head, query, keys);
    }
    constexpr bool fits(Index queries, Index keys) const {
        return tessera::fits(a, queries, keys) && tessera::fits(b, queries, keys);
    }
};

/// Visible where either is.
template <Mask A, Mask B>
struct Or {
    A a;
    B b;

    constexpr bool allows(Site at) const { return a.allows(at) || b.allows(at); }
    constexpr Cover cover(Tile tile) const { return compose::by_rows(*this, tile); }
    constexpr Cover estimate(Tile tile) const {
        const Range keys = rest(tile.queries, tile.keys, Cover::all);
        if (keys.empty()) return Cover::all;
        const Tile narrow{tile.head, tile.queries, keys};
        const Cover either = std::max(compose::estimate(a, narrow), compose::estimate(b, narrow));
        return either == Cover::none && keys != tile.keys ? Cover::some : either;
    }
    constexpr Range keys(Range queries) const { return rest(queries, everywhere, Cover::none); }
    constexpr Range common(Range queries) const {
        const Range first = common_keys(a, queries, everywhere.end), second = common_keys(b, queries, everywhere.end);
        if (!first.empty() && !second.empty() && first.begin <= second.end && second.begin <= first.end)
            return hull(first, second);
        return first.size() < second.size() ? second : first;
    }
    constexpr Range rest(Range queries, Range keys, Cover known) const {
        const Range first = compose::rest(a, queries, keys, known);
        if (known == Cover::none) return hull(first, compose::rest(b, queries, keys, known));
        return first.empty() ? first : compose::rest(b, queries, first, known);
    }
    constexpr std::uint64_t bits(Index head, Index query, Range keys) const {
        return visible_bits(a, head, query, keys) | visible_bits(b, head, query, keys);
    }
    constexpr bool fits(Index queries, Index keys) const {
        return tessera::fits(a, queries, keys) && tessera::fits(b, queries, keys);
    }
};

/// Visible where the other is not.
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

  private:
    static constexpr Cover inverse(Cover c) {
        return c == Cover::some ? c : c == Cover::all ? Cover::none : Cover::all;
    }
};

template <Mask A, Mask B>
constexpr And<A, B> operator&(A a, B b) {
    return {std::move(a), std::move(b)};
}
template <Mask A, Mask B>
constexpr Or<A, B> operator|(A a, B b) {
    return {std::move(a), std::move(b)};
}
template <Mask A>
constexpr Not<A> operator~(A a) {
    return {std::move(a)};
}

}  // namespace tessera
