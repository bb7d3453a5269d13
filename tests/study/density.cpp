#include <doctest/doctest.h>

#include <tessera/mask/catalog.hpp>
#include <tessera/study/density.hpp>
#include "support/catalogue.hpp"

namespace study_density {
using namespace tessera;

TEST_CASE("causal, counted by hand") {
    const Density tiles(Causal{}, 10, 10, 0, 4, 4);
    CHECK(tiles.height() == 3);
    CHECK(tiles.tiles() == 9);
    CHECK(tiles.visible() == 55);
    CHECK(tiles.share() == 0.55);
    CHECK(tiles.share(0, 0) == 0.625);
    CHECK(tiles.share(2, 2) == 0.75);
    CHECK(tiles.cover(1, 0) == Cover::full);
    CHECK(tiles.cover(0, 1) == Cover::empty);
    CHECK(tiles.count(Cover::partial) == 3);
    CHECK(tiles.live_share() == 0.68);  // all but 16 + 8 + 8 of 100
    CHECK(tiles.speed_up() == doctest::Approx(1 / 0.68));
}

TEST_CASE("nothing to count") {
    CHECK(Density(Full{}, 0, 5).visible() == 0);
    CHECK(Density(Full{}, 0, 5).share() == 0);
    CHECK(Density(~Full{}, 5, 5).live_share() == 0);
}

TEST_CASE("it counts what the mask allows, for every mask") {
    const test::Catalogue catalogue(33, 65);
    for (const test::NamedMask& one : catalogue) {
        CAPTURE(one.name);
        Index visible = 0;
        for (Index q = 0; q < 33; ++q)
            for (Index k = 0; k < 65; ++k) visible += one.mask.allows({one.heads - 1, q, k});
        CHECK(Density(one.mask, 33, 65, one.heads - 1).visible() == visible);
        CHECK(Density(one.mask, 33, 65, one.heads - 1, 7, 70).visible() == visible);
    }
}

}  // namespace study_density
