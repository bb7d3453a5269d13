// A ragged batch as a mask: sequences of any length as rows one after another, each seeing only itself.
#pragma once
#include <tessera/mask/catalog/causal.hpp>
#include <tessera/mask/catalog/full.hpp>
#include <tessera/mask/table.hpp>

namespace tessera::inline TESSERA_ISA {

/// Causal with the last query of each sequence at its last key: for new tokens after caches of different lengths. It
/// is no mask by itself, because where the diagonal lies depends on the sequence; `Packed` knows.
///     Packed{queries, keys, CausalBottomRight{}} with queries {0, 1, 3}, keys {0, 3, 6}
///     # # # . . .
///     . . . # # .
///     . . . # # #
struct CausalBottomRight {
    constexpr Causal aligned(Index queries, Index keys) const { return Causal::bottom_right(queries, keys); }
};

/// A rule inside a sequence: a mask, or something that becomes one when the sequence's lengths are known.
template <class M>
concept SequenceMask = Mask<M> ||(std::copyable<M>&& requires(const M& rule, Index length) {
    { rule.aligned(length, length) } -> Mask;
});

/// Sequence s is the query rows offsets[s], …, offsets[s + 1] − 1 and, unless they have offsets of their own, the same key
/// rows; inside it `inner` decides, counting from 0. A sequence may be empty. Packed{{0, 2, 5}, Causal{}} is
///     # . . . .
///     # # . . .
///     . . # . .
///     . . # # .
///     . . # # #
/// shape   offsets [B + 1], from 0 to the number of rows (cu_seqlens)
/// errors  Errc::option_value if offsets decrease, or are not as many for keys as for queries
/// cost    `allows` a binary search; `cover` and `key_bounds` the same and a step for each sequence that the tile touches
template <SequenceMask Inner = Full>
class Packed {
  public:
    constexpr explicit Packed(Table<Index> offsets, Inner inner = {}) : Packed(offsets, offsets, std::move(inner)) {}
    constexpr Packed(Table<Index> query_offsets, Table<Index> key_offsets, Inner inner = {})
        : queries_(std::move(query_offsets)), keys_(std::move(key_offsets)), inner_(std::move(inner)) {
        if (queries_.size() != keys_.size())
            throw Error(Errc::option_value, "Packed: expected as many offsets of keys as of queries, found ",
                        keys_.size(), " and ", queries_.size());
        for (const Table<Index>* offsets : {&queries_, &keys_})
            for (Index s = 1; s < offsets->size(); ++s)
                if ((*offsets)[s] < (*offsets)[s - 1])
                    throw Error(Errc::option_value, "Packed: expected offsets that do not decrease, found ",
                                (*offsets)[s - 1], " before ", (*offsets)[s]);
    }

    constexpr bool allows(Site at) const {
        const Index s = find(at.query);
        if (!holds(s)) return false;
        const Range keys = of(keys_, s);
        return keys.begin <= at.key && at.key < keys.end &&
               rule(s).allows({at.head, at.query - queries_[s], at.key - keys.begin});
    }
    constexpr Cover cover(Tile tile) const {
        Index rows = 0;
        Cover known = Cover::empty;
        each(tile.queries, [&](Index s, Range local) {
            const Range own = of(keys_, s), keys = intersection(tile.keys, own);
            Cover part =
                keys.empty() ? Cover::empty : masks::cover(rule(s), {tile.head, local, moved(keys, -own.begin)});
            if (keys != tile.keys) part = masks::joined(part, Cover::empty);
            known = rows == 0 ? part : masks::joined(known, part);
            rows += local.size();
            return known != Cover::partial;
        });
        // Rows before the first sequence and after the last one see nothing.
        return rows < tile.queries.size() ? masks::joined(known, Cover::empty) : known;
    }
    constexpr Range key_bounds(Range queries) const {
        Range seen = Range::nowhere;
        each(queries, [&](Index s, Range local) {
            const Range own = of(keys_, s);
            seen = hull(seen, moved(masks::key_bounds(rule(s), local, own.size()), own.begin));
            return true;
        });
        return seen;
    }
    constexpr Range full_keys(Range queries) const {
        const Index s = find(queries.begin);
        if (!holds(s) || queries.end > queries_[s + 1]) return Range::nowhere;
        const Range own = of(keys_, s);
        return moved(masks::full_keys(rule(s), moved(queries, -queries_[s]), own.size()), own.begin);
    }
    constexpr std::uint64_t bits(Index head, Index query, Range keys) const {
        const Index s = find(query);
        if (!holds(s)) return 0;
        const Range own = of(keys_, s), part = intersection(keys, own);
        if (part.empty()) return 0;
        return masks::bits(rule(s), head, query - queries_[s], moved(part, -own.begin)) << (part.begin - keys.begin);
    }
    constexpr Index next_sequence(Index query) const {
        const Index s = find(query);
        return s + 1 < queries_.size() ? queries_[s + 1] : Range::everywhere.end;
    }
    constexpr bool fits(Index queries, Index keys) const {
        if (queries_.size() == 0) return queries == 0 && keys == 0;
        if (queries_.front() != 0 || keys_.front() != 0 || queries_.back() != queries || keys_.back() != keys)
            return false;
        for (Index s = 0; holds(s); ++s)
            if (!masks::fits(rule(s), of(queries_, s).size(), of(keys_, s).size())) return false;
        return true;
    }
    constexpr bool cover_is_exact() const { return masks::cover_is_exact(aligned(0, 0)); }
    constexpr Index heads() const { return masks::heads(aligned(0, 0)); }

  private:
    static constexpr Range of(const Table<Index>& offsets, Index s) { return {offsets[s], offsets[s + 1]}; }
    static constexpr Range moved(Range range, Index by) {
        return range.empty() ? Range::nowhere : Range{range.begin + by, range.end + by};
    }

    /// The sequence that holds `query`; before the first it is −1, after the last one the number of sequences.
    constexpr Index find(Index query) const {
        return std::upper_bound(queries_.begin(), queries_.end(), query) - queries_.begin() - 1;
    }
    constexpr bool holds(Index s) const { return s >= 0 && s + 1 < queries_.size(); }
    /// Calls f(s, rows) for each sequence that has some of `queries`, counted from its start, until f returns false.
    template <class F>
    constexpr void each(Range queries, const F& f) const {
        for (Index s = std::max(find(queries.begin), Index{0}); holds(s) && queries_[s] < queries.end; ++s) {
            const Range rows = moved(intersection(queries, of(queries_, s)), -queries_[s]);
            if (!rows.empty() && !f(s, rows)) return;
        }
    }
    constexpr decltype(auto) aligned(Index queries, Index keys) const {
        if constexpr (Mask<Inner>)
            return static_cast<const Inner&>(inner_);
        else
            return inner_.aligned(queries, keys);
    }
    constexpr decltype(auto) rule(Index s) const { return aligned(of(queries_, s).size(), of(keys_, s).size()); }

    Table<Index> queries_, keys_;
    Inner inner_;
};

template <SequenceMask Inner>
Packed(Table<Index>, Inner) -> Packed<Inner>;
template <SequenceMask Inner>
Packed(Table<Index>, Table<Index>, Inner) -> Packed<Inner>;
Packed(Table<Index>)->Packed<Full>;

}  // namespace tessera::inline TESSERA_ISA
