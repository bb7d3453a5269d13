#include <doctest/doctest.h>

#include <tessera/mask/catalog.hpp>
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
    CHECK(picture(Causal{} & FirstKeys{2}, 4, 4) == "#...|##..|##..|##..");
    CHECK(picture(Causal{} | FirstKeys{2}, 4, 4) == "##..|##..|###.|####");
    CHECK(picture(~Causal{}, 3, 3) == ".##|..#|...");
    CHECK(picture(~(SameSegment{1} | Causal{}), 3, 3) == ".##|...|...");
}

TEST_CASE("both partial, together nothing or everything: proved by hulls or row by row") {
    CHECK(masks::cover(FirstKeys{4} & ~FirstKeys{4}, {0, {0, 8}, {0, 8}}) == Cover::empty);
    CHECK(masks::cover(FirstKeys{4} | ~FirstKeys{4}, {0, {0, 8}, {0, 8}}) == Cover::full);
    CHECK(masks::cover(Causal{} & ~Causal{}, {0, {0, 8}, {0, 8}}) == Cover::empty);
    CHECK(masks::cover(Causal{} | ~Causal{}, {0, {0, 8}, {0, 8}}) == Cover::full);
    CHECK(masks::cover(FirstKeys{4} | Causal{}, {0, {6, 8}, {2, 7}}) == Cover::full);
    CHECK(masks::cover(Causal{} & ~Causal{.offset = -4}, {0, {8, 10}, {2, 6}}) == Cover::partial);
    CHECK(masks::cover(Causal{} & ~Causal{.offset = -4}, {0, {8, 10}, {0, 5}}) == Cover::empty);
    CHECK(verify(FirstKeys{3} | Causal{}, 9, 9).loose == 0);
    CHECK(verify(Causal{} & ~Causal{.offset = -4}, 12, 12).loose == 0);
    CHECK(verify(~(Causal{} & ~Causal{.offset = -4}), 12, 12).loose == 0);
    CHECK(verify(~(Causal{} & ~Causal{.offset = -4}) | FirstKeys{2}, 12, 12).loose == 0);
    CHECK(verify((Causal{} & FirstKeys{7}) | (FirstQueries{3} & FirstKeys{5}), 11, 13).loose == 0);
    CHECK(verify(~(FirstKeys{4} & Causal{}) | FirstKeys{2}, 9, 9).loose == 0);
}

TEST_CASE("the range of visible keys composes") {
    const auto band = Causal{} & ~Causal{.offset = -4};
    CHECK(masks::key_bounds(band, {10, 12}, 64) == Range{7, 12});
    CHECK(masks::full_keys(Causal{} | FirstKeys{2}, {0, 1}, 64) == Range{0, 2});
    CHECK(masks::key_bounds(Causal{} | FirstKeys{30}, {3, 5}, 20) == Range{0, 20});
    CHECK(masks::key_bounds(~FirstKeys{30}, {3, 5}, 20).empty());
    CHECK(masks::key_bounds(Predicate{[](Site) { return true; }} & FirstKeys{3}, {3, 5}, 20) == Range{0, 3});
}

TEST_CASE("lengths have to fit every part") {
    CHECK(masks::fits(Causal{} | FirstKeys{2}, 4, 4));
    CHECK_FALSE(masks::fits(FirstKeys{2} | Causal{}, 4, 5));
    CHECK_FALSE(masks::fits(~Causal{} & Full{}, 4, 5));
    CHECK(masks::fits(~Causal::top_left() & Full{}, 4, 5));
}

TEST_CASE("bits of a row") {
    CHECK(masks::bits(Full{}, 0, 0, {0, 64}) == ~std::uint64_t{0});
    CHECK(masks::bits(Causal{}, 0, 5, {4, 12}) == 0b11);
    CHECK(masks::bits(Causal{}, 0, 5, {6, 12}) == 0);
    CHECK(masks::bits(Predicate{[](Site at) { return at.key % 3 == 0; }} & Causal{}, 0, 9, {2, 20}) == 0b10010010);
    CHECK(masks::bits(Predicate{[](Site at) { return at.key % 3 == 0; }} | FirstKeys{5}, 0, 9, {2, 12}) ==
          0b0010010111);
}

}  // namespace mask_algebra
