// A mask that claims more about tiles than is true fails its check at compile time, and the message has the hook and the tile:
// head 0, queries [0, 2), keys [2, 3).
// error: Wrong::cover
// error g++: array subscript value '1000000002002003'
// error clang: element 1000000002002003 of array
#include <tessera/study.hpp>

using namespace tessera;

struct Mine {
    constexpr bool allows(Site at) const { return at.key <= at.query + 1; }
    constexpr Cover cover(Tile tile) const {
#ifdef TESSERA_FAULT
        if (tile.keys.begin > tile.queries.begin + 1) return Cover::empty;  // of the first row; others see more
#endif
        return tile.keys.end <= tile.queries.begin + 2 ? Cover::full : Cover::partial;
    }
    static constexpr Index heads() { return 1; }
};

int main() { static_assert(verify(Mine{}, 7, 7)); }
