#include <doctest/doctest.h>

#include <cmath>
#include <tessera/mask/catalog.hpp>
#include "support/mask.hpp"

namespace mask_catalog_random {
using namespace tessera;

static_assert(verify(Random{0.3, 1}, 7, 7));

namespace {

Index visible(const Random& mask, Index head, Index side) {
    Index count = 0;
    for (Index q = 0; q < side; ++q)
        for (Index k = 0; k < side; ++k) count += mask.allows({head, q, k});
    return count;
}
/// On how many scores two masks agree.
Index agreement(const Random& a, Index head_a, const Random& b, Index head_b, Index side) {
    Index count = 0;
    for (Index q = 0; q < side; ++q)
        for (Index k = 0; k < side; ++k) count += a.allows({head_a, q, k}) == b.allows({head_b, q, k});
    return count;
}

}  // namespace

TEST_CASE("as dense as it should be, and another one for every seed") {
    constexpr Index side = 200, all = side * side;
    // Within four standard deviations of the binomial distribution.
    for (const double density : {0.1, 0.5, 0.9})
        for (const std::uint64_t seed : {0u, 1u, 2u}) {
            const double off = static_cast<double>(visible({density, seed}, 0, side)) - density * all;
            CHECK(std::abs(off) < 4 * std::sqrt(all * density * (1 - density)));
        }
    CHECK(visible({.density = 0}, 0, side) == 0);
    CHECK(visible({.density = 1}, 0, side) == all);
    const double four_deviations = 4 * std::sqrt(all * 0.25);
    CHECK(std::abs(static_cast<double>(agreement({.seed = 1}, 0, {.seed = 2}, 0, side)) - all / 2) < four_deviations);
    CHECK(agreement({.seed = 1}, 0, {.seed = 1}, 5, side) == all);
    CHECK(std::abs(static_cast<double>(agreement({.by_head = true}, 0, {.by_head = true}, 1, side)) - all / 2) <
          four_deviations);
}

TEST_CASE("the same on every machine") { CHECK(test::picture(Random{0.5, 7}, 3, 8) == "###.#.##|##.##.##|#...##.."); }

TEST_CASE("blocks are whole") {
    test::check_tight(Random{0.5, 4}, 13, 12);
    test::check_tight(Random{0.5, 4, 4, 3}, 18, 17);
    test::check_tight(Random{0.5, 4, 4, 3, true}, 18, 17, 3);
}

}  // namespace mask_catalog_random
