// The algebra of masks: `a & b`, `a | b`, `~a`, with what is known about tiles composed as well.
#pragma once
#include <tessera/mask/mask.hpp>
#include <utility>

namespace tessera::inline TESSERA_ISA {

namespace masks {

/// Two masks may both be partial on a tile and yet have nothing, or everything, together. The bits of the rows tell; where a
/// part knows nothing of tiles, so that bits are expensive, single rows may. Ends at the first row that shows the tile to be
/// mixed.
template <class M>
constexpr Cover cover_by_rows(const M& mask, Tile tile) {
    const Cover whole = mask.estimate(tile);
    if (whole != Cover::partial) return whole;
    if (mask.cover_is_exact()) return cover_by_bits(mask, tile);
    Cover rows = Cover::partial;
    for (Index query = tile.queries.begin; query < tile.queries.end; ++query) {
        const Cover row = mask.estimate({tile.head, {query, query + 1}, tile.keys});
        if (row == Cover::partial || (query > tile.queries.begin && row != rows)) return Cover::partial;
        rows = row;
    }
    return rows;
}

/// What `And` and `Or` share: where one of two masks is known to be `Deciding` (empty, or full), the other need not be asked.
template <Mask A, Mask B, Cover Deciding>
struct Pair {
    A a;
    B b;

    constexpr bool allows(Site at) const { return both ? a.allows(at) && b.allows(at) : a.allows(at) || b.allows(at); }
    constexpr Cover cover(Tile tile) const { return cover_by_rows(*this, tile); }
    /// What follows from asking the parts once.
    constexpr Cover estimate(Tile tile) const {
        const Cover first = masks::cover(a, tile);
        if (first == Deciding) return first;
        const Cover second = masks::cover(b, tile);
        return second == Deciding ? second : joined(first, second);
    }
    constexpr Range key_bounds(Range queries) const {
        const Range first = masks::key_bounds(a, queries, Range::everywhere.end);
        const Range second = masks::key_bounds(b, queries, Range::everywhere.end);
        return both ? intersection(first, second) : hull(first, second);
    }
    constexpr Range full_keys(Range queries) const {
        const Range first = masks::full_keys(a, queries, Range::everywhere.end);
        const Range second = masks::full_keys(b, queries, Range::everywhere.end);
        if (both) return intersection(first, second);
        const bool touch = first.begin <= second.end && second.begin <= first.end;
        if (touch && !first.empty() && !second.empty()) return hull(first, second);
        return first.size() < second.size() ? second : first;
    }
    constexpr std::uint64_t bits(Index head, Index query, Range keys) const {
        const std::uint64_t first = masks::bits(a, head, query, keys);
        if (first == (both ? 0 : ones(keys, keys.begin))) return first;
        const std::uint64_t second = masks::bits(b, head, query, keys);
        return both ? first & second : first | second;
    }
    constexpr bool fits(Index queries, Index keys) const {
        return masks::fits(a, queries, keys) && masks::fits(b, queries, keys);
    }
    constexpr bool cover_is_exact() const { return masks::cover_is_exact(a) && masks::cover_is_exact(b); }
    constexpr Index heads() const {
        const Index first = masks::heads(a), second = masks::heads(b);
        return first == 0 || second == 0 ? 0 : std::max(first, second);
    }

  private:
    static constexpr bool both = Deciding == Cover::empty;
};

}  // namespace masks

/// Visible where both are.
///     Causal{} & FirstKeys{2}
///     # . . .
///     # # . .
///     # # . .
///     # # . .
template <Mask A, Mask B>
struct And : masks::Pair<A, B, Cover::empty> {};

/// Visible where either is.
///     Causal{} | FirstKeys{2}
///     # # . .
///     # # . .
///     # # # .
///     # # # #
template <Mask A, Mask B>
struct Or : masks::Pair<A, B, Cover::full> {};

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
    constexpr Cover cover(Tile tile) const {
        const Cover other = masks::cover(a, tile);
        return other == Cover::partial ? other : other == Cover::full ? Cover::empty : Cover::full;
    }
    constexpr Range key_bounds(Range queries) const {
        const Range hidden = masks::full_keys(a, queries, Range::everywhere.end);
        if (hidden.empty()) return Range::everywhere;
        return hidden.begin == 0                     ? Range{hidden.end, Range::everywhere.end}
               : hidden.end == Range::everywhere.end ? Range{0, hidden.begin}
                                                     : Range::everywhere;
    }
    constexpr Range full_keys(Range queries) const {
        const Range hidden = masks::key_bounds(a, queries, Range::everywhere.end);
        if (hidden.empty()) return Range::everywhere;
        return hidden.end < Range::everywhere.end ? Range{hidden.end, Range::everywhere.end} : Range{0, hidden.begin};
    }
    constexpr std::uint64_t bits(Index head, Index query, Range keys) const {
        return masks::bits(a, head, query, keys) ^ masks::ones(keys, keys.begin);
    }
    constexpr bool fits(Index queries, Index keys) const { return masks::fits(a, queries, keys); }
    constexpr bool cover_is_exact() const { return masks::cover_is_exact(a); }
    constexpr Index heads() const { return masks::heads(a); }
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
