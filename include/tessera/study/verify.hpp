// Does a mask keep its word? Compares what it says about tiles and ranges with what it says about single scores.
#pragma once
#include <string>
#include <tessera/mask/catalog/bitmap.hpp>
#include <tessera/mask/mask.hpp>

namespace tessera::inline TESSERA_ISA {

/// What `verify` found; true if nothing is wrong. In a static_assert, the compiler's message has the hook and the tile: as a
/// subscript: after a 1, its head, the bounds of its queries and of its keys, with three digits each.
struct Verdict {
    enum class Wrong : char { nothing, cover, cover_is_exact, key_bounds, full_keys, bits, heads };

    Wrong wrong = Wrong::nothing;  // which hook disagrees with `allows`
    Tile tile{};  // where; for `key_bounds` and `full_keys`, the queries asked about and the range returned
    Cover said = Cover::partial;  // what `cover` said
    Index tiles = 0;              // how many tiles were asked about
    Index loose = 0;              // of how many `cover` said `partial`, although they are empty or full

  private:
    template <Wrong Hook>
    constexpr Index blame() const {
        constexpr Index hook_disagrees_with_allows_at_head_queries_keys[1]{};
        Index place = 1000 + tile.head;
        for (const Index edge : {tile.queries.begin, tile.queries.end, tile.keys.begin, tile.keys.end})
            place = place * 1000 + edge;
        return hook_disagrees_with_allows_at_head_queries_keys[place];  // no constant expression
    }

  public:
    constexpr explicit operator bool() const {
        if (std::is_constant_evaluated()) {
            if (wrong == Wrong::cover) blame<Wrong::cover>();
            if (wrong == Wrong::cover_is_exact) blame<Wrong::cover_is_exact>();
            if (wrong == Wrong::key_bounds) blame<Wrong::key_bounds>();
            if (wrong == Wrong::full_keys) blame<Wrong::full_keys>();
            if (wrong == Wrong::bits) blame<Wrong::bits>();
            if (wrong == Wrong::heads) blame<Wrong::heads>();
        }
        return wrong == Wrong::nothing;
    }

    /// One sentence.
    std::string text() const {
        const auto range = [](Range r) { return '[' + std::to_string(r.begin) + ", " + std::to_string(r.end) + ')'; };
        const std::string queries = "head " + std::to_string(tile.head) + ", queries " + range(tile.queries);
        const std::string keys = range(tile.keys), both = queries + " × keys " + keys;
        switch (wrong) {
            case Wrong::nothing:
                break;
            case Wrong::cover:
                return "cover disagrees with allows: " + both + " is not " + (said == Cover::full ? "full" : "empty");
            case Wrong::cover_is_exact:
                return "cover breaks the promise to be exact: " + both + " is not partial";
            case Wrong::key_bounds:
                return "key_bounds disagrees with allows: " + queries + " see keys outside of " + keys;
            case Wrong::full_keys:
                return "full_keys disagrees with allows: " + queries + " do not see all of " + keys;
            case Wrong::bits:
                return "bits disagrees with allows: " + both;
            case Wrong::heads:
                return "heads disagrees with allows: " + both + " is not as in the head before";
        }
        return std::to_string(tiles) + " tiles agree with allows; about " + std::to_string(loose) +
               " of them more could be said";
    }
};

namespace verification {

/// The ranges in [0, end) whose edges are multiples of `step` or the end; for a base above 1 only those of base⁰, base¹, …
/// steps, and the whole.
struct Ranges {
    Index end, step, base;

