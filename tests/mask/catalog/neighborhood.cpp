#include <doctest/doctest.h>

#include <tessera/mask/catalog.hpp>
#include "support/mask.hpp"

namespace mask_catalog_neighborhood {
using namespace tessera;
using test::picture;

static_assert(verify(Neighborhood{2, 3}, 6, 6));

TEST_CASE("neighbours in a picture") {
    constexpr Neighborhood mask{.height = 3, .width = 3, .down = 1, .across = 1};
    CHECK(picture(mask, 1, 9) == "##.##....");
    CHECK(picture(Shifted{mask, 4}, 1, 9) == "#########");
    CHECK(picture(Shifted{mask, 5}, 1, 9) == ".##.##.##");
    CHECK(picture(Neighborhood{2, 2, 0, 1}, 4, 4) == "##..|##..|..##|..##");
    CHECK(picture(Neighborhood{2, 2, 1, 0}, 4, 4) == "#.#.|.#.#|#.#.|.#.#");
    // Patches behind a [CLS] row.
    CHECK(picture(FirstKeys{1} | FirstQueries{1} | Shifted{Neighborhood{1, 3, 0, 1}, -1, -1}, 4, 4) ==
          "####|###.|####|#.##");
}

TEST_CASE("what it says of tiles and ranges is true, and tight") {
    for (const Index down : {0, 1, 2, 9})
        for (const Index across : {0, 1, 3, 9}) {
            test::check_tight(Neighborhood{4, 5, down, across}, 20, 20);
            test::check_tight(Neighborhood{5, 1, down, across}, 5, 5);
            test::check_tight(Neighborhood{1, 5, down, across}, 5, 5);
            test::check_tight(Neighborhood{3, 3, down, across}, 11, 10);  // positions behind the picture see nothing
            test::check_tight(Neighborhood{7, 9, down, across}, 63, 63);
        }
    CHECK(masks::key_bounds(Neighborhood{16, 16, 2, 2}, {64, 80}, 256) == Range{32, 112});
    CHECK(masks::key_bounds(Neighborhood{16, 16, 2, 2}, {68, 69}, 256) == Range{34, 103});
}

}  // namespace mask_catalog_neighborhood
