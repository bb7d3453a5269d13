// A hook of the right name with a wrong signature would be passed over in silence; it is refused, with the right one.
// error: the hook cover of this mask has to be: Cover cover\(Tile tile\) const
#include <tessera/study/verify.hpp>

using namespace tessera;

struct Mine {
    constexpr bool allows(Site at) const { return at.key <= at.query; }
#ifdef TESSERA_FAULT
    constexpr bool cover(Tile tile) const { return tile.keys.end <= tile.queries.begin + 1; }
#else
    constexpr Range key_bounds(Range queries) const { return {0, queries.end}; }
#endif
    static constexpr Index heads() { return 1; }
};

static_assert(verify(Mine{}, 7, 7));
