#include <doctest/doctest.h>

#include <random>
#include "support/catalogue.hpp"
#include "support/mask.hpp"

using namespace tessera;

TEST_CASE("every mask of the catalogue keeps its word at odd sizes") {
    for (const Index queries : {1, 7, 33, 65})
        for (const Index keys : {1, 7, 33, 65}) {
            const test::Catalogue catalogue(queries, keys);
            for (const test::NamedMask& one : catalogue) {
                CAPTURE(one.name);
                test::check(one.mask, queries, keys, one.heads);
            }
        }
}

namespace {

/// The smallest part of a composition that breaks its word.
const test::Composition* broken(const test::Composition& whole, Index queries, Index keys) {
    for (const test::Composition& part : whole.parts)
        if (const auto* found = broken(part, queries, keys)) return found;
    return verify(whole.whole.mask, queries, keys, whole.whole.heads) ? nullptr : &whole;
}

/// What a composition allows, by the parts it was made of.
bool expected(const test::Composition& whole, Site at) {
    if (whole.operation == '~') return !expected(whole.parts[0], at);
    if (whole.operation == '&') return expected(whole.parts[0], at) && expected(whole.parts[1], at);
    if (whole.operation == '|') return expected(whole.parts[0], at) || expected(whole.parts[1], at);
    return whole.whole.mask.allows(at);
}

}  // namespace

TEST_CASE("so do thousands of random compositions") {
    std::mt19937 random(20240611);
    const auto lot = [&random](std::size_t count) { return static_cast<std::size_t>(random() % count); };
    Index tiles = 0, loose = 0;
    for (const auto& [queries, keys] : {std::pair<Index, Index>{8, 8}, {11, 9}, {5, 14}, {1, 12}}) {
        const test::Catalogue catalogue(queries, keys);
        for (int i = 0; i < 750; ++i) {
            const test::Composition one = test::compose_by_lot(catalogue, lot, 3);
            const Verdict verdict = verify(one.whole.mask, queries, keys, one.whole.heads);
            tiles += verdict.tiles, loose += verdict.loose;
            if (!verdict) {
                const test::NamedMask& smallest = broken(one, queries, keys)->whole;
                FAIL(queries, " × ", keys, ", ", smallest.name, ": ",
                     verify(smallest.mask, queries, keys, smallest.heads).text());
            }
            for (Index head = 0; head < one.whole.heads; ++head)
                for (Index query = 0; query < queries; ++query)
                    for (Index key = 0; key < keys; ++key)
                        REQUIRE(one.whole.mask.allows({head, query, key}) == expected(one, {head, query, key}));
        }
    }
    CHECK(loose * 50 < tiles);  // sound is a must, tight a wish: hulls and single rows tell all but 2 %
}

TEST_CASE("excerpts of tables that were computed with PyTorch") {
    // `rows` × `keys` scores from (query, key) on.
    const auto excerpt = [](const auto& mask, Index query, Index key, Index rows, Index keys) {
        return test::picture(Shifted{mask, query, key}, rows, keys);
    };
    CHECK(excerpt(Causal::bottom_right(33, 7), 24, 0, 6, 7) == ".......|.......|#......|##.....|###....|####...");
    CHECK(excerpt(Causal::bottom_right(7, 33), 0, 23, 3, 10) == "####......|#####.....|######....");
    CHECK(excerpt(masks::uni_modal(8), 6, 0, 4, 12) == "########....|########....|........####|........####");
    CHECK(excerpt(masks::multimodal_causal(8), 6, 0, 4, 12) == "########....|########....|#########...|##########..");
    CHECK(excerpt(masks::prefix_lm(20, Causal::bottom_right(33, 65)), 0, 18, 2, 16) ==
          "###############.|################");
    CHECK(excerpt(Window{5, 2, 0}, 30, 21, 5, 12) ==
          "....########|.....#######|......######|.......#####|........####");
    const std::vector<Index> lengths{33, 12, 1};
    CHECK(excerpt(Padded{lengths, 33, 33, Padded::Side::left}, 33, 33, 2, 33) ==
          ".....................############|.....................############");
    const Window window{6, 6};
    CHECK(excerpt(window | masks::prefix_lm(4, Causal{-65}), 9, 0, 3, 20) ==
          "################....|#################...|####.#############..");
    CHECK(excerpt(Causal{} & ~window, 9, 0, 4, 14) == "###...........|####..........|#####.........|######........");
    const Tensor<std::uint8_t, dyn, dyn> blocks(
        {5, 5}, {0, 1, 1, 0, 1, 0, 0, 0, 1, 0, 0, 1, 0, 1, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0});
    CHECK(excerpt((BlockSparse{blocks, 13, 13} | window) & KeysBelow{65} & ~masks::uni_modal(11), 9, 0, 6, 34) ==
          "...........#######################|...........#######################|"
          ".....######.......................|......#####.......................|"
          ".......####.......................|........###.......................");
    CHECK(excerpt(masks::multimodal_causal(8) & KeysBelow{20}, 15, 0, 4, 24) ==
          "################........|#################.......|##################......|###################.....");
    CHECK(excerpt(Causal{} & ~Causal{}, 0, 0, 2, 9) == ".........|.........");
}
