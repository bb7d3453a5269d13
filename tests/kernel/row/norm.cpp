#include <doctest/doctest.h>

#include <cmath>
#include <random>
#include <tessera/core/tensor.hpp>
#include <tessera/kernel/row/norm.hpp>
#include <tessera/reference/norm.hpp>

namespace kernel_row_norm {
using namespace tessera;

namespace {

using Matrix = Tensor<float, dyn, dyn>;

Matrix random_rows(Index rows, Index size, float mean, float spread) {
    std::mt19937 random(static_cast<unsigned>(rows * 4099 + size));
    std::normal_distribution<float> normal(mean, spread);
    Matrix x({rows, size});
    for (float& value : x.view()) value = normal(random);
    return x;
}

/// How far off a normed number may be. The mean is a sum of at most n/64 + 10 terms in a row, of numbers no larger than
/// the largest |x|; it moves each centred value by that, relative to the deviation. The scale adds as many roundings.
double tolerance(const Matrix& x, Index row, double gain, double bias, double expected) {
    const double half_ulp = 0x1p-24, terms = static_cast<double>(x.extent(1)) / 64 + 12;
    double largest = 0, mean = 0, variance = 0;
    for (Index c = 0; c < x.extent(1); ++c) {
        largest = std::max(largest, std::abs(double{x(row, c)}));
        mean += double{x(row, c)} / static_cast<double>(x.extent(1));
    }
    for (Index c = 0; c < x.extent(1); ++c)
        variance += (double{x(row, c)} - mean) * (double{x(row, c)} - mean) / static_cast<double>(x.extent(1));
    const double deviation = std::sqrt(variance);
    return half_ulp * (std::abs(gain) * (deviation == 0 ? largest * 1e3 : largest / deviation) * (terms + 2) +
                       std::abs(expected - bias) * (terms + 6) + 2 * std::abs(bias));
}

TEST_CASE("layer norm equals the reference, in place too, also where the mean is far from zero") {
    for (const Index size : {1, 3, 15, 16, 17, 63, 64, 65, 100, 768, 1408})
        for (const Index rows : {1, 5, 40})
            for (const float mean : {0.0f, 30.0f}) {
                const Matrix x = random_rows(rows, size, mean, 1);
                const Matrix gain = random_rows(1, size, 1, 0.3f), bias = random_rows(1, size + 1, 0, 0.5f);
                Matrix expected({rows, size}), found({rows, size}), in_place = x;
                reference::layer_norm(expected, x, gain.data(), bias.data(), double{1e-3f});
                kernel::layer_norm(found.data(), x.data(), gain.data(), bias.data(), rows, size, 1e-3f);
                kernel::layer_norm(in_place.data(), in_place.data(), gain.data(), bias.data(), rows, size, 1e-3f);
                double worst = 0;
                for (Index r = 0; r < rows; ++r)
                    for (Index c = 0; c < size; ++c) {
                        const double difference = std::abs(double{found(r, c)} - double{expected(r, c)});
                        const double allowed =
                            tolerance(x, r, double{gain(0, c)}, double{bias(0, c)}, double{expected(r, c)});
                        worst = std::max(worst, difference / allowed);
                        CHECK(in_place(r, c) == found(r, c));
                    }
                CAPTURE(size);
                CAPTURE(rows);
                CAPTURE(mean);
                CHECK(worst < 1);
            }
}

TEST_CASE("RMS norm equals the reference") {
    for (const Index size : {1, 3, 16, 17, 65, 768})
        for (const Index rows : {1, 40}) {
            const Matrix x = random_rows(rows, size, 0.5f, 1);
            const Matrix gain = random_rows(1, size, 1, 0.3f);
            Matrix expected({rows, size}), found({rows, size});
            reference::rms_norm(expected, x, gain.data(), 1e-6);
            kernel::rms_norm(found.data(), x.data(), gain.data(), rows, size, 1e-6f);
            for (Index r = 0; r < rows; ++r)
                for (Index c = 0; c < size; ++c)
                    CHECK(std::abs(double{found(r, c)} - double{expected(r, c)}) <=
                          0x1p-24 * (static_cast<double>(size) / 64 + 20) * std::abs(double{expected(r, c)}));
        }
}

TEST_CASE("NaN stays in its row") {
    Matrix x = random_rows(3, 40, 0, 1);
    x(1, 7) = NAN;
    const Matrix gain = random_rows(1, 40, 1, 0.3f);
    Matrix y({3, 40});
    kernel::layer_norm(y.data(), x.data(), gain.data(), gain.data(), 3, 40, 1e-5f);
    for (Index c = 0; c < 40; ++c) {
        CHECK(std::isfinite(y(0, c)));
        CHECK(std::isnan(y(1, c)));
        CHECK(std::isfinite(y(2, c)));
    }
}

TEST_CASE("the same bits at any number of threads") {
    const Matrix x = random_rows(700, 65, 0, 1), gain = random_rows(1, 65, 1, 0.3f);
    const int usual = kernel::threads();
    Matrix one({700, 65}), other({700, 65});
    kernel::set_threads(1);
    kernel::layer_norm(one.data(), x.data(), gain.data(), gain.data(), 700, 65, 1e-5f);
    kernel::set_threads(3);
    kernel::layer_norm(other.data(), x.data(), gain.data(), gain.data(), 700, 65, 1e-5f);
    kernel::set_threads(usual);
    for (Index i = 0; i < one.size(); ++i) CHECK(one.data()[i] == other.data()[i]);
}

}  // namespace

}  // namespace kernel_row_norm
