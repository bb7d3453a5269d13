// A mask drawn by hand.
#pragma once
#include <string>
#include <string_view>
#include <tessera/mask/mask.hpp>
#include <tessera/mask/table.hpp>

namespace tessera::inline TESSERA_ISA {

/// A mask from its picture: # is visible, rows end with a bar or a new line. For experiments and tests.
///     Pattern{"#..|##.|#.#"}
///     # . .
///     # # .
///     # . #
/// errors  Errc::option_value if rows are not of one length
class Pattern {
  public:
    constexpr explicit Pattern(std::string_view picture) : Pattern(Table<char>(picture), 0) {}
    /// Keeps a picture that nobody else does.
    template <std::same_as<std::string> String>
    constexpr explicit Pattern(String&& picture) : Pattern(Table<char>(std::move(picture)), 0) {}

    constexpr Index queries() const { return (picture_.size() + 1) / (keys_ + 1); }
    constexpr Index keys() const { return keys_; }
    constexpr bool allows(Site at) const {
        return at.query < queries() && at.key < keys_ && picture_[at.query * (keys_ + 1) + at.key] == '#';
    }
    constexpr Cover cover(Tile tile) const { return masks::cover_by_bits(*this, tile); }
    constexpr Range key_bounds(Range queries) const {
        return queries.begin < this->queries() ? Range{0, keys_} : Range::nowhere;
    }
    constexpr bool fits(Index queries, Index keys) const { return queries == this->queries() && keys == keys_; }
    static constexpr bool cover_is_exact() { return true; }
    static constexpr Index heads() { return 1; }

  private:
    constexpr Pattern(Table<char> picture, Index keys) : picture_(std::move(picture)), keys_(keys) {
        while (keys_ < picture_.size() && !ends_row(keys_)) ++keys_;
        for (Index i = 0; i <= picture_.size(); ++i) {  // after the last row there may be an end or not
            const bool end = i % (keys_ + 1) == keys_;
            if (i < picture_.size() ? ends_row(i) != end : i % (keys_ + 1) != 0 && !end)
                throw Error(Errc::option_value, "Pattern: expected rows of ", keys_, " keys, found a different row ",
                            i / (keys_ + 1));
        }
    }
    constexpr bool ends_row(Index i) const { return picture_[i] == '|' || picture_[i] == '\n'; }

    Table<char> picture_;
    Index keys_;
};

}  // namespace tessera::inline TESSERA_ISA
