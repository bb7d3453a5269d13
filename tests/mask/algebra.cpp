#include <doctest/doctest.h>

#include <tessera/mask/algebra.hpp>
#include <tessera/mask/catalog/order.hpp>
#include <tessera/mask/catalog/predicate.hpp>
#include <tessera/study/verify.hpp>
#include "support/mask.hpp"

namespace mask_algebra {
using namespace tessera;
using test::picture;

template <class A, class B>
concept Combines = requires(A a, B b) {
    a& b;
};
static_assert(Combines<Full, Causal> && !Combines<Full, Range> && !Combines<Range, Range> && !Combines<Site, Full>);

TEST_CASE("and, or, not") {
    CHECK(picture(Causal{} & KeysBelow{2}, 4, 4) == "#...|##..|##..|##..");
    CHECK(picture(Causal{} | KeysBelow{2}, 4, 4) == "##..|##..|###.|####");
    CHECK(picture(~Causal{}, 3, 3) == ".##|..#|...");
    CHECK(picture(~(SameSegment{1} | Causal{}), 3, 3) == ".##|...|...");
}

TEST_CASE("both partial, together nothing or everything: proved by hulls or row by row") {
    CHECK(cover(KeysBelow{4} & ~KeysBelow{4}, {0, {0, 8}, {0, 8}}) == Cover::none);
    CHECK(cover(KeysBelow{4} | ~KeysBelow{4}, {0, {0, 8}, {0, 8}}) == Cover::all);
    CHECK(cover(Causal{} & ~Causal{}, {0, {0, 8}, {0, 8}}) == Cover::none);
    CHECK(cover(Causal{} | ~Causal{}, {0, {0, 8}, {0, 8}}) == Cover::all);
    CHECK(cover(KeysBelow{4} | Causal{}, {0, {6, 8}, {2, 7}}) == Cover::all);
    CHECK(cover(Causal{} & ~Causal{.offset = -4}, {0, {8, 10}, {2, 6}}) == Cover::some);
    CHECK(cover(Causal{} & ~Causal{.offset = -4}, {0, {8, 10}, {0, 5}}) == Cover::none);
    CHECK(verify(KeysBelow{3} | Causal{}, 9, 9).loose == 0);
    CHECK(verify(Causal{} & ~Causal{.offset = -4}, 12, 12).loose == 0);
    CHECK(verify(~(Causal{} & ~Causal{.offset = -4}), 12, 12).loose == 0);
    CHECK(verify(~(Causal{} & ~Causal{.offset = -4}) | KeysBelow{2}, 12, 12).loose == 0);
    CHECK(verify((Causal{} & KeysBelow{7}) | (QueriesBelow{3} & KeysBelow{5}), 11, 13).loose == 0);
    CHECK(verify(~(KeysBelow{4} & Causal{}) | KeysBelow{2}, 9, 9).loose == 0);
}

TEST_CASE("the range of visible keys composes") {
    const auto band = Causal{} & ~Causal{.offset = -4};
    CHECK(visible_keys(band, {10, 12}, 64) == Range{7, 12});
    CHECK(common_keys(Causal{} | KeysBelow{2}, {0, 1}, 64) == Range{0, 2});
    CHECK(visible_keys(Causal{} | KeysBelow{30}, {3, 5}, 20) == Range{0, 20});
    CHECK(visible_keys(~KeysBelow{30}, {3, 5}, 20).empty());
    CHECK(visible_keys(Where{[](Site) { return true; }} & KeysBelow{3}, {3, 5}, 20) == Range{0, 3});
}

TEST_CASE("lengths have to fit every part") {
    CHECK(fits(Causal{} | KeysBelow{2}, 4, 4));
    CHECK_FALSE(fits(KeysBelow{2} | Causal{}, 4, 5));
    CHECK_FALSE(fits(~Causal{} & Full{}, 4, 5));
    CHECK(fits(~Causal::top_left() & Full{}, 4, 5));
}

TEST_CASE("bits of a row") {
    CHECK(visible_bits(Full{}, 0, 0, {0, 64}) == ~std::uint64_t{0});
    CHECK(visible_bits(Causal{}, 0, 5, {4, 12}) == 0b11);
    CHECK(visible_bits(Causal{}, 0, 5, {6, 12}) == 0);
    CHECK(visible_bits(Where{[](Site at) { return at.key % 3 == 0; }} & Causal{}, 0, 9, {2, 20}) == 0b10010010);
    CHECK(visible_bits(Where{[](Site at) { return at.key % 3 == 0; }} | KeysBelow{5}, 0, 9, {2, 12}) == 0b0010010111);
}

}  // namespace mask_algebra
