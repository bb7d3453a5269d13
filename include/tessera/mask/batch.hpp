// Several sequences in one set of rows, told apart by an id per row or by a length per sequence.
#pragma once
#include <span>
#include <tessera/mask/mask.hpp>

namespace tessera {

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
/// cost    `cover`, `keys`, `common` and `bits` a binary search
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
        const Range all = common(tile.queries);
        if (const Range seen = intersection(all, tile.keys); !seen.empty())
            return seen == tile.keys ? Cover::all : Cover::some;
        const Range seen = intersection(keys(tile.queries), tile.keys);
        // The hull of several documents may have holes: those whose keys are elsewhere, or that have none.
        for (Index key = seen.begin; key < seen.end; key = document(keys_, id(keys_, key)).end)
            if (!intersection(document(queries_, id(keys_, key)), tile.queries).empty()) return Cover::some;
        return Cover::none;
    }
    constexpr Range keys(Range queries) const {
        queries = intersection(queries, {0, length(queries_)});
        if (queries.empty()) return nowhere;
        const Range first = document(keys_, id(queries_, queries.begin));
        return {first.begin, document(keys_, id(queries_, queries.end - 1)).end};
    }
    constexpr Range common(Range queries) const {
        if (queries.end > length(queries_) || id(queries_, queries.begin) != id(queries_, queries.end - 1))
            return nowhere;
        return document(keys_, id(queries_, queries.begin));
    }
    constexpr bool fits(Index queries, Index keys) const {
        return queries == length(queries_) && keys == length(keys_);
    }
    static constexpr bool exact() { return true; }

  private:
    static constexpr void check(std::span<const Index> ids) {
        for (std::size_t i = 1; i < ids.size(); ++i)
            if (ids[i] < ids[i - 1])
                throw Error(Errc::option_value, "Documents: expected ids that do not decrease, found ", ids[i - 1],
                            " before ", ids[i]);
    }
    static constexpr Index length(std::span<const Index> ids) { return static_cast<Index>(ids.size()); }
    static constexpr Index id(std::span<const Index> ids, Index row) { return ids[static_cast<std::size_t>(row)]; }
    /// The rows that have this id; empty, but in its place, if there are none.
    static constexpr Range document(std::span<const Index> ids, Index which) {
        return {std::lower_bound(ids.begin(), ids.end(), which) - ids.begin(),
                std::upper_bound(ids.begin(), ids.end(), which) - ids.begin()};
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
        for (Index s = tile.queries.begin / queries_ + 1; s * queries_ < tile.queries.end && known != Cover::some; ++s)
            known = joined(known, part(s, tile.keys));
        return known;
    }
    constexpr Range keys(Range queries) const {
        Range seen = nowhere;
        for (Index s = queries.begin / queries_; s * queries_ < queries.end; ++s) seen = hull(seen, sequence(s));
        return seen;
    }
    constexpr Range common(Range queries) const {
        const Index s = queries.begin / queries_;
        return queries.end <= (s + 1) * queries_ ? sequence(s) : nowhere;
    }
    constexpr bool fits(Index queries, Index keys) const {
        const Index count = static_cast<Index>(lengths_.size());
        return queries == count * queries_ && keys == count * keys_;
    }
    static constexpr bool exact() { return true; }

  private:
    constexpr Range sequence(Index s) const {
        if (s >= static_cast<Index>(lengths_.size())) return nowhere;
        const Index length = lengths_[static_cast<std::size_t>(s)], first = s * keys_;
        return side_ == Side::right ? Range{first, first + length} : Range{first + keys_ - length, first + keys_};
    }
    constexpr Cover part(Index s, Range keys) const {
        const Range seen = intersection(sequence(s), keys);
        return seen.empty() ? Cover::none : seen == keys ? Cover::all : Cover::some;
    }

    std::span<const Index> lengths_;
    Index queries_, keys_;
    Side side_;
};

}  // namespace tessera
