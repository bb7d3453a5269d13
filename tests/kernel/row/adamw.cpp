#include <doctest/doctest.h>

#include <cmath>
#include <tessera/kernel/row/adamw.hpp>
#include <tessera/reference/adamw.hpp>
#include <vector>

namespace kernel_row_adamw {
using namespace tessera;

namespace {

using Numbers = std::vector<float>;

kernel::AdamWNumbers numbers(int step, double scale = 1) {
    return {.rate = 0.01,
            .beta1 = 0.9,
            .beta2 = 0.999,
            .eps = 1e-8,
            .decay = 0.05,
            .correction1 = 1 - std::pow(0.9, step),
            .correction2 = 1 - std::pow(0.999, step),
            .gradient_scale = scale};
}

/// A gradient of many sizes, zeros among them.
float gradient(std::size_t i, int step) {
    return i % 5 == 3 ? 0.0f
                      : std::cos(2 * static_cast<float>(i) + 8 * static_cast<float>(step)) *
                            std::exp2(static_cast<float>(i % 40) - 30);
}

TEST_CASE("steps equal the reference") {
    for (const Index size : {0, 1, 7, 33, 257, 768, 1408}) {
        const auto count = static_cast<std::size_t>(size);
        Numbers w(count), m(count), v(count), g(count);
        std::vector<double> want_w(count), want_m(count), want_v(count);
        for (std::size_t i = 0; i < count; ++i)
            w[i] = std::sin(1 + 0.7f * static_cast<float>(i)), want_w[i] = double{w[i]};
        double worst_w = 0, worst_m = 0, worst_v = 0;
        const int steps = 20;
        std::vector<double> size_m(count);
        for (int step = 1; step <= steps; ++step) {
            const double scale = step == 2 ? 0.25 : 1;
            for (std::size_t i = 0; i < count; ++i) g[i] = gradient(i, step);
            kernel::adamw(w.data(), m.data(), v.data(), g.data(), size, numbers(step, scale));
            for (std::size_t i = 0; i < count; ++i) {
                reference::adamw(want_w[i], want_m[i], want_v[i], scale * double{g[i]}, step,
                                 {.rate = 0.01, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8, .decay = 0.05});
                // Each step rounds a few times; m is a sum of terms of both signs, in which errors fade with beta1. A step
                // moves w by rate·m/√v, whose relative error is that of both moments.
                const double half_ulp = 0x1p-24;
                size_m[i] = 0.9 * size_m[i] + 0.1 * scale * std::abs(double{g[i]}) + 0.1 * std::abs(want_m[i]);
                const double m_allowed = half_ulp * 40 * size_m[i] + 1e-37;
                const double v_allowed = half_ulp * (3.0 * step + 3) * want_v[i] + 1e-37;
                const double unbiased = std::sqrt(want_v[i] / (1 - std::pow(0.999, step))) + 1e-8;
                const double moved = size_m[i] / (1 - std::pow(0.9, step)) / unbiased;
                const double w_allowed =
                    half_ulp * step * (3 * std::max(1.0, std::abs(want_w[i])) + 0.01 * moved * (3 * step + 60));
                worst_w = std::max(worst_w, std::abs(double{w[i]} - want_w[i]) / w_allowed);
                worst_m = std::max(worst_m, std::abs(double{m[i]} - want_m[i]) / m_allowed);
                worst_v = std::max(worst_v, std::abs(double{v[i]} - want_v[i]) / v_allowed);
            }
        }
        CAPTURE(size);
        CHECK(worst_w <= 1);
        CHECK(worst_m <= 1);
        CHECK(worst_v <= 1);
    }
}

TEST_CASE("three steps give PyTorch's floats, but for the last bit") {
    Numbers w(4), m(4), v(4), g(4);
    for (std::size_t i = 0; i < 4; ++i) w[i] = static_cast<float>(std::sin(1 + 0.7 * static_cast<double>(i)));
    for (int step = 1; step <= 3; ++step) {
        for (std::size_t i = 0; i < 4; ++i)
            g[i] = static_cast<float>(std::cos(2 * static_cast<double>(i + 4 * (std::size_t(step) - 1))));
        kernel::adamw(w.data(), m.data(), v.data(), g.data(), 4, numbers(step));
    }
    const auto check = [](const Numbers& got, const Numbers& want,
                          float largest) {  // of the numbers that were added up
        for (std::size_t i = 0; i < 4; ++i) CHECK(std::abs(got[i] - want[i]) <= 0x1p-23f * largest);
    };
    check(w, {0.8259423971176147f, 1.0122151374816895f, 0.6790900230407715f, 0.02430386282503605f}, 1);
    check(m, {-0.02786094881594181f, -0.04319266229867935f, 0.06380993127822876f, -0.009915943257510662f}, 0.1f);
    check(v, {0.001936261891387403f, 0.001312187290750444f, 0.0013043043436482549f, 0.0019386842614039779f}, 0.001f);
}

TEST_CASE("a gradient of 0 leaves decay alone; NaN spoils its own weight only; the same bits on any threads") {
    Numbers w(100, 2.0f), m(100), v(100), g(100);
    g[7] = NAN;
    kernel::adamw(w.data(), m.data(), v.data(), g.data(), 100, numbers(1));
    for (std::size_t i = 0; i < 100; ++i)
        CHECK((i == 7 ? std::isnan(w[i]) : w[i] == 2.0f * static_cast<float>(1 - 0.01 * 0.05)));

    const int usual = kernel::threads();
    Numbers weights[2], firsts[2], seconds[2];
    for (const int i : {0, 1}) {
        kernel::set_threads(i == 0 ? 1 : 2);
        weights[i].resize(200003, 1.0f), firsts[i].resize(200003), seconds[i].resize(200003), g.resize(200003);
        for (std::size_t at = 0; at < g.size(); ++at) g[at] = gradient(at, 3);
        for (const int step : {1, 2})
            kernel::adamw(weights[i].data(), firsts[i].data(), seconds[i].data(), g.data(), 200003, numbers(step));
    }
    kernel::set_threads(usual);
    CHECK(weights[0] == weights[1]);
    CHECK(firsts[0] == firsts[1]);
    CHECK(seconds[0] == seconds[1]);
}

TEST_CASE("sums of squares equal those in double, to the bit on any threads") {
    const int usual = kernel::threads();
    for (const Index size : {0, 1, 7, 33, 257, 768, 1408, 700001}) {
        Numbers x(std::size_t(size), 0.0f);
        double want = 0;
        for (std::size_t i = 0; i < x.size(); ++i) x[i] = gradient(i, 1), want += double{x[i]} * double{x[i]};
        kernel::set_threads(1);
        const double one = kernel::sum_of_squares(x.data(), size);
        kernel::set_threads(2);
        CHECK(kernel::sum_of_squares(x.data(), size) == one);
        // Floats are added in chains of at most 1024/16 + 4 on vectors of four lanes, of numbers of one sign.
        CHECK(std::abs(one - want) <= 0x1p-24 * 72 * want);
    }
    kernel::set_threads(usual);
}

}  // namespace

}  // namespace kernel_row_adamw
