// A mask that claims more about tiles than is true fails its check at compile time.
// error: static assertion failed.*what it says of tiles is not true|static_assert failed.*what it says of tiles is not true
#include <tessera/masks.hpp>

using namespace tessera;

struct Mine {
    constexpr bool allows(Site at) const { return at.key <= at.query + 1; }
    constexpr Cover cover(Tile tile) const {
#ifdef TESSERA_FAULT
        if (tile.keys.begin > tile.queries.begin + 1) return Cover::empty;  // of the first row; others see more
#endif
        return tile.keys.end <= tile.queries.begin + 2 ? Cover::full : Cover::partial;
    }
};

int main() { static_assert(verify(Mine{}, 7, 7), "what it says of tiles is not true"); }
