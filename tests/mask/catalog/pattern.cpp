#include <doctest/doctest.h>

#include <tessera/core/tensor.hpp>
#include <tessera/mask/catalog.hpp>
#include "support/mask.hpp"

namespace mask_catalog_pattern {
using namespace tessera;
using test::picture;

static_assert(verify(Pattern{"#..|##.|#.#"}, 3, 3));
static_assert(Pattern{"#..|##.|#.#"}.fits(3, 3));

TEST_CASE("a picture is a mask") {
    CHECK(picture(Pattern{"#..\n##.\n#.#"}, 3, 3) == "#..|##.|#.#");
    CHECK(picture(Pattern{"#..|##."} | FirstKeys{1}, 3, 4) == "#...|##..|#...");
    CHECK(masks::fits(Pattern{".#.."}, 1, 4));
    CHECK_FALSE(masks::fits(Pattern{".#.."}, 4, 1));
    CHECK_THROWS_WITH_AS(Pattern{"#..|##|#.#"},
                         "[option.value] Pattern: expected rows of 3 keys, found a different row 1", Error);
    CHECK_THROWS_AS(Pattern{"#..|##..|#.#"}, Error);
    CHECK_THROWS_WITH_AS(Pattern{"#..|##"}, "[option.value] Pattern: expected rows of 3 keys, found a different row 1",
                         Error);
    CHECK(Pattern{"#..|##.|"}.queries() == 2);
}

TEST_CASE("a bitmap holds any mask") {
    for (const Index queries : {1, 3, 17})
        for (const Index keys : {1, 7, 63, 64, 65, 130}) {
            const Random lots{.density = 0.4, .seed = 3};
            const auto words = bits_of(lots, queries, keys);
            const Bitmap mask(words, queries, keys);
            CHECK(picture(mask, queries, keys) == picture(lots, queries, keys));
            test::check_tight(mask, queries, keys);
            test::check(mask, queries + 1, keys + 5);  // beyond the table nothing is visible
            const auto ordered = bits_of(Causal::top_left(), queries, keys);
            test::check_tight(Bitmap(ordered, queries, keys), queries, keys);
            CHECK(masks::key_bounds(Bitmap(ordered, queries, keys), {0, queries}, keys) ==
                  Range{0, std::min(queries, keys)});
        }
    const std::vector<std::uint64_t> three(3);
    CHECK_THROWS_WITH_AS(Bitmap(three, 2, 65), "[option.value] Bitmap: expected 4 words for 2 × 65 scores, found 3",
                         Error);
}

TEST_CASE("a choice for each block") {
    const Tensor<std::uint8_t, dyn, dyn> small({2, 2}, {1, 0, 1, 1});
    CHECK(picture(BlockSparse{small, 2, 2}, 4, 4) == "##..|##..|####|####");
    CHECK(picture(BlockSparse{small, 3, 2}, 4, 3) == "##.|##.|##.|###");
    const Tensor<std::uint8_t, dyn, dyn> blocks({4, 3}, {1, 0, 1, 0, 0, 0, 1, 1, 0, 0, 1, 1});
    test::check_tight(BlockSparse{blocks, 3, 5}, 12, 15);
    test::check_tight(BlockSparse{blocks, 3, 5}, 10, 11);
    test::check(BlockSparse{blocks, 3, 5}, 14, 17);  // beyond the table nothing is visible
    CHECK(masks::fits(BlockSparse{blocks, 3, 5}, 10, 11));
    CHECK_FALSE(masks::fits(BlockSparse{blocks, 3, 5}, 13, 11));
    CHECK_FALSE(masks::fits(BlockSparse{blocks, 3, 5}, 10, 10));
}

}  // namespace mask_catalog_pattern
