#include <doctest/doctest.h>

#include <tessera/mask/catalog.hpp>
#include "support/mask.hpp"

namespace mask_catalog_window {
using namespace tessera;
using test::picture;

static_assert(verify(Window{2, 1}, 7, 7) && verify(Dilated{4, 2, 2}, 7, 7) && verify(Strided{3, 1}, 4, 7));

TEST_CASE("windows look as their comments show them") {
    CHECK(picture(Window{1}, 5, 5) == "#....|##...|.##..|..##.|...##");
    CHECK(picture(Window{.left = 2, .right = 1}, 5, 5) == "##...|###..|####.|.####|..###");
    CHECK(picture(Window{.left = 1, .offset = 2}, 2, 4) == ".##.|..##");
    CHECK(picture(Window{.left = 1, .offset = -2}, 4, 3) == "...|...|#..|##.");
    CHECK(picture(Window{.left = -1, .right = 2}, 3, 5) == ".##..|..##.|...##");
    CHECK(picture(Dilated{.left = 4, .step = 2}, 6, 6) == "#.....|.#....|#.#...|.#.#..|#.#.#.|.#.#.#");
    CHECK(picture(Dilated{.left = 3, .right = 3, .step = 3}, 5, 5) == "#..#.|.#..#|..#..|#..#.|.#..#");
    CHECK(picture(Dilated{.left = 4, .step = 2, .offset = 3}, 1, 5) == ".#.#.");
    CHECK(picture(Strided{.step = 3, .first = 1}, 2, 6) == ".#..#.|.#..#.");
}

TEST_CASE("what they say of tiles and ranges is true, and tight") {
    for (const Index queries : {1, 7, 12})
        for (const Index keys : {1, 7, 13})
            for (const Index left : {-2, 0, 1, 5, 40})
                for (const Index right : {-3, 0, 2, 40})
                    for (const Index offset : {-4, 0, 3}) {
                        test::check_tight(Window{left, right, offset}, queries, keys);
                        test::check_tight(Dilated{left, right, 1, offset}, queries, keys);
                        test::check_tight(Dilated{left, right, 2, offset}, queries, keys);
                        test::check_tight(Dilated{left, right, 3, offset}, queries, keys);
                    }
    for (const Index step : {1, 2, 3, 20})
        for (const Index first : {0, 1, 5, 30}) test::check_tight(Strided{step, first}, 7, 13);
    test::check_tight(Window{Window::unbounded, Window::unbounded}, 5, 7);
    test::check_tight(Dilated{Window::unbounded, 0, 3}, 9, 9);
}

TEST_CASE("a window is as wide as it says") {
    CHECK(masks::key_bounds(Window{256}, {1024, 1056}, 4096) == Range{768, 1056});
    CHECK(masks::full_keys(Window{256}, {1024, 1056}, 4096) == Range{799, 1025});
    CHECK(masks::cover(Window{256}, {0, {1024, 1056}, {0, 768}}) == Cover::empty);
    CHECK(masks::cover(Window{256}, {0, {1024, 1056}, {799, 1025}}) == Cover::full);
}

TEST_CASE("without an offset they want as many queries as keys") {
    CHECK(masks::fits(Window{3}, 4, 4));
    CHECK_FALSE(masks::fits(Window{3}, 1, 4));
    CHECK(masks::fits(Window{.left = 3, .offset = 3}, 1, 4));
    CHECK_FALSE(masks::fits(Dilated{3}, 1, 4));
    CHECK(masks::fits(Strided{3}, 1, 4));
}

}  // namespace mask_catalog_window