    constexpr bool has(Range range) const {
        Index steps = (range.size() + step - 1) / step;
        if (base == 1 || range.size() == end) return true;
        while (steps % base == 0) steps /= base;
        return steps == 1;
    }
    constexpr Index count() const {
        Index sum = 0;
        for (Index length = step; length < end + step; length += step)
            if (has({0, std::min(length, end)})) sum += (end + step - length + step - 1) / step;
        return sum;
    }
    /// Calls f with each of them, until it says no.
    template <class F>
    constexpr bool each(const F& f) const {
        for (Index first = 0; first < end; first += step)
            for (Range range{first, first}; range.end < end;) {
                range.end = std::min(range.end + step, end);
                if (has(range) && !f(range)) return false;
            }
        return true;
    }
};

}  // namespace verification

/// Asks `mask` about every tile whose edges are multiples of `step` (or the ends), every such range of queries and
/// every row, in all heads that it tells apart, and compares the answers with `allows`, and with its promises if it makes some.
/// Run it on a mask of your own: static_assert(verify(Mine{}, 9, 9)). While compiling, where steps are counted, tiles beyond 700
/// are only those whose sides are powers of two, of four or more.
/// errors  Errc::option_value if the mask does not say how many heads it tells apart, and `heads` does not either
/// cost    heads · (queries · keys / step²)² / 4 tiles, 64 · queries · keys / step bits
template <Mask M>
constexpr Verdict verify(const M& mask, Index queries, Index keys, Index heads = 0, Index step = 1) {
    using Wrong = Verdict::Wrong;
    Verdict verdict;
    const auto blame = [&](Wrong wrong, Tile tile, Cover said = Cover::partial) {
        verdict.wrong = wrong, verdict.tile = tile, verdict.said = said;
        return false;
    };
    const Index told = masks::heads(mask), words = (keys + 63) / 64;
    heads = masks::all_heads(mask, heads);
    verification::Ranges rows{queries, step, 1}, columns{keys, step, 1};
    if (std::is_constant_evaluated())
        while (rows.base < 16 && rows.count() * columns.count() * heads > 700) rows.base = columns.base *= 2;
    const auto allowed = [&](Index head, Index query, Range part) {
        std::uint64_t seen = 0;
        for (Index key = part.begin; key < part.end; ++key)
            seen |= std::uint64_t{mask.allows({head, query, key})} << (key - part.begin);
        return seen;
    };
    for (Index head = 0; head < heads; ++head) {
        const auto word = [&](std::size_t i) {
            const Index first = static_cast<Index>(i) % words * 64;
            return allowed(head, static_cast<Index>(i) / words, {first, std::min(first + 64, keys)});
        };
        const Bitmap truth(Table<std::uint64_t>(static_cast<std::size_t>(queries * words), word), queries, keys);
        const bool bounds_agree = rows.each([&](Range q) {
            const Range outer = masks::key_bounds(mask, q, keys), inner = masks::full_keys(mask, q, keys);
            if (const Range seen = truth.key_bounds(q); !seen.empty() && hull(outer, seen) != outer)
                return blame(Wrong::key_bounds, {head, q, outer});
            return inner.empty() || truth.cover({0, q, inner}) == Cover::full ||
                   blame(Wrong::full_keys, {head, q, inner});
        });
        const bool agree = bounds_agree && columns.each([&](Range k) {
            const masks::Values<Cover> row(static_cast<std::size_t>(queries), [&](std::size_t q) {
                return truth.cover({0, {static_cast<Index>(q), static_cast<Index>(q) + 1}, k});
            });
            Cover known = Cover::partial;  // of the rows so far
            Range done{0, 0};
            return rows.each([&](Range q) {
                if (q.begin != done.begin || done.empty())
                    done = {q.begin, q.begin + 1}, known = row[static_cast<std::size_t>(q.begin)];
                for (; done.end < q.end; ++done.end)
                    known = masks::joined(known, row[static_cast<std::size_t>(done.end)]);
                const Cover said = masks::cover(mask, {head, q, k});
                ++verdict.tiles;
                if (said == known) return true;
                ++verdict.loose;
                if (said != Cover::partial) return blame(Wrong::cover, {head, q, k}, said);
                return !masks::cover_is_exact(mask) || blame(Wrong::cover_is_exact, {head, q, k});
            });
        });
        if (!agree) return verdict;
        for (Index q = 0; q < queries; ++q)
            for (Index first = 0; first < keys; first += step * columns.base) {
                const Range k{first, std::min(first + 64, keys)};
                const std::uint64_t seen = truth.bits(0, q, k);
                if (masks::bits(mask, head, q, k) != seen) return blame(Wrong::bits, {head, {q, q + 1}, k}), verdict;
                if (head + 1 == told && allowed(told, q, k) != seen)
                    return blame(Wrong::heads, {told, {q, q + 1}, k}), verdict;
            }
    }
    return verdict;
}

}  // namespace tessera::inline TESSERA_ISA
