#include <doctest/doctest.h>

#include <tessera/mask/catalog/blip2.hpp>
#include <tessera/mask/catalog/choice.hpp>
#include <tessera/mask/catalog/named.hpp>
#include <tessera/mask/catalog/predicate.hpp>
#include <tessera/mask/packed.hpp>
#include <tessera/study/flow.hpp>

namespace study_flow {
using namespace tessera;

namespace {

constexpr Range queries{0, 32}, text{32, 64};

// BLIP-2's first stage: the contrast must not let one side see the other, the caption must not be read by the queries.
static_assert(!reaches(masks::uni_modal(32), queries, text));
static_assert(!reaches(masks::uni_modal(32), text, queries));
static_assert(reaches(masks::bidirectional(), queries, text, 1) && reaches(masks::bidirectional(), text, queries, 1));
static_assert(reaches(masks::multimodal_causal(32), queries, text, 1));
static_assert(!reaches(masks::multimodal_causal(32), text, queries));

// However deep the Q-Former: its 12 layers, or any number; and with padding or a window on top, which only hide more.
static_assert(!reaches(masks::multimodal_causal(32), text, queries, 12));
static_assert(!reaches(masks::multimodal_causal(32) & FirstKeys{50}, text, queries));
static_assert(!reaches(masks::uni_modal(32) & Window{.left = 8, .right = 8}, queries, text));

// No future leaks through a causal mask, at any depth.
constexpr bool causal_is_causal() {
    for (Index split = 1; split < 12; ++split)
        if (reaches(Causal{}, {split, 12}, {0, split})) return false;
    return true;
}
static_assert(causal_is_causal());

}  // namespace

TEST_CASE("news travels one window a layer") {
    const Window window{.left = 3};
    CHECK(reaches(window, {0, 1}, {3, 4}, 1));
    CHECK_FALSE(reaches(window, {0, 1}, {4, 5}, 1));
    CHECK(reaches(window, {0, 1}, {30, 31}, 10));
    CHECK_FALSE(reaches(window, {0, 1}, {31, 32}, 10));
    CHECK(reaches(window, {0, 1}, {31, 32}));
    CHECK_FALSE(reaches(window, {5, 6}, {4, 5}));
}

TEST_CASE("a row knows itself without any layer") {
    CHECK(reaches(~Full{}, {3, 4}, {3, 4}, 0));
    CHECK_FALSE(reaches(Full{}, {3, 4}, {4, 5}, 0));
}

TEST_CASE("it goes through rows between, but only through those that take part") {
    // 0 → 2 → 1: nothing else.
    const Predicate detour{[](Index query, Index key) { return (query == 2 && key == 0) || (query == 1 && key == 2); }};
    CHECK_FALSE(reaches(detour, {0, 1}, {1, 2}));
    CHECK(reaches(detour, {0, 1}, {1, 3}, 1));
    CHECK(reached(detour, {0, 1}, 3, 1) == std::vector<char>{1, 0, 1});
    CHECK(reached(detour, {0, 1}, 3) == std::vector<char>{1, 1, 1});
}

TEST_CASE("any head may pass it on") {
    const auto mask = FirstHeads{2} & ~FirstHeads{1};
    CHECK_FALSE(reaches(mask, {0, 1}, {1, 2}, any_depth, 1));
    CHECK(reaches(mask, {0, 1}, {1, 2}, any_depth, 2));
}

TEST_CASE("sequences of a packed batch stay apart") {
    const std::vector<Index> starts{0, 3, 7};
    CHECK_FALSE(reaches(Packed{starts}, {0, 3}, {3, 7}));
    CHECK_FALSE(reaches(Packed{starts}, {3, 7}, {0, 3}));
    CHECK(reaches(Packed{starts}, {3, 4}, {6, 7}));
}

}  // namespace study_flow
