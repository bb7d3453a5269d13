#include <doctest/doctest.h>

#include <tessera/mask/catalog.hpp>
#include "support/mask.hpp"

namespace mask_catalog_tree {
using namespace tessera;
using test::picture;

static constexpr Index branches[] = {-1, 0, 0, 1, 1};
static_assert(verify(Tree{branches}, 5, 5));

TEST_CASE("nodes see their ancestors") {
    CHECK(picture(Tree{branches}, 5, 5) == "#....|##...|#.#..|##.#.|##..#");
    CHECK(picture(FirstKeys{2} | Shifted{Tree{branches}, 0, -2}, 5, 7) ==
          "###....|####...|##"
          "#.#..|####.#.|####..#");
    const std::vector<Index> chain{-1, 0, 1, 2}, forest{-1, -1, 0, 1, 1, 2, 5, -1, 7, 6};
    CHECK(picture(Tree{chain}, 4, 4) == picture(Causal{}, 4, 4));
    test::check_tight(Tree{chain}, 4, 4);
    test::check_tight(Tree{forest}, 10, 10);
    test::check_tight(Tree{forest}, 12, 11);
    test::check_tight(Tree{std::span<const Index>{}}, 2, 2);
    test::check(FirstKeys{3} | Shifted{Tree{forest}, 0, -3}, 10, 13);
    CHECK(masks::fits(Tree{chain}, 4, 4));
    CHECK_FALSE(masks::fits(Tree{chain}, 4, 5));
    const std::vector<Index> loop{-1, 1};
    CHECK_THROWS_WITH_AS(Tree{loop}, "[option.value] Tree: expected a parent from -1 to 0 for node 1, found 1", Error);
}

}  // namespace mask_catalog_tree
