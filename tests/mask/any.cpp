#include <doctest/doctest.h>

#include <tessera/mask/any.hpp>
#include <tessera/mask/catalog/order.hpp>
#include <tessera/mask/catalog/predicate.hpp>
#include "support/mask.hpp"

namespace mask_any {
using namespace tessera;
using test::picture;

static_assert(Mask<AnyMask>);

TEST_CASE("a mask chosen at run time says what the mask inside says") {
    AnyMask mask = Causal{};
    CHECK(picture(mask, 2, 2) == "#.|##");
    CHECK(cover(mask, {0, {4, 8}, {0, 4}}) == Cover::all);
    CHECK(visible_keys(mask, {4, 8}, 20) == Range{0, 8});
    CHECK(common_keys(mask, {4, 8}, 20) == Range{0, 5});
    CHECK(visible_bits(mask, 0, 2, {0, 4}) == 7);
    CHECK_FALSE(fits(mask, 2, 3));
    mask = KeysBelow{1} | mask;
    CHECK(picture(mask, 2, 2) == "#.|##");
    CHECK(verify(mask, 6, 6).loose == 0);
    mask = mask & Where{[](Site at) { return at.key != 0; }};
    CHECK(picture(mask, 3, 3) == "...|.#.|.##");
    mask = ~mask;
    CHECK(picture(mask, 3, 3) == "###|#.#|#..");
    CHECK(verify(mask, 6, 6));
}

}  // namespace mask_any
