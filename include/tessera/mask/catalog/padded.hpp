// Several sequences in one set of rows, each filled up to the same length.
#pragma once
#include <tessera/mask/packed.hpp>

namespace tessera::inline TESSERA_ISA {

/// A batch of sequences that were filled up to one length: each of its rows sees those keys of its own sequence that are
/// no filling. `Packed` computes the same without any filling; this is for comparison with systems that pad. It is Packed,
/// with the filling of each sequence as a sequence without queries.
///     Padded{lengths, 2, 3} with lengths 3 1        .side = Side::left
///     # # # . . .                                   # # # . . .
///     # # # . . .                                   # # # . . .
///     . . . # . .                                   . . . . . #
///     . . . # . .                                   . . . . . #
/// shape   lengths [B], each at most `keys`; B · queries rows see B · keys rows
/// errors  Errc::option_value if a length is negative or above `keys`
struct Padded : Packed<Full> {
    enum class Side : bool { left, right };  // where the filling is

    constexpr Padded(std::span<const Index> lengths, Index queries, Index keys, Side side = Side::right)
        : Packed<Full>(offsets(lengths, queries, queries, side), offsets(lengths, keys, -1, side)) {}

  private:
    /// Where the rows of a sequence and its filling begin, if it has `all` rows, or else as many as its length says.
    static constexpr Table<Index> offsets(std::span<const Index> lengths, Index rows, Index all, Side side) {
        return {2 * lengths.size() + 1, [=](std::size_t i) {
                    const Index before = static_cast<Index>(i / 2) * rows;
                    if (i % 2 == 0) return before;
                    const Index length = all >= 0 ? all : lengths[i / 2];
                    if (length < 0 || length > rows)
                        throw Error(Errc::option_value, "Padded: expected lengths from 0 to ", rows, ", found ",
                                    length);
                    return side == Side::right ? before + length : before + rows - length;
                }};
    }
};

}  // namespace tessera::inline TESSERA_ISA
