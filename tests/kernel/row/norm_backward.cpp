#include <doctest/doctest.h>

#include <cmath>
#include <random>
#include <tessera/core/tensor.hpp>
#include <tessera/kernel/row/norm_backward.hpp>
#include <tessera/reference/norm_gradients.hpp>
#include <vector>

namespace kernel_row_norm_backward {
using namespace tessera;

namespace {

using Matrix = Tensor<float, dyn, dyn>;
constexpr double half_ulp = 0x1p-24;

Matrix random_rows(Index rows, Index size, float mean, float spread) {
    std::mt19937 random(static_cast<unsigned>(rows * 4099 + size));
    std::normal_distribution<float> normal(mean, spread);
    Matrix x({rows, size});
    for (float& value : x.view()) value = normal(random);
    return x;
}

/// A case with its gradients, those of the reference, and how far each may be off.
struct Case {
    Index rows, size;
    bool centred;
    Matrix x, dy, gain;
    std::vector<float> means, rstds;
    Tensor<double, dyn, dyn> dx, dx_allowed;
    std::vector<double> d_gain, d_bias, d_gain_allowed, d_bias_allowed;

    Case(Index r, Index s, bool layer, float mean)
        : rows(r),
          size(s),
          centred(layer),
          x(random_rows(r, s, mean, 1)),
          dy(random_rows(r, s, 0.1f, 1)),
          gain(random_rows(1, s, 1, 0.3f)),
          means(std::size_t(r)),
          rstds(std::size_t(r)),
          dx({r, s}),
          dx_allowed({r, s}),
          d_gain(std::size_t(s), 0.5),
          d_bias(std::size_t(s), -0.25),
          d_gain_allowed(std::size_t(s)),
          d_bias_allowed(std::size_t(s)) {
        constexpr double eps = 1e-5;
        reference::norm_gradients(dx, d_gain.data(), d_bias.data(), dy, x, gain.data(), eps, layer);
        const auto count = static_cast<double>(s);
        for (Index row = 0; row < r; ++row) {
            double average = 0, variance = 0;
            for (Index c = 0; c < s && layer; ++c) average += double{x(row, c)} / count;
            for (Index c = 0; c < s; ++c) variance += std::pow(double{x(row, c)} - average, 2) / count;
            const double rstd = 1 / std::sqrt(variance + eps);
            means[std::size_t(row)] = static_cast<float>(average);
            rstds[std::size_t(row)] = static_cast<float>(rstd);
            allow(row, average, rstd);
        }
    }

    /// Mean and rstd are rounded once, which moves x̂ by δ = half an ulp of (|x| + |mean|)·rstd + 4|x̂|. Sums of `size` terms have
    /// chains of size/8 on the narrowest vectors (of four lanes, two chains), each product two roundings more.
    void allow(Index row, double average, double rstd) {
        const auto count = static_cast<double>(size);
        const double terms = count / 8 + 12;
        double size_g = 0, size_gx = 0, moved_gx = 0;
        const auto normed = [&](Index c) { return std::abs(double{x(row, c)} - average) * rstd; };
        const auto moved = [&](Index c) {
            return half_ulp * ((std::abs(double{x(row, c)}) + std::abs(average)) * rstd + 4 * normed(c));
        };
        const auto g = [&](Index c) { return std::abs(double{dy(row, c)} * double{gain(0, c)}); };
        for (Index c = 0; c < size; ++c) {
            size_g += g(c) / count, size_gx += g(c) * normed(c) / count, moved_gx += g(c) * moved(c) / count;
        }
        for (Index c = 0; c < size; ++c) {
            dx_allowed(row, c) = rstd * (half_ulp * (6 * g(c) + terms * (size_g + normed(c) * size_gx)) +
                                         moved(c) * size_gx + normed(c) * moved_gx);
            // Rows are added one after another.
            const double d = std::abs(double{dy(row, c)}), sums = static_cast<double>(rows) + 3;
            d_gain_allowed[std::size_t(c)] += half_ulp * sums * d * normed(c) + d * moved(c) + half_ulp;
            d_bias_allowed[std::size_t(c)] += half_ulp * sums * d + half_ulp;
        }
    }

