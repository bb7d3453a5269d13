#include <doctest/doctest.h>

#include <tessera/mask/catalog.hpp>
#include <tessera/study/draw.hpp>

namespace study_draw {
using namespace tessera;

TEST_CASE("small masks are drawn score by score") {
    CHECK(draw(masks::prefix_lm(2), 4, 5) == "##...\n##...\n###..\n####.\n");
    CHECK(draw(Causal{}, 0, 0) == "");
}

TEST_CASE("large masks are drawn by density") {
    CHECK(draw(Causal{}, 64, 64, {.side = 4}) == "+...\n#+..\n##+.\n###+\n");
    CHECK(draw(Strided{.step = 4} & ~FirstQueries{16}, 64, 64, {.side = 4}) == "....\n----\n----\n----\n");
    CHECK(draw(~Strided{.step = 4}, 64, 64, {.side = 4}) == "****\n****\n****\n****\n");
    CHECK(draw(Causal{}, 65, 65, {.side = 4}) == "+...\n#+..\n##+.\n###+\n");  // 17 scores a cell
}

TEST_CASE("all heads that a mask tells apart are drawn") {
    const Window windows[] = {{0}, {1}};
    const PerHead mask{windows};
    CHECK(draw(mask, 2, 2) == "head 0\n#.\n.#\n\nhead 1\n#.\n##\n");
    CHECK(draw(mask, 2, 2, {.head = 1}) == "#.\n##\n");
    CHECK(draw(mask, 2, 2, {.heads = 1}) == "#.\n.#\n");
    CHECK(draw(Choose{FirstHeads{1}, Causal{}, Full{}}, 2, 2) == "head 0\n#.\n##\n\nhead 1\n##\n##\n");
    CHECK(draw(Predicate{[](Site at) { return at.key == 0; }}, 1, 2) == "#.\n");
    CHECK(describe(mask, 2, 2).starts_with("2 heads of 2 queries"));
}

TEST_CASE("the sentence has the figures of the kernel's tiles") {
    CHECK(describe(Causal{}, 256, 256) ==
          "256 queries × 256 keys, 50.2 % visible; of 64 tiles of 32 × 32, 28 skipped, 8 masked, 28 whole: up to 1.78× "
          "as fast as without it");
    CHECK(describe(~Full{}, 2, 2) ==
          "2 queries × 2 keys, 0.0 % visible; of 1 tile of 32 × 32, 1 skipped, 0 masked, 0 whole");
    CHECK(describe(FirstHeads{1}, 64, 64, {.heads = 4, .tile_queries = 64, .tile_keys = 16}) ==
          "4 heads of 64 queries × 64 keys, 25.0 % visible; of 16 tiles of 64 × 16, 12 skipped, 0 masked, 4 whole: up "
          "to 4.00× as fast as without it");
}

}  // namespace study_draw
