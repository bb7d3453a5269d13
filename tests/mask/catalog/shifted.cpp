#include <doctest/doctest.h>

#include <tessera/mask/catalog.hpp>
#include "support/mask.hpp"

namespace mask_catalog_shifted {
using namespace tessera;
using test::picture;

static_assert(verify(Shifted{Causal{}, 2}, 3, 5));

TEST_CASE("a mask in another place") {
    CHECK(picture(Shifted{Causal{}, 2}, 2, 4) == "###.|####");
    CHECK(picture(Shifted{Causal{}, -1, -1}, 3, 4) == "....|.#..|.##.");
    CHECK(picture(Shifted{Full{}, -1, -2}, 3, 4) == "....|..##|..##");
    CHECK(picture(Shifted{FirstKeys{3}, 0, 2}, 1, 4) == "#...");
    CHECK(picture(Shifted{~Causal{}, 0, 1}, 3, 4) == "####|.###|..##");
}

TEST_CASE("what it says of tiles and ranges is true, and tight") {
    for (const Index queries_by : {-3, 0, 2, 20})
        for (const Index keys_by : {-20, -3, 0, 4}) {
            test::check_tight(Shifted{Full{}, queries_by, keys_by}, 7, 9);
            test::check_tight(Shifted{Causal{}, queries_by, keys_by}, 9, 9);
            test::check_tight(Shifted{Window{2, 1}, queries_by, keys_by}, 9, 9);
            test::check_tight(Shifted{~Window{2, 1}, queries_by, keys_by}, 9, 9);
            test::check(Shifted{FirstKeys{3} | Causal{}, queries_by, keys_by}, 9, 9);
        }
}

TEST_CASE("the lengths are those of the whole sequence") {
    CHECK(masks::fits(Shifted{Causal{}, 3}, 1, 4));
    CHECK_FALSE(masks::fits(Shifted{Causal{}, 2}, 1, 4));
    CHECK(masks::fits(Shifted{Causal{}, -2, -2}, 5, 5));
}

}  // namespace mask_catalog_shifted
