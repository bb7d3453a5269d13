// Does a mask keep its word? Compares what it says about tiles and ranges with what it says about single scores.
#pragma once
#include <string>
#include <tessera/mask/mask.hpp>
#include <vector>

namespace tessera::inline TESSERA_ISA {

/// What `verify` found; true if nothing is wrong.
struct Verdict {
    enum class Wrong : char { nothing, cover, exact, key_bounds, full_keys, bits };

    Wrong wrong = Wrong::nothing;  // which answer disagrees with `allows`
    Tile tile{};  // where; for `key_bounds` and `full_keys`, the queries asked about and the range returned
    Cover said = Cover::partial;  // what `cover` said
    Index tiles = 0;              // how many tiles were asked about
    Index loose = 0;              // of how many `cover` said `partial`, although they are empty or full

    constexpr explicit operator bool() const { return wrong == Wrong::nothing; }

    /// One sentence.
    std::string text() const {
        const auto range = [](Range r) { return '[' + std::to_string(r.begin) + ", " + std::to_string(r.end) + ')'; };
        const std::string queries = "head " + std::to_string(tile.head) + ", queries " + range(tile.queries);
        switch (wrong) {
            case Wrong::nothing:
                break;
            case Wrong::cover:
                return "cover disagrees with allows: " + queries + " × keys " + range(tile.keys) + " is not " +
                       (said == Cover::full ? "full" : "empty");
            case Wrong::exact:
                return "cover breaks the promise to be exact: " + queries + " × keys " + range(tile.keys) +
                       " is not partial";
            case Wrong::key_bounds:
                return "key_bounds disagrees with allows: " + queries + " see keys outside of " + range(tile.keys);
            case Wrong::full_keys:
                return "full_keys disagrees with allows: " + queries + " do not see all of " + range(tile.keys);
            case Wrong::bits:
                return "bits disagrees with allows: " + queries + " × keys " + range(tile.keys);
        }
        return std::to_string(tiles) + " tiles agree with allows; about " + std::to_string(loose) +
               " of them more could be said";
    }
};

namespace verification {

/// What one head allows, counted so that the number of visible scores in any tile is four look-ups.
class Counts {
  public:
    template <Mask M>
    constexpr Counts(const M& mask, Index head, Index queries, Index keys)
        : width_(keys + 1), counts_(static_cast<std::size_t>((queries + 1) * width_), Index{0}) {
        for (Index q = 0; q < queries; ++q) {
            Index row = 0;
            for (Index k = 0; k < keys; ++k) {
                row += mask.allows({head, q, k});
                counts_[place(q + 1, k + 1)] = at(q, k + 1) + row;
            }
        }
    }
    constexpr Index operator()(Range q, Range k) const {
        return at(q.end, k.end) - at(q.begin, k.end) - at(q.end, k.begin) + at(q.begin, k.begin);
    }
    constexpr Cover cover(Range q, Range k) const {
        const Index visible = (*this)(q, k);
        return visible == 0 ? Cover::empty : visible == q.size() * k.size() ? Cover::full : Cover::partial;
    }

  private:
    constexpr std::size_t place(Index q, Index k) const { return static_cast<std::size_t>(q * width_ + k); }
    constexpr Index at(Index q, Index k) const { return counts_[place(q, k)]; }

    Index width_;
    std::vector<Index> counts_;
};

/// Calls f with every range in [0, end) whose edges are multiples of `step` or the end, until it says no.
template <class F>
constexpr bool each_range(Index end, Index step, F f) {
    for (Index first = 0; first < end; first += step)
        for (Index last = first; last < end;) {
            last = std::min(last + step, end);
            if (!f(Range{first, last})) return false;
        }
    return true;
}

}  // namespace verification

/// Asks `mask` about every tile whose edges are multiples of `step` (or the ends), every such range of queries and
/// every row, and compares the answers with `allows`, and with its promise if it makes one. Run it on a mask of your own: static_assert(verify(Mine{}, 9, 9)).
/// cost    heads · (queries · keys / step²)² / 4 tiles, 64 · queries · keys / step bits
template <Mask M>
constexpr Verdict verify(const M& mask, Index queries, Index keys, Index heads = 1, Index step = 1) {
    using Wrong = Verdict::Wrong;
    Verdict verdict;
    for (Index head = 0; head < heads; ++head) {
        const verification::Counts counts(mask, head, queries, keys);
        const auto blame = [&](Wrong wrong, Range q, Range k, Cover said = Cover::partial) {
            verdict.wrong = wrong, verdict.tile = {head, q, k}, verdict.said = said;
            return false;
        };
        const bool tiles_agree = verification::each_range(queries, step, [&](Range q) {
            const Range outer = masks::key_bounds(mask, q, keys), inner = masks::full_keys(mask, q, keys);
            if (counts(q, outer) != counts(q, {0, keys})) return blame(Wrong::key_bounds, q, outer);
            if (counts(q, inner) != q.size() * inner.size()) return blame(Wrong::full_keys, q, inner);
            return verification::each_range(keys, step, [&](Range k) {
                const Cover truth = counts.cover(q, k), said = masks::cover(mask, {head, q, k});
                ++verdict.tiles;
                if (said == truth) return true;
                ++verdict.loose;
                if (said != Cover::partial) return blame(Wrong::cover, q, k, said);
                return !masks::cover_is_exact(mask) || blame(Wrong::exact, q, k);
            });
        });
        if (!tiles_agree) return verdict;
        for (Index q = 0; q < queries; ++q)
            for (Index first = 0; first < keys; first += step) {
                const Range k{first, std::min(first + 64, keys)};
                std::uint64_t expected = 0;
                for (Index key = k.begin; key < k.end; ++key)
                    expected |= std::uint64_t{mask.allows({head, q, key})} << (key - first);
                if (masks::bits(mask, head, q, k) != expected) {
                    blame(Wrong::bits, {q, q + 1}, k);
                    return verdict;
                }
            }
    }
    return verdict;
}

}  // namespace tessera::inline TESSERA_ISA
