#include <doctest/doctest.h>

#include <tessera/mask/catalog.hpp>
#include "support/catalogue.hpp"
#include "support/mask.hpp"

namespace mask_catalog {
using namespace tessera;

namespace {

constexpr Index ids[] = {4, 4, 7, 7, 7}, starts[] = {0, 2, 5}, text_lengths[] = {3, 1}, parents[] = {-1, 0, 0, 1, 1};
constexpr std::uint64_t words[] = {1, 3, 5};
constexpr std::uint8_t cells[] = {1, 0, 1, 1};
constexpr Window windows[] = {{0}, {1}};

// Every family is checked by the compiler, too.
static_assert(verify(Documents{ids}, 5, 5) && verify(Packed{starts, starts, CausalBottomRight{}}, 5, 5));
static_assert(verify(Padded{text_lengths, 2, 3}, 4, 6) && verify(Padded{text_lengths, 2, 3, Padded::Side::left}, 4, 6));
static_assert(verify(Pattern{"#.|##"}, 2, 2) && verify(Bitmap{words, 3, 3}, 3, 3));
static_assert(verify(BlockSparse{{cells, {2, 2}}, 2, 2}, 4, 4) && verify(Tree{parents}, 5, 5));
static_assert(verify(Choose{FirstHeads{1}, Window{1}, Causal{}}, 4, 4, 2));
static_assert(verify(PerHead{std::span<const Window>(windows)}, 4, 4, 3) && verify(Random{0.5, 7}, 4, 4));
static_assert(verify(Neighborhood{2, 2}, 4, 4) && verify(Shifted{Dilated{4, 0, 2}, -1, -1}, 5, 5));
static_assert(verify(~(masks::global_window(1, {1}) & Strided{2}) | masks::sparse_strided(2), 5, 5));

}  // namespace

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

TEST_CASE("all of them but lambdas promise to tell every tile") {
    const test::Catalogue catalogue(9, 11);
    for (const test::NamedMask& one : catalogue) {
        CAPTURE(one.name);
        CHECK(masks::cover_is_exact(one.mask) == !one.text.empty());
    }
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
    CHECK(excerpt((BlockSparse{blocks, 13, 13} | window) & FirstKeys{65} & ~masks::uni_modal(11), 9, 0, 6, 34) ==
          "...........#######################|...........#######################|"
          ".....######.......................|......#####.......................|"
          ".......####.......................|........###.......................");
    CHECK(excerpt(masks::multimodal_causal(8) & FirstKeys{20}, 15, 0, 4, 24) ==
          "################........|#################.......|##################......|###################.....");
    CHECK(excerpt(Causal{} & ~Causal{}, 0, 0, 2, 9) == ".........|.........");
}

}  // namespace mask_catalog
