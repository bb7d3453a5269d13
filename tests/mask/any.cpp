#include <doctest/doctest.h>

#include <tessera/mask/any.hpp>
#include <tessera/mask/catalog.hpp>
#include "support/mask.hpp"

namespace mask_any {
using namespace tessera;
using test::picture;

static_assert(Mask<AnyMask>);

TEST_CASE("a mask chosen at run time says what the mask inside says") {
    AnyMask mask = Causal{};
    CHECK(picture(mask, 2, 2) == "#.|##");
    CHECK(masks::cover(mask, {0, {4, 8}, {0, 4}}) == Cover::full);
    CHECK(masks::key_bounds(mask, {4, 8}, 20) == Range{0, 8});
    CHECK(masks::full_keys(mask, {4, 8}, 20) == Range{0, 5});
    CHECK(masks::bits(mask, 0, 2, {0, 4}) == 7);
    CHECK_FALSE(masks::fits(mask, 2, 3));
    mask = FirstKeys{1} | mask;
    CHECK(picture(mask, 2, 2) == "#.|##");
    CHECK(verify(mask, 6, 6, 1).loose == 0);
    mask = mask & Predicate{[](Site at) { return at.key != 0; }};
    CHECK(picture(mask, 3, 3) == "...|.#.|.##");
    mask = ~mask;
    CHECK(picture(mask, 3, 3) == "###|#.#|#..");
    CHECK(verify(mask, 6, 6, 1));
}

}  // namespace mask_any
