#include <doctest/doctest.h>

#include <tessera/mask/catalog.hpp>
#include <tessera/study/verify.hpp>
#include "support/mask.hpp"

namespace mask_catalog_order {
using namespace tessera;
using test::picture;

TEST_CASE("masks by position look as their comments show them") {
    CHECK(picture(Full{}, 2, 3) == "###|###");
    CHECK(picture(Causal{}, 4, 4) == "#...|##..|###.|####");
    CHECK(picture(Causal::top_left(), 2, 4) == "#...|##..");
    CHECK(picture(Causal::bottom_right(2, 4), 2, 4) == "###.|####");
    CHECK(picture(Causal::bottom_right(4, 2), 4, 2) == "..|..|#.|##");
    CHECK(picture(Causal::after(3), 1, 5) == "####.");
    CHECK(picture(Causal{.offset = -1}, 3, 3) == "...|#..|##.");
    CHECK(picture(FirstKeys{2}, 3, 4) == "##..|##..|##..");
    CHECK(picture(FirstQueries{2}, 3, 4) == "####|####|....");
    CHECK(picture(SameSegment{2}, 5, 5) == "##...|##...|..###|..###|..###");
    CHECK(picture(SameSegment{2}, 3, 4) == "##..|##..|..##");
}

TEST_CASE("what they say of tiles and ranges is true, and tight") {
    const auto tight = [](const auto& mask, Index queries, Index keys) {
        const Verdict verdict = verify(mask, queries, keys);
        CHECK_MESSAGE(verdict, verdict.text());
        CHECK(verdict.loose == 0);
    };
    for (const Index queries : {1, 7, 16})
        for (const Index keys : {1, 7, 17}) {
            tight(Full{}, queries, keys);
            for (const Index n : {-40, -3, 0, 1, 5, 40}) {
                tight(Causal{n}, queries, keys);
                tight(FirstKeys{n}, queries, keys);
                tight(FirstQueries{n}, queries, keys);
                CHECK(verify(SameSegment{n}, queries, keys));
            }
        }
}

static_assert(verify(Full{}, 5, 4) && verify(Causal{}, 6, 6) && verify(FirstKeys{3}, 4, 6) &&
              verify(SameSegment{3}, 5, 5));

TEST_CASE("a causal mask without an alignment wants as many queries as keys") {
    CHECK(masks::fits(Causal{}, 3, 3));
    CHECK_FALSE(masks::fits(Causal{}, 1, 3));
    CHECK(masks::fits(Causal::top_left(), 1, 3));
    CHECK(masks::fits(Causal::after(2), 1, 3));
    CHECK(masks::fits(Full{}, 1, 3));
}

}  // namespace mask_catalog_order
