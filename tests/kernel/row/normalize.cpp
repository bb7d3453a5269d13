#include <doctest/doctest.h>

#include <cmath>
#include <random>
#include <tessera/core/tensor.hpp>
#include <tessera/kernel/row/normalize.hpp>
#include <tessera/reference/normalize.hpp>
#include <vector>

namespace kernel_row_normalize {
using namespace tessera;

namespace {

using Matrix = Tensor<float, dyn, dyn>;
constexpr double half_ulp = 0x1p-24;

Matrix random_rows(Index rows, Index size, unsigned seed) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal(0.2f, 1);
    Matrix x({rows, size});
    for (float& value : x.view()) value = normal(random);
    return x;
}

TEST_CASE("rows of length 1 and their gradients equal the reference, in place and added to") {
    for (const Index size : {0, 1, 7, 33, 257, 768, 1408})
        for (const Index rows : {0, 1, 5, 40}) {
            Matrix x = random_rows(rows, size, 1);
            const Matrix dy = random_rows(rows, size, 2);
            for (Index c = 0; c < size && rows > 4; ++c) x(2, c) = 0, x(3, c) *= 1e-16f;  // shorter than 1e-12
            Tensor<double, dyn, dyn> want({rows, size}), want_dx({rows, size});
            reference::normalize_rows(want, want_dx, x, dy);
            Matrix y({rows, size}), in_place = x, dx({rows, size}), added({rows, size}), dx_in_place = dy;
            std::vector<float> norms(static_cast<std::size_t>(rows));
            kernel::normalize_rows(y.data(), x.data(), norms.data(), rows, size);
            kernel::normalize_rows(in_place.data(), in_place.data(), nullptr, rows, size);
            kernel::normalize_rows_backward(dx.data(), false, dy.data(), y.data(), norms.data(), rows, size);
            std::fill_n(added.data(), added.size(), 2.0f);
            kernel::normalize_rows_backward(added.data(), true, dy.data(), y.data(), norms.data(), rows, size);
            kernel::normalize_rows_backward(dx_in_place.data(), false, dx_in_place.data(), y.data(), norms.data(), rows,
                                            size);
            double worst = 0, worst_dx = 0;
            bool same = true;
            for (Index r = 0; r < rows; ++r) {
                // Sums are chains of at most size/16 + 4 terms on vectors of four lanes, each of two roundings.
                const double terms = static_cast<double>(size) / 8 + 16;
                const double length = std::max(1e-12, double{norms[std::size_t(r)]});
                double along = 0;
                for (Index c = 0; c < size; ++c) along += std::abs(double{y(r, c)} * double{dy(r, c)});
                for (Index c = 0; c < size; ++c) {
                    const double allowed = half_ulp * terms * std::abs(want(r, c)) + 1e-37;
                    worst = std::max(worst, std::abs(double{y(r, c)} - want(r, c)) / allowed);
                    const double allowed_dx =
                        half_ulp * terms * (std::abs(double{dy(r, c)}) + 3 * std::abs(want(r, c)) * along) / length;
                    worst_dx = std::max(worst_dx, std::abs(double{dx(r, c)} - want_dx(r, c)) / allowed_dx);
                    same = same && in_place(r, c) == y(r, c) && added(r, c) == dx(r, c) + 2 &&
                           dx_in_place(r, c) == dx(r, c);
                }
            }
            CAPTURE(size);
            CAPTURE(rows);
            CHECK(worst <= 1);
            CHECK(worst_dx <= 1);
            CHECK(same);
        }
}

TEST_CASE("NaN stays in its row; the same bits at any number of threads") {
    Matrix x = random_rows(3, 20, 3), y({3, 20});
    x(1, 2) = NAN;
    kernel::normalize_rows(y.data(), x.data(), nullptr, 3, 20);
    for (Index c = 0; c < 20; ++c) {
        CHECK(std::isfinite(y(0, c)));
        CHECK(std::isnan(y(1, c)));
        CHECK(std::isfinite(y(2, c)));
    }
    const Matrix many = random_rows(700, 257, 4);
    Matrix made[2] = {many, many}, back[2] = {many, many};
    const int usual = kernel::threads();
    for (const int i : {0, 1}) {
        kernel::set_threads(i == 0 ? 1 : 2);
        std::vector<float> norms(700);
        kernel::normalize_rows(made[i].data(), many.data(), norms.data(), 700, 257);
        kernel::normalize_rows_backward(back[i].data(), false, many.data(), made[i].data(), norms.data(), 700, 257);
    }
    kernel::set_threads(usual);
    CHECK(std::equal(made[0].data(), made[0].data() + many.size(), made[1].data()));
    CHECK(std::equal(back[0].data(), back[0].data() + many.size(), back[1].data()));
}

}  // namespace

}  // namespace kernel_row_normalize
