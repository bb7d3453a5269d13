#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <random>
#include <tessera/core/tensor.hpp>
#include <tessera/kernel/row/softmax.hpp>

namespace kernel_row_softmax {
using namespace tessera;

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

TEST_CASE("softmax and its logarithm equal sums in double, in place too") {
    for (const Index size : {1, 2, 15, 16, 17, 64, 100, 1000, 50272})
        for (const float spread : {0.1f, 3.0f, 40.0f}) {
            const Index rows = size > 10000 ? 2 : 5;
            std::mt19937 random(static_cast<unsigned>(size));
            std::normal_distribution<float> normal(2 * spread, spread);
            Tensor<float, dyn, dyn> x({rows, size}), p({rows, size}), log_p({rows, size});
            for (float& value : x.view()) value = normal(random);
            if (size > 3) x(0, 2) = -infinity;
            auto in_place = x;
            kernel::softmax(p.data(), x.data(), rows, size);
            kernel::log_softmax(log_p.data(), x.data(), rows, size);
            kernel::softmax(in_place.data(), in_place.data(), rows, size);
            double worst = 0, worst_log = 0;
            for (Index r = 0; r < rows; ++r) {
                double top = -INFINITY, total = 0;
                for (Index c = 0; c < size; ++c) top = std::max(top, double{x(r, c)});
                for (Index c = 0; c < size; ++c) total += std::exp(double{x(r, c)} - top);
                for (Index c = 0; c < size; ++c) {
                    const double expected = std::exp(double{x(r, c)} - top) / total;
                    // x − top is rounded once, which moves the result by |x − top| half ulps; exp adds 3, a sum of n/64 +
                    // 10 terms and the scale their count. Below 1e-37 there are fewer digits.
                    const double half_ulp = 0x1p-24, terms = static_cast<double>(size) / 64 + 20;
                    const double allowed =
                        half_ulp * expected * (std::min(120.0, std::abs(double{x(r, c)} - top)) + terms) + 1e-37;
                    if (x(r, c) == -infinity) {
                        CHECK(p(r, c) == 0.0f);
                        CHECK(log_p(r, c) == -infinity);
                        continue;
                    }
                    worst = std::max(worst, std::abs(double{p(r, c)} - expected) / allowed);
                    const double log_expected = double{x(r, c)} - top - std::log(total);
                    worst_log =
                        std::max(worst_log, std::abs(double{log_p(r, c)} - log_expected) /
                                                (half_ulp * (terms + 3 * std::abs(log_expected) + std::log(total))));
                    CHECK(in_place(r, c) == p(r, c));
                }
            }
            CAPTURE(size);
            CAPTURE(spread);
            CHECK(worst < 1);
            CHECK(worst_log < 1);
        }
}

TEST_CASE("rows of −∞ give zeros, NaN fills its row") {
    Tensor<float, dyn, dyn> x({3, 20}), p({3, 20}), log_p({3, 20});
    for (Index c = 0; c < 20; ++c) {
        x(0, c) = -infinity;
        x(1, c) = x(2, c) = static_cast<float>(c);
    }
    x(1, 4) = NAN;
    kernel::softmax(p.data(), x.data(), 3, 20);
    kernel::log_softmax(log_p.data(), x.data(), 3, 20);
    for (Index c = 0; c < 20; ++c) {
        CHECK(p(0, c) == 0.0f);
        CHECK(log_p(0, c) == -infinity);
        CHECK(std::isnan(p(1, c)));
        CHECK(std::isnan(log_p(1, c)));
        CHECK(std::isfinite(p(2, c)));
        CHECK(std::isfinite(log_p(2, c)));
    }
}

}  // namespace

}  // namespace kernel_row_softmax
