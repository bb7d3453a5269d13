// Rows that see everything, beside rows that see nothing.
#pragma once
#include <tessera/mask/mask.hpp>

namespace tessera::inline TESSERA_ISA {

/// Only the first `count` queries see anything.
///     # # # #
///     # # # #
///     . . . .
struct FirstQueries {
    Index count;

    constexpr bool allows(Site at) const { return at.query < count; }
    constexpr Range key_bounds(Range queries) const {
        return queries.begin < count ? Range::everywhere : Range::nowhere;
    }
    constexpr Range full_keys(Range queries) const { return queries.end <= count ? Range::everywhere : Range::nowhere; }
    static constexpr bool cover_is_exact() { return true; }
    static constexpr Index heads() { return 1; }
};

}  // namespace tessera::inline TESSERA_ISA
