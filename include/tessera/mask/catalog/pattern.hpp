// Masks that are tables: drawn by hand, a bit for each score, a byte for each block.
#pragma once
#include <bit>
#include <span>
#include <string_view>
#include <tessera/mask/mask.hpp>
#include <vector>

namespace tessera::inline TESSERA_ISA {

/// A mask from its picture: # is visible, rows end with a bar or a new line. For experiments and tests.
///     Pattern{"#..|##.|#.#"}
///     # . .
///     # # .
///     # . #
/// errors  Errc::option_value if rows are not of one length
class Pattern {
  public:
    constexpr explicit Pattern(std::string_view picture)
        : picture_(picture), keys_(static_cast<Index>(std::min(picture.find_first_of("|\n"), picture.size()))) {
        const Index size = static_cast<Index>(picture_.size());
        for (Index i = 0; i <= size; ++i)  // behind the last row there may be an end or not
            if (i < size ? is_end(i) != (i % (keys_ + 1) == keys_) : i % (keys_ + 1) != 0 && i % (keys_ + 1) != keys_)
                throw Error(Errc::option_value, "Pattern: expected rows of ", keys_, " keys, found a different row ",
                            i / (keys_ + 1));
    }

    constexpr Index queries() const { return (static_cast<Index>(picture_.size()) + 1) / (keys_ + 1); }
    constexpr Index keys() const { return keys_; }
    constexpr bool allows(Site at) const {
        const Index place = at.query * (keys_ + 1) + at.key;
        return at.key < keys_ && place < static_cast<Index>(picture_.size()) &&
               picture_[static_cast<std::size_t>(place)] == '#';
    }
    constexpr Cover cover(Tile tile) const { return masks::cover_by_bits(*this, tile); }
    constexpr std::uint64_t bits(Index, Index query, Range keys) const {
        if (query >= queries()) return 0;
        const std::string_view row = picture_.substr(static_cast<std::size_t>(query * (keys_ + 1)));
        std::uint64_t set = 0;
        for (Index key = keys.begin; key < std::min(keys.end, keys_); ++key)
            set |= std::uint64_t{row[static_cast<std::size_t>(key)] == '#'} << (key - keys.begin);
        return set;
    }
    constexpr bool fits(Index queries, Index keys) const { return queries == this->queries() && keys == keys_; }
    static constexpr bool cover_is_exact() { return true; }

  private:
    constexpr bool is_end(Index i) const {
        const char c = picture_[static_cast<std::size_t>(i)];
        return c == '|' || c == '\n';
    }

    std::string_view picture_;
    Index keys_;
};

/// A bit for each score, the same in every head; `bits_of` makes them from any mask or predicate.
///     Bitmap{words, 3, 3} with words 1 3 5
///     # . .
///     # # .
///     # . #
/// shape   words [queries, (keys + 63) / 64], key k is bit k % 64 of word k / 64; borrowed, not copied
/// errors  Errc::option_value if there are not as many words
/// cost    queries · keys / 8 bytes; `cover` looks at the tile's words, `key_bounds` at the ends of the rows
class Bitmap {
  public:
    constexpr Bitmap(std::span<const std::uint64_t> words, Index queries, Index keys)
        : words_(words), queries_(queries), keys_(keys) {
        if (static_cast<Index>(words.size()) != queries * width())
            throw Error(Errc::option_value, "Bitmap: expected ", queries * width(), " words for ", queries, " × ", keys,
                        " scores, found ", words.size());
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

  private:
    constexpr Index width() const { return (keys_ + 63) / 64; }
    constexpr std::uint64_t at(Index query, Index word) const {
        return words_[static_cast<std::size_t>(query * width() + word)];
    }

    std::span<const std::uint64_t> words_;
    Index queries_, keys_;
};

/// The words of a Bitmap that sees what `mask` sees in `head`.
template <Mask M>
constexpr std::vector<std::uint64_t> bits_of(const M& mask, Index queries, Index keys, Index head = 0) {
    std::vector<std::uint64_t> words;
    words.reserve(static_cast<std::size_t>(queries * ((keys + 63) / 64)));
    for (Index query = 0; query < queries; ++query)
        for (Index key = 0; key < keys; key += 64)
            words.push_back(masks::bits(mask, head, query, {key, std::min(key + 64, keys)}));
    return words;
}

/// A choice for each block of `rows` × `columns` scores.
///     BlockSparse{blocks, 2, 2} with blocks {1, 0; 1, 1}
///     # # . .
///     # # . .
///     # # # #
///     # # # #
/// shape   blocks [⌈queries / rows⌉, ⌈keys / columns⌉], zero is invisible; borrowed, not copied
/// cost    `cover` and `bits` look at the blocks that they touch, `key_bounds` at the ends of the rows of blocks
struct BlockSparse {
    View<const std::uint8_t, dyn, dyn> blocks;
    Index rows, columns;

    constexpr bool allows(Site at) const { return visible(at.query / rows, at.key / columns); }
    constexpr Cover cover(Tile tile) const {
        const bool first = visible(tile.queries.begin / rows, tile.keys.begin / columns);
        for (Index y = tile.queries.begin / rows; y * rows < tile.queries.end; ++y)
            for (Index x = tile.keys.begin / columns; x * columns < tile.keys.end; ++x)
                if (visible(y, x) != first) return Cover::partial;
        return first ? Cover::full : Cover::empty;
    }
    constexpr Range key_bounds(Range queries) const {
        Range seen = Range::nowhere;
        for (Index y = queries.begin / rows; y * rows < queries.end; ++y) {
            const Range row = masks::trimmed({0, blocks.extent(1)}, [&](Index x) { return visible(y, x); });
            seen = hull(seen, {row.begin * columns, row.end * columns});
        }
        return seen;
    }
    constexpr std::uint64_t bits(Index, Index query, Range keys) const {
        return masks::bits_of_blocks(keys, columns, [&, y = query / rows](Index x) { return visible(y, x); });
    }
    constexpr bool fits(Index queries, Index keys) const {
        return (queries + rows - 1) / rows == blocks.extent(0) && (keys + columns - 1) / columns == blocks.extent(1);
    }
    static constexpr bool cover_is_exact() { return true; }

  private:
    constexpr bool visible(Index y, Index x) const {
        return y < blocks.extent(0) && x < blocks.extent(1) && blocks(y, x) != 0;
    }
};

}  // namespace tessera::inline TESSERA_ISA
