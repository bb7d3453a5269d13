// A bit for each score.
#pragma once
#include <bit>
#include <tessera/mask/mask.hpp>
#include <tessera/mask/table.hpp>
#include <vector>

namespace tessera::inline TESSERA_ISA {

/// A bit for each score, the same in every head; `bits_of` makes them from any mask or predicate.
///     Bitmap{words, 3, 3} with words 1 3 5
///     # . .
///     # # .
///     # . #
/// shape   words [queries, (keys + 63) / 64], key k is bit k % 64 of word k / 64
/// errors  Errc::option_value if there are not as many words
/// cost    queries · keys / 8 bytes; `cover` looks at the tile's words, `key_bounds` at the ends of the rows
class Bitmap {
  public:
    constexpr Bitmap(Table<std::uint64_t> words, Index queries, Index keys)
        : words_(std::move(words)), queries_(queries), keys_(keys) {
        if (words_.size() != queries * width())
            throw Error(Errc::option_value, "Bitmap: expected ", queries * width(), " words for ", queries, " × ", keys,
                        " scores, found ", words_.size());
    }

    constexpr bool allows(Site at) const { return bits(at.head, at.query, {at.key, at.key + 1}) != 0; }
    constexpr Cover cover(Tile tile) const { return masks::cover_by_bits(*this, tile); }
    constexpr Range key_bounds(Range queries) const {
        Range seen = Range::nowhere;
        for (Index query = queries.begin; query < std::min(queries.end, queries_); ++query) {
            const Range words = masks::trimmed({0, width()}, [&](Index word) { return at(query, word) != 0; });
            if (words.empty()) continue;
            seen = hull(seen, {words.begin * 64 + std::countr_zero(at(query, words.begin)),
                               words.end * 64 - std::countl_zero(at(query, words.end - 1))});
        }
        return seen;
    }
    constexpr std::uint64_t bits(Index, Index query, Range keys) const {
        if (query >= queries_ || keys.begin >= keys_) return 0;
        const Index word = keys.begin / 64, shift = keys.begin % 64;
        std::uint64_t set = at(query, word) >> shift;
        if (shift != 0 && word + 1 < width()) set |= at(query, word + 1) << (64 - shift);
        return set & masks::ones({keys.begin, std::min(keys.end, keys_)}, keys.begin);
    }
    constexpr bool fits(Index queries, Index keys) const { return queries == queries_ && keys == keys_; }
    static constexpr bool cover_is_exact() { return true; }
    static constexpr Index heads() { return 1; }

  private:
    constexpr Index width() const { return (keys_ + 63) / 64; }
    constexpr std::uint64_t at(Index query, Index word) const { return words_[query * width() + word]; }

    Table<std::uint64_t> words_;
    Index queries_, keys_;
};

/// The words of a Bitmap that sees what `mask` sees in `head`.
template <Mask M>
std::vector<std::uint64_t> bits_of(const M& mask, Index queries, Index keys, Index head = 0) {
    std::vector<std::uint64_t> words;
    words.reserve(static_cast<std::size_t>(queries * ((keys + 63) / 64)));
    for (Index query = 0; query < queries; ++query)
        for (Index key = 0; key < keys; key += 64)
            words.push_back(masks::bits(mask, head, query, {key, std::min(key + 64, keys)}));
    return words;
}

}  // namespace tessera::inline TESSERA_ISA
