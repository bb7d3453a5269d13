#include <doctest/doctest.h>

#include <tessera/mask/catalog.hpp>
#include "support/mask.hpp"

namespace mask_catalog_choice {
using namespace tessera;
using test::picture;

static_assert(verify(Choose{FirstHeads{1}, Window{1}, Causal{}}, 5, 5, 2));

TEST_CASE("heads with masks of different kinds") {
    const Choose mask{FirstHeads{1}, Window{1}, Causal{}};
    CHECK(picture(mask, 4, 4, 0) == "#...|##..|.##.|..##");
    CHECK(picture(mask, 4, 4, 1) == "#...|##..|###.|####");
    test::check_tight(mask, 13, 13, 3);
    CHECK(masks::key_bounds(mask, {8, 10}, 16) == Range{0, 10});
    CHECK_FALSE(masks::fits(mask, 4, 5));
}

TEST_CASE("places with masks of different kinds") {
    const Choose mask{FirstQueries{2}, FirstKeys{2}, Window{1, 1}};
    CHECK(picture(mask, 4, 4) == "##..|##..|.###|..##");
    test::check(mask, 13, 13);
    test::check(Choose{Causal{}, FirstKeys{5}, Full{}}, 13, 13);
}

TEST_CASE("heads with masks of one kind") {
    const std::vector<Window> windows{{0}, {1}, {2, 1}};
    const PerHead mask{std::span<const Window>(windows)};
    CHECK(picture(mask, 3, 3, 0) == "#..|.#.|..#");
    CHECK(picture(mask, 3, 3, 1) == "#..|##.|.##");
    CHECK(picture(mask, 3, 3, 2) == "##.|###|###");
    CHECK(picture(mask, 3, 3, 3) == "...|...|...");
    test::check_tight(mask, 13, 13, 4);
    CHECK(masks::key_bounds(mask, {8, 9}, 16) == Range{6, 10});
    CHECK(masks::fits(mask, 3, 3));
    CHECK_FALSE(masks::fits(mask, 3, 4));
}

}  // namespace mask_catalog_choice
