#include <doctest/doctest.h>

#include <tessera/core/tensor.hpp>

namespace core_view {
using namespace tessera;

// Conversions that lose or contradict a static extent do not exist.
static_assert(std::is_convertible_v<View<float, 2, 3>, View<float, dyn, 3>>);
static_assert(std::is_convertible_v<View<float, 2, 3>, View<const float, 2, 3>>);
static_assert(!std::is_convertible_v<View<const float, 2, 3>, View<float, 2, 3>>);
static_assert(!std::is_constructible_v<View<float, dyn, 4>, View<float, dyn, 3>>);
static_assert(!std::is_convertible_v<View<float, dyn, dyn>, View<float, dyn, 3>>);
static_assert(std::is_constructible_v<View<float, dyn, 3>, View<float, dyn, dyn>>);

TEST_CASE("a view knows its extents, its strides and its elements in row-major order") {
    float values[24];
    for (int i = 0; i < 24; ++i) values[i] = static_cast<float>(i);
    const View<float, 2, dyn, 4> v(values, {2, 3, 4});
    CHECK(v.size() == 24);
    CHECK(v.stride() == 12);
    CHECK(v(1, 2, 3) == 23);
    CHECK(v(0, 1, 0) == 4);
    const auto second = v.slice(1, 1);
    static_assert(std::is_same_v<decltype(second), const View<float, dyn, dyn, 4>>);
    CHECK(second(0, 0, 0) == 12);
    CHECK(v.slice(2, 0).empty());
    CHECK(v.slice(0, 2).end() == values + 24);
}

TEST_CASE("a view can be written in a constant expression") {
    constexpr auto sum = [] {
        int values[6] = {1, 2, 3, 4, 5, 6};
        int total = 0;
        for (const int x : View<int, dyn, 3>(values, {2, 3}).slice(1, 1)) total += x;
        return total;
    }();
    static_assert(sum == 15);
}

TEST_CASE("a view of nothing has no elements") {
    const Rows<7> none(nullptr, {0, 7});
    CHECK(none.size() == 0);
    CHECK(none.empty());
    CHECK(none.begin() == none.end());
}

}  // namespace core_view
