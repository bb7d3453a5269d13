// Several sequences in one set of rows, told apart by an id per row or by a length per sequence.
#pragma once
#include <span>
#include <tessera/mask/mask.hpp>

namespace tessera::inline TESSERA_ISA {

/// Rows see rows of the same document, which is named by an id per row; ids must not decrease. Where the starts are at
/// hand, `Packed` does the same, and takes a rule for the inside.
///     Documents{ids} with ids 4 4 7 7 7
///     # # . . .
///     # # . . .
///     . . # # #
///     . . # # #
///     . . # # #
/// shape   ids [rows]; borrowed, not copied
/// errors  Errc::option_value if ids decrease
/// cost    a binary search: of the tile for `cover` and `bits`, of all rows for `key_bounds` and `full_keys`
class Documents {
  public:
    constexpr explicit Documents(std::span<const Index> ids) : Documents(ids, ids) {}
    constexpr Documents(std::span<const Index> query_ids, std::span<const Index> key_ids)
        : queries_(query_ids), keys_(key_ids) {
        check(queries_);
        if (keys_.data() != queries_.data()) check(keys_);
    }

    constexpr bool allows(Site at) const {
        return at.query < length(queries_) && at.key < length(keys_) && id(queries_, at.query) == id(keys_, at.key);
    }
    constexpr Cover cover(Tile tile) const {
        const Range queries = masks::clipped(tile.queries, length(queries_));
        Range keys = masks::clipped(tile.keys, length(keys_));
        const bool whole = queries == tile.queries && keys == tile.keys;
        // From one document of the keys to the next that the queries may have.
        for (Index query = queries.begin; query < queries.end && !keys.empty();) {
            keys.begin = first_from(keys_, id(queries_, query), keys);
            if (keys.empty()) break;
            const Index found = id(keys_, keys.begin);
            query = first_from(queries_, found, {query, queries.end});
            if (query == queries.end || id(queries_, query) != found) continue;
            const bool all = whole && query == queries.begin && keys.begin == tile.keys.begin &&
                             id(queries_, queries.end - 1) == found && id(keys_, keys.end - 1) == found;
            return all ? Cover::full : Cover::partial;
        }
        return Cover::empty;
    }
    constexpr Range key_bounds(Range queries) const {
        queries = masks::clipped(queries, length(queries_));
        if (queries.empty()) return Range::nowhere;
        return between(id(queries_, queries.begin), id(queries_, queries.end - 1), {0, length(keys_)});
    }
    constexpr Range full_keys(Range queries) const {
        if (queries.end > length(queries_) || id(queries_, queries.begin) != id(queries_, queries.end - 1))
            return Range::nowhere;
        return key_bounds(queries);
    }
    constexpr std::uint64_t bits(Index, Index query, Range keys) const {
        if (query >= length(queries_)) return 0;
        const Index own = id(queries_, query);
        return masks::ones(between(own, own, masks::clipped(keys, length(keys_))), keys.begin);
    }
    constexpr bool fits(Index queries, Index keys) const {
        return queries == length(queries_) && keys == length(keys_);
    }
    static constexpr bool cover_is_exact() { return true; }

  private:
    static constexpr void check(std::span<const Index> ids) {
        for (std::size_t i = 1; i < ids.size(); ++i)
            if (ids[i] < ids[i - 1])
                throw Error(Errc::option_value, "Documents: expected ids that do not decrease, found ", ids[i - 1],
                            " before ", ids[i]);
    }
    static constexpr Index length(std::span<const Index> ids) { return static_cast<Index>(ids.size()); }
    static constexpr Index id(std::span<const Index> ids, Index row) { return ids[static_cast<std::size_t>(row)]; }
    /// The first of `rows` with this id or a later one; the end if there is none. Often it is the very first.
    static constexpr Index first_from(std::span<const Index> ids, Index which, Range rows) {
        if (rows.empty() || which <= id(ids, rows.begin)) return rows.begin;
        if (which > id(ids, rows.end - 1)) return rows.end;
        return std::lower_bound(ids.begin() + rows.begin, ids.begin() + rows.end, which) - ids.begin();
    }
    /// Those of the key rows `rows` that have these ids.
    constexpr Range between(Index first, Index last, Range rows) const {
        rows.begin = first_from(keys_, first, rows);
        if (!rows.empty() && id(keys_, rows.end - 1) > last)
            rows.end = std::upper_bound(keys_.begin() + rows.begin, keys_.begin() + rows.end, last) - keys_.begin();
        return rows;
    }

    std::span<const Index> queries_, keys_;
};

/// A batch of sequences that were filled up to one length: each of its rows sees those keys of its own sequence that are
/// no filling. `Packed` computes the same without any filling; this is for comparison with systems that pad.
///     Padded{lengths, 2, 3} with lengths 3 1        .side = Side::left
///     # # # . . .                                   # # # . . .
///     # # # . . .                                   # # # . . .
///     . . . # . .                                   . . . . . #
///     . . . # . .                                   . . . . . #
/// shape   lengths [B], each at most `keys`; B · queries rows see B · keys rows; borrowed, not copied
/// errors  Errc::option_value if a length is negative or above `keys`
class Padded {
  public:
    enum class Side : bool { left, right };  // where the filling is

    constexpr Padded(std::span<const Index> lengths, Index queries, Index keys, Side side = Side::right)
        : lengths_(lengths), queries_(queries), keys_(keys), side_(side) {
        for (const Index length : lengths)
            if (length < 0 || length > keys)
                throw Error(Errc::option_value, "Padded: expected lengths from 0 to ", keys, ", found ", length);
    }

    constexpr bool allows(Site at) const {
        const Range seen = sequence(at.query / queries_);
        return seen.begin <= at.key && at.key < seen.end;
    }
    constexpr Cover cover(Tile tile) const {
        Cover known = part(tile.queries.begin / queries_, tile.keys);
        for (Index s = tile.queries.begin / queries_ + 1; s * queries_ < tile.queries.end && known != Cover::partial;
             ++s)
            known = masks::joined(known, part(s, tile.keys));
        return known;
    }
    constexpr Range key_bounds(Range queries) const {
        Range seen = Range::nowhere;
        for (Index s = queries.begin / queries_; s * queries_ < queries.end; ++s) seen = hull(seen, sequence(s));
        return seen;
    }
    constexpr Range full_keys(Range queries) const {
        const Index s = queries.begin / queries_;
        return queries.end <= (s + 1) * queries_ ? sequence(s) : Range::nowhere;
    }
    constexpr bool fits(Index queries, Index keys) const {
        const Index count = static_cast<Index>(lengths_.size());
        return queries == count * queries_ && keys == count * keys_;
    }
    static constexpr bool cover_is_exact() { return true; }

  private:
    constexpr Range sequence(Index s) const {
        if (s >= static_cast<Index>(lengths_.size())) return Range::nowhere;
        const Index length = lengths_[static_cast<std::size_t>(s)], first = s * keys_;
        return side_ == Side::right ? Range{first, first + length} : Range{first + keys_ - length, first + keys_};
    }
    constexpr Cover part(Index s, Range keys) const {
        const Range seen = intersection(sequence(s), keys);
        return seen.empty() ? Cover::empty : seen == keys ? Cover::full : Cover::partial;
    }

    std::span<const Index> lengths_;
    Index queries_, keys_;
    Side side_;
};

}  // namespace tessera::inline TESSERA_ISA
