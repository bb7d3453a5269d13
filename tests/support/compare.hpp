// Comparison with reference numbers, as tests/golden/make/compare.py measures it.
#pragma once
#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>

namespace tessera::test {

/// What stands for a number that tests/golden does not hold: no NaN that a computation makes.
inline float left_out() { return std::bit_cast<float>(0x7fc07e55u); }
inline bool is_left_out(float x) { return std::bit_cast<std::uint32_t>(x) == 0x7fc07e55u; }

/// The largest absolute difference over the root mean square of `want`; infinite where only one of the two is a number. Numbers
/// that are left out of `want` do not count.
struct Difference {
    double error = 0;
    std::size_t at = 0;
    std::size_t compared = 0;
};
inline Difference difference(std::span<const float> got, std::span<const float> want) {
    Difference worst;
    double squares = 0;
    for (const float x : want) {
        if (is_left_out(x)) continue;
        squares += static_cast<double>(x) * static_cast<double>(x);
        ++worst.compared;
    }
    const double rms = worst.compared == 0 ? 1.0 : std::sqrt(squares / static_cast<double>(worst.compared));
    for (std::size_t i = 0; i < want.size(); ++i) {
        if (is_left_out(want[i])) continue;
        const double gap = std::abs(static_cast<double>(got[i]) - static_cast<double>(want[i]));
        const double error = std::isnan(gap) ? std::numeric_limits<double>::infinity() : gap / (rms > 0 ? rms : 1.0);
        if (error > worst.error) worst.error = error, worst.at = i;
    }
    return worst;
}

/// Fails, naming the worst element, unless all are within `tolerance`.
inline void check_close(std::string_view name, std::span<const float> got, std::span<const float> want,
                        double tolerance) {
    INFO(std::string(name));
    REQUIRE(got.size() == want.size());
    const Difference worst = difference(got, want);
    REQUIRE((worst.compared > 0 || want.empty()));
    const std::size_t at = worst.at;
    INFO("worst element " << at << ": got " << (got.empty() ? 0 : got[at]) << ", want "
                          << (want.empty() ? 0 : want[at]));
    CHECK(worst.error <= tolerance);
}

}  // namespace tessera::test
