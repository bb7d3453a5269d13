#include <doctest/doctest.h>

#include <tessera/mask/catalog/blip2.hpp>
#include <tessera/mask/packed.hpp>
#include <tessera/study/verify.hpp>
#include <vector>
#include "support/mask.hpp"

namespace mask_packed {
using namespace tessera;
using test::picture;

static constexpr Index two[] = {0, 2, 5};
static_assert(verify(Packed{std::span<const Index>(two), Causal{}}, 5, 5));
static_assert(masks::same_sequence(Packed{std::span<const Index>(two), Causal{}}, {0, 5}) == Range{0, 2});
static_assert(masks::same_sequence(Packed{std::span<const Index>(two), Causal{}}, {3, 4}) == Range{3, 4});
static_assert(masks::same_sequence(Packed{std::span<const Index>(two), Causal{}}, {2, 9}) == Range{2, 5});
static_assert(masks::same_sequence(Packed{std::span<const Index>(two), Causal{}}, {5, 9}) == Range{5, 9});
static_assert(masks::same_sequence(Causal{}, {3, 9}) == Range{3, 9});

// Made of a list or of a temporary, a mask owns its offsets: what it reads after their end would not be a constant.
static_assert(verify(Packed{{0, 2, 5}, Causal{}}, 5, 5));
static_assert([] {
    const auto mask = Packed{std::vector<Index>{0, 2, 5}, Causal{}};
    const auto copy = mask;
    return copy.allows({0, 3, 2}) && !copy.allows({0, 3, 1});
}());

TEST_CASE("each sequence sees itself, by its own rule") {
    const std::vector<Index> starts{0, 2, 2, 5};
    CHECK(picture(Packed{starts, Causal{}}, 5, 5) == "#....|##...|..#..|..##.|..###");
    CHECK(picture(Packed{starts}, 5, 5) == "##...|##...|..###|..###|..###");
    CHECK(picture(Packed{starts, masks::multimodal_causal(2)}, 5, 5) == "##...|##...|..##.|..##.|..###");
}

TEST_CASE("queries and keys may have lengths of their own") {
    const std::vector<Index> queries{0, 1, 3, 3, 4}, keys{0, 3, 5, 6, 6};
    CHECK(picture(Packed{queries, keys, Full{}}, 4, 6) == "###...|...##.|...##.|......");
    CHECK(picture(Packed{queries, keys, CausalBottomRight{}}, 4, 6) == "###...|...#..|...##.|......");
    CHECK(masks::fits(Packed{queries, keys, CausalBottomRight{}}, 4, 6));
    CHECK_FALSE(masks::fits(Packed{queries, keys, Causal{}}, 4, 6));
    CHECK_FALSE(masks::fits(Packed{queries, keys, Full{}}, 4, 7));
    CHECK_FALSE(masks::fits(Packed{queries, keys, Full{}}, 5, 6));
    CHECK(masks::fits(Packed{queries, Causal{}}, 4, 4));
}

TEST_CASE("what it says of tiles and ranges is true, and as tight as its rule") {
    const std::vector<std::vector<Index>> batches{
        {}, {0}, {3}, {0, 0, 0}, {0, 9}, {0, 4, 9}, {0, 0, 0, 9}, {0, 9, 9, 9}, {2, 3, 3, 7}, {0, 1, 2, 3, 4, 5, 6, 7}};
    for (const auto& starts : batches) {
        const auto tight = [](const auto& mask, Index queries, Index keys) {
            const Verdict verdict = verify(mask, queries, keys);
            CHECK_MESSAGE(verdict, verdict.text());
            CHECK(verdict.loose == 0);
        };
        tight(Packed{starts}, 9, 9);
        tight(Packed{starts, Causal{}}, 9, 9);
        tight(Packed{starts, Causal{}}, 5, 11);
        tight(Packed{starts, FirstKeys{2} | Causal{}}, 9, 9);
        tight(Packed{starts, starts, CausalBottomRight{}}, 9, 9);
    }
    const std::vector<Index> queries{0, 1, 3, 3, 8}, keys{0, 3, 4, 6, 6};
    CHECK(verify(Packed{queries, keys, CausalBottomRight{}}, 9, 9));
    CHECK(verify(Packed{keys, queries, Causal::top_left()}, 9, 9));
}

TEST_CASE("a block of queries is shown the keys of its sequences only") {
    const std::vector<Index> starts{0, 100, 100, 300};
    const Packed mask{starts, Causal{}};
    CHECK(masks::key_bounds(mask, {0, 32}, 300) == Range{0, 32});
    CHECK(masks::key_bounds(mask, {96, 128}, 300) == Range{0, 128});
    CHECK(masks::key_bounds(mask, {128, 160}, 300) == Range{100, 160});
    CHECK(masks::full_keys(mask, {128, 160}, 300) == Range{100, 129});
    CHECK(masks::cover(mask, {0, {128, 160}, {0, 100}}) == Cover::empty);
    CHECK(masks::cover(mask, {0, {200, 232}, {120, 152}}) == Cover::full);
    CHECK(masks::cover(mask, {0, {200, 232}, {99, 152}}) == Cover::partial);
}

TEST_CASE("offsets that are no offsets are refused") {
    const std::vector<Index> back{0, 3, 2}, two_starts{0, 3}, three_starts{0, 1, 3};
    CHECK_THROWS_WITH_AS(Packed{back}, "[option.value] Packed: expected offsets that do not decrease, found 3 before 2",
                         Error);
    CHECK_THROWS_WITH_AS((Packed{two_starts, three_starts, Full{}}),
                         "[option.value] Packed: expected as many offsets of keys as of queries, found 3 and 2", Error);
}

}  // namespace mask_packed
