#include <doctest/doctest.h>

#include <cmath>
#include <set>
#include <tessera/core/random_stream.hpp>
#include <vector>

namespace core_random_stream {
using namespace tessera;

TEST_CASE("each seed and place has numbers of its own, the same ones every time") {
    RandomStream a(1, 2, 3), again(1, 2, 3), seed(2, 2, 3), swapped(1, 3, 2), shorter(1, 2), longer(1, 2, 3, 0);
    std::set<std::uint64_t> seen;
    for (int i = 0; i < 100; ++i) {
        const std::uint64_t bits = a.bits();
        CHECK(bits == again.bits());
        for (const std::uint64_t number : {bits, seed.bits(), swapped.bits(), shorter.bits(), longer.bits()})
            seen.insert(number);
    }
    CHECK(seen.size() == 500);
    CHECK(RandomStream(0).bits() == split_mix(split_mix(0)));
}

TEST_CASE("numbers are spread evenly over their range") {
    RandomStream random(7);
    constexpr int times = 60000;
    std::vector<int> counts(6);
    double sum = 0, squares = 0;
    for (int i = 0; i < times; ++i) {
        ++counts[static_cast<std::size_t>(random.below(6))];
        const double u = random.uniform(-1, 3);
        REQUIRE(u >= -1);
        REQUIRE(u < 3);
        sum += u, squares += u * u;
    }
    for (const int count : counts) CHECK(std::abs(count - times / 6) < 500);  // 5 standard deviations of 91
    CHECK(std::abs(sum / times - 1) < 0.03);
    CHECK(std::abs(squares / times - (1 + 16.0 / 12)) < 0.08);
    CHECK(random.below(1) == 0);
    CHECK_FALSE(random.chance(0));
    CHECK(random.chance(1));
}

}  // namespace core_random_stream
