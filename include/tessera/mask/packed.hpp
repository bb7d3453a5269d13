// A ragged batch as a mask: sequences of any length as rows one after another, each seeing only itself.
#pragma once
#include <span>
#include <tessera/mask/catalog/order.hpp>

namespace tessera::inline TESSERA_ISA {

/// Causal with the last query of each sequence at its last key: for new tokens behind caches of different lengths. It
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

/// Sequence s is the query rows offsets[s], …, offsets[s + 1] − 1 and, if not told otherwise, the same key rows; inside
/// it `inner` decides, counting from 0. A sequence may be empty. Packed{{0, 2, 5}, Causal{}} is
///     # . . . .
///     # # . . .
///     . . # . .
///     . . # # .
///     . . # # #
/// shape   offsets [B + 1], from 0 to the number of rows; borrowed, not copied
/// errors  Errc::option_value if offsets decrease, or are not as many for keys as for queries
/// cost    `allows` a binary search; `cover` and `key_bounds` the same and a step for each sequence that the tile touches
template <SequenceMask Inner = Full>
class Packed {
  public:
    constexpr explicit Packed(std::span<const Index> offsets, Inner inner = {})
        : Packed(offsets, offsets, std::move(inner)) {}
    constexpr Packed(std::span<const Index> query_offsets, std::span<const Index> key_offsets, Inner inner = {})
        : queries_(query_offsets), keys_(key_offsets), inner_(std::move(inner)) {
        if (queries_.size() != keys_.size())
            throw Error(Errc::option_value, "Packed: expected as many offsets of keys as of queries, found ",
                        keys_.size(), " and ", queries_.size());
        check(queries_, "queries");
        if (keys_.data() != queries_.data()) check(keys_, "keys");
    }

    constexpr bool allows(Site at) const {
        const std::size_t s = after(at.query);
        if (s == 0 || s == queries_.size()) return false;
        const Range keys = sequence(keys_, s);
        if (at.key < keys.begin || at.key >= keys.end) return false;
        return rule(s).allows({at.head, at.query - queries_[s - 1], at.key - keys.begin});
    }

    constexpr Cover cover(Tile tile) const {
        // Rows before the first sequence and behind the last one see nothing.
        bool started = tile.queries.begin < first(queries_) || tile.queries.end > last(queries_);
        Cover known = Cover::empty;
        for (std::size_t s = std::max<std::size_t>(after(tile.queries.begin), 1);
             s < queries_.size() && queries_[s - 1] < tile.queries.end; ++s) {
            if (rows(s, tile.queries).empty()) continue;
            const Cover part = cover(s, tile);
            known = started ? masks::joined(known, part) : part;
            if (known == Cover::partial) return known;
            started = true;
        }
        return known;
    }

    constexpr Range key_bounds(Range queries) const {
        Range seen = Range::nowhere;
        for (std::size_t s = std::max<std::size_t>(after(queries.begin), 1);
             s < queries_.size() && queries_[s - 1] < queries.end; ++s) {
            const Range local = rows(s, queries), own = sequence(keys_, s);
            if (!local.empty()) seen = hull(seen, moved(masks::key_bounds(rule(s), local, own.size()), own.begin));
        }
        return seen;
    }

    constexpr Range full_keys(Range queries) const {
        const std::size_t s = after(queries.begin);
        if (s == 0 || s == queries_.size() || queries.end > queries_[s]) return Range::nowhere;
        const Range own = sequence(keys_, s);
        return moved(masks::full_keys(rule(s), rows(s, queries), own.size()), own.begin);
    }

    constexpr std::uint64_t bits(Index head, Index query, Range keys) const {
        const std::size_t s = after(query);
        if (s == 0 || s == queries_.size()) return 0;
        const Range own = sequence(keys_, s), part = intersection(keys, own);
        if (part.empty()) return 0;
        const Range local{part.begin - own.begin, part.end - own.begin};
        return masks::bits(rule(s), head, query - queries_[s - 1], local) << (part.begin - keys.begin);
    }

    constexpr Index next_sequence(Index query) const {
        const std::size_t s = after(query);
        return s == queries_.size() ? Range::everywhere.end : queries_[s];
    }

    constexpr bool fits(Index queries, Index keys) const {
        if (first(queries_) != 0 || first(keys_) != 0 || last(queries_) != queries || last(keys_) != keys) return false;
        for (std::size_t s = 1; s < queries_.size(); ++s)
            if (!masks::fits(rule(s), sequence(queries_, s).size(), sequence(keys_, s).size())) return false;
        return true;
    }
    constexpr bool cover_is_exact() const {
        if constexpr (Mask<Inner>)
            return masks::cover_is_exact(inner_);
        else
            return masks::cover_is_exact(inner_.aligned(0, 0));
    }

  private:
    static constexpr void check(std::span<const Index> offsets, const char* what) {
        for (std::size_t s = 1; s < offsets.size(); ++s)
            if (offsets[s] < offsets[s - 1])
                throw Error(Errc::option_value, "Packed: expected offsets of ", what, " that do not decrease, found ",
                            offsets[s - 1], " before ", offsets[s]);
    }
    static constexpr Index first(std::span<const Index> offsets) { return offsets.empty() ? 0 : offsets.front(); }
    static constexpr Index last(std::span<const Index> offsets) { return offsets.empty() ? 0 : offsets.back(); }
    static constexpr Range sequence(std::span<const Index> offsets, std::size_t s) {
        return {offsets[s - 1], offsets[s]};
    }
    static constexpr Range moved(Range range, Index by) {
        return range.empty() ? Range::nowhere : Range{range.begin + by, range.end + by};
    }

    /// The sequence that holds `query` is [offsets[s − 1], offsets[s]); 0 or the number of offsets if there is none.
    constexpr std::size_t after(Index query) const {
        return static_cast<std::size_t>(std::upper_bound(queries_.begin(), queries_.end(), query) - queries_.begin());
    }
    constexpr auto rule(std::size_t s) const {
        if constexpr (Mask<Inner>)
            return inner_;
        else
            return inner_.aligned(sequence(queries_, s).size(), sequence(keys_, s).size());
    }
    /// Those of `queries` that belong to sequence s, counted from its start.
    constexpr Range rows(std::size_t s, Range queries) const {
        const Range part = intersection(queries, sequence(queries_, s));
        return {part.begin - queries_[s - 1], part.end - queries_[s - 1]};
    }
    constexpr Cover cover(std::size_t s, Tile tile) const {
        const Range queries = rows(s, tile.queries), own = sequence(keys_, s), keys = intersection(tile.keys, own);
        if (queries.empty() || keys.empty()) return Cover::empty;
        const Cover inside =
            masks::cover(rule(s), {tile.head, queries, {keys.begin - own.begin, keys.end - own.begin}});
        return keys == tile.keys ? inside : masks::joined(inside, Cover::empty);
    }

    std::span<const Index> queries_, keys_;
    Inner inner_;
};

template <SequenceMask Inner>
Packed(std::span<const Index>, Inner) -> Packed<Inner>;
template <SequenceMask Inner>
Packed(std::span<const Index>, std::span<const Index>, Inner) -> Packed<Inner>;
Packed(std::span<const Index>)->Packed<Full>;

}  // namespace tessera::inline TESSERA_ISA