    void run(float* to, bool add, const float* from, float* gains, float* biases) const {
        if (centred)
            kernel::layer_norm_backward(to, add, from, x.data(), gain.data(), means.data(), rstds.data(), gains, biases,
                                        rows, size);
        else
            kernel::rms_norm_backward(to, add, from, x.data(), gain.data(), rstds.data(), gains, rows, size);
    }
};

TEST_CASE("gradients of norms equal the reference: overwritten, added to, in place, each alone") {
    for (const bool layer : {true, false})
        for (const Index size : {0, 1, 7, 33, 257, 768, 1408})
            for (const Index rows : {0, 1, 5, 40})
                for (const float mean : {0.0f, 30.0f}) {
                    const Case c(rows, size, layer, mean);
                    Matrix dx({rows, size}), added({rows, size}), in_place = c.dy;
                    std::fill_n(added.data(), added.size(), 2.0f);
                    std::vector<float> gains(std::size_t(size), 0.5f), biases(std::size_t(size), -0.25f);
                    c.run(dx.data(), false, c.dy.data(), gains.data(), biases.data());
                    c.run(added.data(), true, c.dy.data(), nullptr, nullptr);
                    c.run(in_place.data(), false, in_place.data(), nullptr, nullptr);
                    double worst = 0, worst_gain = 0, worst_bias = 0;
                    bool same = true;
                    for (Index i = 0; i < dx.size(); ++i) {
                        const double gap = std::abs(double{dx.data()[i]} - c.dx.data()[i]);
                        worst = std::max(worst, gap / c.dx_allowed.data()[i]);
                        same = same && in_place.data()[i] == dx.data()[i] && added.data()[i] == dx.data()[i] + 2;
                    }
                    for (std::size_t i = 0; i < gains.size(); ++i) {
                        worst_gain = std::max(
                            worst_gain, std::abs(double{gains[i]} - c.d_gain[i]) / (c.d_gain_allowed[i] + half_ulp));
                        if (layer)
                            worst_bias = std::max(worst_bias, std::abs(double{biases[i]} - c.d_bias[i]) /
                                                                  (c.d_bias_allowed[i] + half_ulp));
                    }
                    CAPTURE(layer);
                    CAPTURE(size);
                    CAPTURE(rows);
                    CAPTURE(mean);
                    CHECK(worst <= 1);
                    CHECK(worst_gain <= 1);
                    CHECK(worst_bias <= 1);
                    CHECK(same);
                    std::vector<float> alone(std::size_t(size), 0.5f), bias_alone(std::size_t(size), -0.25f);
                    c.run(nullptr, false, c.dy.data(), alone.data(), nullptr);
                    CHECK(alone == gains);
                    c.run(nullptr, false, c.dy.data(), nullptr, bias_alone.data());
                    CHECK(bias_alone == biases);
                }
}

TEST_CASE("NaN stays in its row of dx, and goes into all sums over rows") {
    Case c(3, 40, true, 0);
    c.dy(1, 7) = NAN;
    Matrix dx({3, 40});
    std::vector<float> gains(40), biases(40);
    c.run(dx.data(), false, c.dy.data(), gains.data(), biases.data());
    for (Index i = 0; i < 40; ++i) {
        CHECK(std::isfinite(dx(0, i)));
        CHECK(std::isnan(dx(1, i)));
        CHECK(std::isfinite(dx(2, i)));
        CHECK(std::isnan(biases[std::size_t(i)]) == (i == 7));
    }
}

TEST_CASE("the same bits at any number of threads") {
    const Case c(700, 257, true, 0);
    const int usual = kernel::threads();
    Matrix dx[2] = {Matrix({700, 257}), Matrix({700, 257})};
    std::vector<float> gains[2], biases[2];
    for (const int i : {0, 1}) {
        kernel::set_threads(i == 0 ? 1 : 2);
        gains[i].resize(257), biases[i].resize(257);
        c.run(dx[i].data(), false, c.dy.data(), gains[i].data(), biases[i].data());
    }
    kernel::set_threads(usual);
    CHECK(std::equal(dx[0].data(), dx[0].data() + dx[0].size(), dx[1].data()));
    CHECK(gains[0] == gains[1]);
    CHECK(biases[0] == biases[1]);
}

}  // namespace

}  // namespace kernel_row_norm_backward
