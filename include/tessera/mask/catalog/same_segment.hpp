// Two texts, or learned queries and a text, that do not see each other.
#pragma once
#include <tessera/mask/mask.hpp>

namespace tessera::inline TESSERA_ISA {

/// Two segments, positions before `boundary` and from it on; each sees only itself.
///     # # . .
///     # # . .
///     . . # #
///     . . # #
struct SameSegment {
    Index boundary;

    constexpr bool allows(Site at) const { return (at.query < boundary) == (at.key < boundary); }
    constexpr Range key_bounds(Range queries) const {
        return split(queries) ? Range::everywhere : segment(queries.begin);
    }
    constexpr Range full_keys(Range queries) const { return split(queries) ? Range::nowhere : segment(queries.begin); }
    static constexpr bool cover_is_exact() { return true; }
    static constexpr Index heads() { return 1; }

  private:
    constexpr bool split(Range range) const { return range.begin < boundary && boundary < range.end; }
    constexpr Range segment(Index position) const {
        return position < boundary ? Range{0, boundary} : Range{boundary, Range::everywhere.end};
    }
};

}  // namespace tessera::inline TESSERA_ISA
