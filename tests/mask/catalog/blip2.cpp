#include <doctest/doctest.h>

#include <tessera/mask/catalog.hpp>
#include <tessera/study/verify.hpp>
#include "support/mask.hpp"

namespace mask_catalog_blip2 {
using namespace tessera;
using test::picture;

static_assert(verify(masks::uni_modal(3), 8, 8) && verify(masks::multimodal_causal(3), 8, 8));

TEST_CASE("the masks of the paper's figure 2") {
    CHECK(picture(masks::uni_modal(2), 5, 5) == "##...|##...|..###|..###|..###");
    CHECK(picture(masks::bidirectional(), 2, 2) == "##|##");
    CHECK(picture(masks::multimodal_causal(2), 5, 5) == "##...|##...|###..|####.|#####");
    // The text's rows alone, behind cached queries.
    CHECK(picture(Causal::after(2), 3, 5) == "###..|####.|#####");
}

TEST_CASE("32 queries and any text: every tile is told") {
    for (const Index text : {0, 1, 16, 33}) {
        const Index rows = 32 + text;
        CHECK(verify(masks::multimodal_causal(32), rows, rows, 1, 4).loose == 0);
        CHECK(verify(masks::uni_modal(32), rows, rows, 1, 4).loose == 0);
        CHECK(masks::fits(masks::multimodal_causal(32), rows, rows));
    }
}

}  // namespace mask_catalog_blip2
