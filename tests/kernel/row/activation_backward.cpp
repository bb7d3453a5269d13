#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>
#include <tessera/kernel/row/activation_backward.hpp>
#include <tessera/reference/linear.hpp>
#include <vector>

namespace kernel_row_activation_backward {
using namespace tessera;

namespace {

constexpr Activation all[] = {Activation::none, Activation::relu, Activation::gelu, Activation::gelu_tanh,
                              Activation::quick_gelu};

TEST_CASE("derivatives equal those in double, in place too, at any size") {
    for (const Activation what : all)
        for (const Index size : {0, 1, 7, 33, 257, 768, 1408, 40001}) {
            const auto count = static_cast<std::size_t>(size);
            std::vector<float> x(count), dy(count), dx(count, -7.0f);
            for (std::size_t i = 0; i < count; ++i) {
                const auto at = static_cast<float>(i);
                x[i] = size > 10000 ? (at - 20000) / 1000 : 3 * std::sin(at);  // from −20 to 20, through 0
                dy[i] = std::cos(3 * at);
            }
            auto in_place = dy;
            kernel::activate_backward(dx.data(), dy.data(), x.data(), size, what);
            kernel::activate_backward(in_place.data(), in_place.data(), x.data(), size, what);
            double worst = 0;
            float at = 0;
            for (std::size_t i = 0; i < count; ++i) {
                const double want = double{dy[i]} * reference::activation_derivative(double{x[i]}, what);
                const double gap =
                    std::abs(double{dx[i]} - want) / (std::abs(double{dy[i]}) * std::max(1.0, std::abs(double{x[i]})));
                if (gap > worst) worst = gap, at = x[i];
            }
            CAPTURE(std::string(name(what)));
            CAPTURE(size);
            CAPTURE(at);
            CHECK(worst <= 5e-7);
            CHECK(in_place == dx);
        }
}

TEST_CASE("far out derivatives are 0 or 1, NaN goes through, and relu gives nothing back at 0") {
    constexpr float infinity = std::numeric_limits<float>::infinity();
    const float x[] = {infinity, -infinity, 1e30f, -1e30f, NAN, 0.0f, -0.0f};
    const float dy[] = {2, 2, 2, 2, 2, 2, NAN};
    for (const Activation what : all) {
        if (what == Activation::none) continue;
        float dx[7];
        kernel::activate_backward(dx, dy, x, 7, what);
        CAPTURE(std::string(name(what)));
        CHECK(dx[0] == 2);
        CHECK(std::abs(dx[1]) < 1e-30f);
        CHECK(dx[2] == 2);
        CHECK(std::abs(dx[3]) < 1e-30f);
        CHECK(std::isnan(dx[4]));
        CHECK(std::abs(dx[5] - (what == Activation::relu ? 0.0f : 1.0f)) < 1e-6f);
        CHECK(std::isnan(dx[6]));
    }
}

TEST_CASE("the same bits at any number of threads") {
    std::vector<float> x(100003), dx[2];
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = 4 * std::sin(static_cast<float>(i));
    const int usual = kernel::threads();
    for (const int i : {0, 1}) {
        kernel::set_threads(i == 0 ? 1 : 2);
        dx[i].resize(x.size());
        kernel::activate_backward(dx[i].data(), x.data(), x.data(), std::ssize(x), Activation::gelu);
    }
    kernel::set_threads(usual);
    CHECK(dx[0] == dx[1]);
}

}  // namespace

}  // namespace kernel_row_activation_backward
