// Several documents in one set of rows, told apart by an id per row.
#pragma once
#include <tessera/mask/packed.hpp>

namespace tessera::inline TESSERA_ISA {

/// Rows see rows of the same document, which is named by an id per row; ids must not decrease. It is Packed, with offsets
/// found from the ids.
///     Documents{ids} with ids 4 4 7 7 7
///     # # . . .
///     # # . . .
///     . . # # #
///     . . # # #
///     . . # # #
/// shape   ids [rows]
/// errors  Errc::option_value if ids decrease
struct Documents : Packed<Full> {
    constexpr explicit Documents(std::span<const Index> ids) : Packed<Full>(offsets(ids, ids)) {}
    constexpr Documents(std::span<const Index> query_ids, std::span<const Index> key_ids)
        : Packed<Full>(offsets(query_ids, key_ids), offsets(key_ids, query_ids)) {}

  private:
    /// Where in `ids` the documents begin that are there or in `others`.
    static constexpr Table<Index> offsets(std::span<const Index> ids, std::span<const Index> others) {
        const masks::Values<Index> found(ids.size() + others.size() + 1, [](std::size_t) { return Index{0}; });
        std::size_t count = 1;
        for (std::size_t i = 0, j = 0; i < ids.size() || j < others.size(); ++count) {
            const bool ours = j == others.size() || (i < ids.size() && ids[i] <= others[j]);
            const Index id = ours ? ids[i] : others[j];
            while (i < ids.size() && ids[i] == id) ++i;
            while (j < others.size() && others[j] == id) ++j;
            if (i < ids.size() && ids[i] < id)
                throw Error(Errc::option_value, "Documents: expected ids that do not decrease, found ", id, " before ",
                            ids[i]);
            found[count] = static_cast<Index>(i);
        }
        return {count, [&](std::size_t i) { return found[i]; }};
    }
};

}  // namespace tessera::inline TESSERA_ISA
