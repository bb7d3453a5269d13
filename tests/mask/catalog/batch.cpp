#include <doctest/doctest.h>

#include <tessera/mask/catalog.hpp>
#include "support/mask.hpp"

namespace mask_catalog_batch {
using namespace tessera;
using test::picture;

static constexpr Index numbered[] = {4, 4, 7, 7, 7};
static_assert(verify(Documents{numbered}, 5, 5));

TEST_CASE("documents by ids") {
    CHECK(picture(Documents{numbered}, 5, 5) == "##...|##...|..###|..###|..###");
    CHECK(picture(Documents{numbered} & Causal{}, 5, 5) == "#....|##...|..#..|..##.|..###");
    const std::vector<Index> queries{1, 2, 2, 5, 6}, keys{0, 1, 1, 3, 5, 5, 5};
    CHECK(picture(Documents{queries, keys}, 5, 7) == ".##....|.......|.......|....###|.......");
    test::check_tight(Documents{queries, keys}, 5, 7);
    test::check_tight(Documents{queries, keys}, 8, 9);  // rows beyond the ids see nothing
    test::check_tight(Documents{keys, queries}, 7, 5);
    test::check_tight(Documents{numbered}, 5, 5);
    test::check_tight(Documents{std::span<const Index>{}}, 3, 3);
    CHECK(masks::fits(Documents{queries, keys}, 5, 7));
    CHECK_FALSE(masks::fits(Documents{queries, keys}, 5, 6));
    const std::vector<Index> back{0, 2, 1};
    CHECK_THROWS_WITH_AS(Documents{back},
                         "[option.value] Documents: expected ids that do not decrease, found 2 before 1", Error);
}

TEST_CASE("a padded batch") {
    const std::vector<Index> lengths{3, 1};
    CHECK(picture(Padded{lengths, 2, 3}, 4, 6) == "###...|###...|...#..|...#..");
    CHECK(picture(Padded{lengths, 2, 3, Padded::Side::left}, 4, 6) == "###...|###...|.....#|.....#");
    CHECK(picture(Padded{lengths, 3, 3} & Causal{}, 6, 6) == "#.....|##....|###...|...#..|...#..|...#..");
    const std::vector<Index> more{0, 4, 2, 0, 3};
    for (const auto side : {Padded::Side::left, Padded::Side::right}) {
        test::check_tight(Padded{more, 3, 4, side}, 15, 20);
        test::check_tight(Padded{more, 1, 4, side}, 5, 20);
        test::check_tight(Padded{more, 2, 4, side}, 13, 21);
        test::check(Padded{more, 4, 4, side} & Causal{}, 20, 20);
    }
    CHECK(masks::fits(Padded{lengths, 2, 3}, 4, 6));
    CHECK_FALSE(masks::fits(Padded{lengths, 2, 3}, 6, 6));
    CHECK_THROWS_WITH_AS((Padded{more, 2, 3}), "[option.value] Padded: expected lengths from 0 to 3, found 4", Error);
}

}  // namespace mask_catalog_batch
