#include <doctest/doctest.h>

#include <tessera/mask/catalog.hpp>
#include <tessera/study/flow.hpp>

namespace study_flow {
using namespace tessera;

namespace {

constexpr Range queries{0, 32}, text{32, 64};

// BLIP-2's first stage: the contrast must not let one side see the other, the caption must not be read by the queries.
static_assert(!reaches(masks::uni_modal(32), queries, text));
static_assert(!reaches(masks::uni_modal(32), text, queries));
static_assert(reaches(masks::bidirectional(), queries, text, {.layers = 1}) &&
              reaches(masks::bidirectional(), text, queries, {.layers = 1}));
static_assert(reaches(masks::multimodal_causal(32), queries, text, {.layers = 1}));
static_assert(!reaches(masks::multimodal_causal(32), text, queries));

// However deep the Q-Former: its 12 layers, or any number; and with padding or a window on top, which only hide more.
static_assert(!reaches(masks::multimodal_causal(32), text, queries, {.layers = 12}));
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

TEST_CASE("information travels one window a layer") {
    const Window window{.left = 3};
    CHECK(reaches(window, {0, 1}, {3, 4}, {.layers = 1}));
    CHECK_FALSE(reaches(window, {0, 1}, {4, 5}, {.layers = 1}));
    CHECK(reaches(window, {0, 1}, {30, 31}, {.layers = 10}));
    CHECK_FALSE(reaches(window, {0, 1}, {31, 32}, {.layers = 10}));
    CHECK(reaches(window, {0, 1}, {31, 32}));
    CHECK_FALSE(reaches(window, {5, 6}, {4, 5}));
}

TEST_CASE("a row depends on itself without any layer") {
    CHECK(reaches(~Full{}, {3, 4}, {3, 4}, {.layers = 0}));
    CHECK_FALSE(reaches(Full{}, {3, 4}, {4, 5}, {.layers = 0}));
}

TEST_CASE("it goes through rows between, and through rows after both ranges") {
    // 0 → 2 → 1: nothing else.
    const Predicate detour{[](Index query, Index key) { return (query == 2 && key == 0) || (query == 1 && key == 2); }};
    CHECK_FALSE(reaches(detour, {0, 1}, {1, 2}, {.rows = 2}));
    CHECK(reaches(detour, {0, 1}, {1, 2}, {.rows = 3}));
    CHECK_FALSE(reaches(detour, {0, 1}, {1, 2}, {.layers = 1, .rows = 3}));
    CHECK(reaches(detour, {0, 1}, {1, 3}, {.layers = 1}));
    CHECK(reachable(detour, {0, 1}, 3, {.layers = 1}) == std::vector<char>{1, 0, 1});
    CHECK(reachable(detour, {0, 1}, 3) == std::vector<char>{1, 1, 1});
    CHECK_THROWS_WITH_AS(reaches(detour, {0, 1}, {1, 2}),
                         "[option.value] reaches: rows after row 2 may pass it on: say how many there are, {.rows = N}",
                         Error);
    // Later rows that see only each other pass nothing on; such that see an earlier one do.
    CHECK_FALSE(reaches(Window{.right = 1}, {0, 1}, {8, 9}));
    CHECK_THROWS_AS(reaches(Window{.right = 1} | (FirstKeys{1} & ~FirstQueries{20}), {0, 1}, {8, 9}), Error);
    CHECK(reaches(Window{.right = 1} | (FirstKeys{1} & ~FirstQueries{20}), {0, 1}, {8, 9}, {.rows = 21}));
}

TEST_CASE("any head may pass it on, and all are looked at") {
    const auto mask = FirstHeads{2} & ~FirstHeads{1};
    CHECK_FALSE(reaches(mask, {0, 1}, {1, 2}, {.heads = 1, .rows = 2}));
    CHECK(reaches(mask, {0, 1}, {1, 2}));
    CHECK(reaches(Choose{FirstHeads{1}, Causal{}, Full{}}, {5, 10}, {0, 5}));
    const Predicate second{[](Site at) { return at.head == 1; }};
    CHECK_THROWS_WITH_AS(
        reaches(second, {0, 1}, {1, 2}),
        "[option.value] this mask does not say how many heads it tells apart: say for how many it is to "
        "be looked at, or give it the hook heads()",
        Error);
    CHECK(reaches(second, {0, 1}, {1, 2}, {.heads = 2}));
}

TEST_CASE("an empty range, or one that is written backwards, proves nothing") {
    CHECK_THROWS_WITH_AS(reaches(Full{}, {8, 0}, {0, 8}),
                         "[option.value] reaches: expected rows from a first to a later one, found [8, 0)", Error);
    CHECK_THROWS_AS(reaches(Full{}, {0, 8}, {3, 3}), Error);
    CHECK_THROWS_AS(reaches(Full{}, {0, 8}, {8, 16}, {.rows = 10}), Error);
}

TEST_CASE("sequences of a packed batch stay apart") {
    const std::vector<Index> starts{0, 3, 7};
    CHECK_FALSE(reaches(Packed{starts}, {0, 3}, {3, 7}));
    CHECK_FALSE(reaches(Packed{starts}, {3, 7}, {0, 3}));
    CHECK(reaches(Packed{starts}, {3, 4}, {6, 7}));
}

}  // namespace study_flow
