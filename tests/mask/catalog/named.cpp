#include <doctest/doctest.h>

#include <tessera/mask/catalog.hpp>
#include "support/mask.hpp"

namespace mask_catalog_named {
using namespace tessera;
using test::picture;

static_assert(verify(masks::prefix_lm(3), 7, 7) && verify(masks::global_window(2, {1, 1}), 7, 7));

TEST_CASE("compositions with a name look as their comments show them") {
    CHECK(picture(masks::prefix_lm(2), 5, 5) == "##...|##...|###..|####.|#####");
    CHECK(picture(masks::prefix_lm(2, Causal::after(2)), 2, 4) == "###.|####");
    CHECK(picture(masks::global_window(1, {1, 1}), 5, 5) == "#####|###..|####.|#.###|#..##");
    CHECK(picture(masks::sparse_strided(3), 7, 7) == "#......|##.....|###....|####...|.####..|..####.|#..####");
    for (const Index rows : {1, 7, 13}) {
        test::check_tight(masks::prefix_lm(4), rows, rows);
        test::check_tight(masks::prefix_lm(4, Causal::after(2)), rows, rows + 2);
        test::check_tight(masks::global_window(2, {1, 2}), rows, rows);
        test::check_tight(masks::sparse_strided(4), rows, rows);
    }
}

}  // namespace mask_catalog_named
