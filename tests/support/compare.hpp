// Comparison with reference numbers, as tests/golden/make/compare.py measures it.
#pragma once
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tessera::test {

/// The largest absolute difference over the root mean square of `want`; infinite where only one of the two is a number.
struct Difference {
    double error = 0;
    std::size_t at = 0;
};
inline Difference difference(std::span<const float> got, std::span<const float> want) {
    double squares = 0;
    for (const float x : want) squares += static_cast<double>(x) * static_cast<double>(x);
    const double rms = want.empty() ? 1.0 : std::sqrt(squares / static_cast<double>(want.size()));
    Difference worst;
    for (std::size_t i = 0; i < want.size(); ++i) {
        const double gap = std::abs(static_cast<double>(got[i]) - static_cast<double>(want[i]));
        const double error = std::isnan(gap) ? std::numeric_limits<double>::infinity() : gap / (rms > 0 ? rms : 1.0);
        if (error > worst.error) worst = {error, i};
    }
    return worst;
}

/// Fails, naming the worst element, unless all are within `tolerance`.
inline void check_close(std::string_view name, std::span<const float> got, std::span<const float> want,
                        double tolerance) {
    INFO(std::string(name));
    REQUIRE(got.size() == want.size());
    const Difference worst = difference(got, want);
    const std::size_t at = worst.at;
    INFO("worst element " << at << ": got " << (got.empty() ? 0 : got[at]) << ", want "
                          << (want.empty() ? 0 : want[at]));
    CHECK(worst.error <= tolerance);
}

/// The same for scores of `words` words, of which tests/golden has every eighth, the first one always. Where that divides the
/// number of words, it need not be said.
inline constexpr std::size_t word_stride = 8;
inline void check_logits(std::string_view name, std::span<const float> got, std::span<const float> want,
                         double tolerance, std::size_t words = word_stride) {
    std::vector<float> some;
    for (std::size_t row = 0; row < got.size(); row += words)
        for (std::size_t word = 0; word < words; word += word_stride) some.push_back(got[row + word]);
    check_close(name, some, want, tolerance);
}

}  // namespace tessera::test
