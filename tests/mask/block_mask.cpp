#include <doctest/doctest.h>

#include <tessera/mask/block_mask.hpp>
#include <tessera/mask/catalog/predicate.hpp>
#include "support/catalogue.hpp"
#include "support/mask.hpp"

namespace mask_block_mask {
using namespace tessera;

TEST_CASE("the map of a lambda's tiles") {
    const Predicate mask{[](Index query, Index key) { return key <= query; }};
    const BlockMap map(mask, 10, 12, 0, 4, 4);
    CHECK(map.height() == 3);
    CHECK(map.width() == 3);
    const std::vector<Cover> expected{Cover::partial, Cover::empty, Cover::empty, Cover::full,   Cover::partial,
                                      Cover::empty,   Cover::full,  Cover::full,  Cover::partial};
    for (Index y = 0; y < 3; ++y)
        for (Index x = 0; x < 3; ++x) CHECK(map(y, x) == expected[static_cast<std::size_t>(y * 3 + x)]);
    CHECK(map.bytes() == 9 + 3 * Index{sizeof(Range)});
    CHECK(map.count(Cover::empty) == 3);
    CHECK(map.count(Cover::full) == 3);
    CHECK(map.key_bounds({0, 4}) == Range{0, 4});
    CHECK(map.key_bounds({3, 5}) == Range{0, 8});
}

TEST_CASE("the bits of mixed tiles are kept, and no others") {
    const Predicate mask{[](Index query, Index key) { return key <= query; }};
    const BlockMap map(mask, 10, 12, 0, 4, 4, true);
    CHECK(map.keeps_bits());
    CHECK(map.bytes() == 9 + 3 * Index{sizeof(Range)} + 4 * (9 + (2 + 3) * 4));
    for (Index query = 0; query < 10; ++query)
        for (Index key = 0; key < 12; ++key)
            CHECK(map.bits(query, {key, 12}) == masks::ones({key, std::max(key, query + 1)}, key));
    CHECK_FALSE(BlockMap(mask, 10, 12, 0, 4, 4).keeps_bits());
}

TEST_CASE("a classified mask is the mask") {
    for (const auto& [queries, keys] : {std::pair<Index, Index>{9, 9}, {3, 40}, {13, 7}}) {
        const test::Catalogue catalogue(queries, keys);
        for (const test::NamedMask& one : catalogue) {
            CAPTURE(one.name);
            const AnyMask plain = Predicate{[&one](Site at) { return one.mask.allows(at); }};
            for (const AnyMask& mask : {one.mask, plain})
                for (const Index rows : {1, 3, 64}) {
                    const BlockMask classified(mask, queries, keys, one.heads, rows, rows + 1);
                    test::check(classified, queries, keys, one.heads);
                    for (Index head = 0; head < one.heads; ++head)
                        CHECK(test::picture(classified, queries, keys, head) ==
                              test::picture(one.mask, queries, keys, head));
                }
        }
    }
}

TEST_CASE("on the grid it is exact, whatever the mask says itself") {
    const BlockMask mask(Predicate{[](Index query, Index key) { return key / 8 <= query / 8; }}, 64, 64, 1, 8, 8);
    CHECK(verify(mask, 64, 64, 1, 8).loose == 0);
}

TEST_CASE("it asks the mask once, and fits the lengths it was made for") {
    Index asked = 0;
    const Predicate counting{[&asked](Site at) { return ++asked, at.key <= at.query; }};
    const BlockMask mask(counting, 65, 65, 1);
    const Index once = asked;
    CHECK(once <= 65 * 65);
    CHECK(masks::cover(mask, {0, {0, 64}, {64, 65}}) == Cover::empty);
    CHECK(masks::cover(mask, {7, {64, 65}, {0, 64}}) == Cover::full);  // every head, as it was told that they are alike
    CHECK(masks::bits(mask, 3, 40, {30, 65}) == masks::ones({30, 41}, 30));
    CHECK(asked == once);
    CHECK(masks::fits(mask, 65, 65));
    CHECK_FALSE(masks::fits(mask, 65, 64));
}

}  // namespace mask_block_mask
