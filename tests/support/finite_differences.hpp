// Gradients of a model and of what it reads, compared with finite differences.
#pragma once
#include <doctest/doctest.h>

#include <cmath>
#include <random>
#include <string>
#include <tessera/train/gradients.hpp>
#include <vector>

namespace tessera::test {

// A loss is a sum of outputs with fixed factors.
inline double factor(Index i) { return std::sin(1.0 + 0.7 * static_cast<double>(i)); }

struct Loss {
    double value = 0, size = 0;  // Σ factor·y and Σ |factor·y|
    template <Index Width>
    explicit Loss(Rows<Width> y) {
        for (Index i = 0; i < y.size(); ++i) {
            const double term = factor(i) * double{y.data()[i]};
            value += term, size += std::abs(term);
        }
    }
};

/// Compares the derivative along one direction with a central difference. A float's rounding moves the loss by about 2⁻²⁴ of its
/// size a few times over; the third derivative of these small models is of the order of the gradient, times step².
inline void check_direction(const std::string& what, double found, double norm, const auto& loss_at) {
    constexpr double step = 2e-2;
    const Loss above = loss_at(step), below = loss_at(-step);
    const double want = (above.value - below.value) / (2 * step);
    const double rounding = 8 * 0x1p-24 * (above.size + below.size) / (2 * step);
    INFO(what << ": " << found << " instead of " << want << ", norm of the gradient " << norm);
    CHECK(std::abs(found - want) < rounding + 2 * step * step * norm);
}

/// Looks along a direction at each parameter of `model`, and at x: `loss()` is a new forward pass. The output does not depend on
/// parameters whose path contains `unused`.
template <Index Width>
void check_finite_differences(auto& model, Gradients& gradients, Tensor<float, dyn, Width>& x, const float* x_gradient,
                              const auto& loss, std::string_view unused = "none") {
    std::mt19937 random(5);
    std::normal_distribution<double> normal;
    const auto check = [&](const std::string& what, const std::vector<float>& values, const auto& gradient,
                           const auto& assign) {
        std::vector<double> direction(values.size());
        double length = 0, along = 0, square = 0;
        for (double& d : direction) d = normal(random), length += d * d;
        for (std::size_t i = 0; i < values.size(); ++i) {
            direction[i] /= std::sqrt(length);
            const double g = gradient(static_cast<Index>(i));
            along += g * direction[i], square += g * g;
        }
        check_direction(what, along, std::sqrt(square), [&](double step) {
            std::vector<float> moved(values.size());
            for (std::size_t i = 0; i < values.size(); ++i)
                moved[i] = static_cast<float>(double{values[i]} + step * direction[i]);
            assign(moved);
            const Loss there = loss();
            assign(values);
            return there;
        });
        return square;
    };
    for_each_parameter(model, [&](const std::string& path, auto& leaf) {
        const Index columns = leaf.columns;
        std::vector<float> values(static_cast<std::size_t>(leaf.rows * columns));
        for (Index row = 0; row < leaf.rows; ++row) leaf.read(row, values.data() + row * columns);
        const double square = check(
            path, values, [&](Index i) { return double{gradients.find(&leaf)[i]}; },
            [&](const std::vector<float>& to) { leaf.write(0, to.data(), leaf.rows); });
        CAPTURE(path);
        if (path.find(unused) != std::string::npos)
            CHECK(square == 0);
        else if (!path.ends_with("key.bias"))  // that of keys moves all scores of a row alike
            CHECK(square > 0);
    });
    const std::vector<float> values(x.data(), x.data() + x.size());
    check(
        "x", values, [&](Index i) { return double{x_gradient[i]}; },
        [&](const std::vector<float>& to) { std::copy(to.begin(), to.end(), x.data()); });
}

}  // namespace tessera::test
