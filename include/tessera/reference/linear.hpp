// What a linear layer computes, written down without regard to speed.
#pragma once
#include <cmath>
#include <numbers>
#include <tessera/core/activation.hpp>
#include <tessera/core/view.hpp>

namespace tessera::inline TESSERA_ISA::reference {

inline double activate(double x, Activation what) {
    switch (what) {
        case Activation::none:
            return x;
        case Activation::relu:
            return x < 0 ? 0 : x;
        case Activation::gelu:
            return 0.5 * x * std::erfc(-x / std::numbers::sqrt2);
        case Activation::gelu_tanh:
            return 0.5 * x * (1 + std::tanh(std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * x * x * x)));
        case Activation::quick_gelu:
            return x / (1 + std::exp(-1.702 * x));
    }
    return x;
}

/// The derivative of `activate`; that of relu at 0 is 0.
inline double activation_derivative(double x, Activation what) {
    switch (what) {
        case Activation::none:
            return 1;
        case Activation::relu:
            return x > 0 ? 1 : 0;
        case Activation::gelu:
            return 0.5 * std::erfc(-x / std::numbers::sqrt2) +
                   x * std::exp(-0.5 * x * x) / std::sqrt(2 * std::numbers::pi);
        case Activation::gelu_tanh: {
            const double scale = std::sqrt(2 / std::numbers::pi), t = std::tanh(scale * (x + 0.044715 * x * x * x));
            return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * scale * (1 + 3 * 0.044715 * x * x);
        }
        case Activation::quick_gelu: {
            const double gate = 1 / (1 + std::exp(-1.702 * x));
            return gate + 1.702 * x * gate * (1 - gate);
        }
    }
    return 1;
}

/// y = activation(x·Wᵀ + bias) + residual, summed in double.
/// shape   x [M, K], weight [N, K], bias [N] or empty, residual [M, N] or empty → y [M, N]
inline void linear(View<float, dyn, dyn> y, View<const float, dyn, dyn> x, View<const float, dyn, dyn> weight,
                   View<const float, dyn> bias = {}, Activation activation = Activation::none,
                   View<const float, dyn, dyn> residual = {}) {
    for (Index row = 0; row < y.extent(0); ++row) {
        for (Index out = 0; out < y.extent(1); ++out) {
            double sum = bias.empty() ? 0.0 : double{bias(out)};
            for (Index in = 0; in < x.extent(1); ++in) sum += double{x(row, in)} * double{weight(out, in)};
            sum = activate(sum, activation);
            if (!residual.empty()) sum += double{residual(row, out)};
            y(row, out) = static_cast<float>(sum);
        }
    }
}

/// dx = dy·W, the gradient of y = x·Wᵀ + bias.
/// shape   dy [M, N], weight [N, K] → dx [M, K]
inline void input_gradient(View<float, dyn, dyn> dx, View<const float, dyn, dyn> dy,
                           View<const float, dyn, dyn> weight) {
    for (Index row = 0; row < dx.extent(0); ++row)
        for (Index in = 0; in < dx.extent(1); ++in) {
            double sum = 0;
            for (Index out = 0; out < dy.extent(1); ++out) sum += double{dy(row, out)} * double{weight(out, in)};
            dx(row, in) = static_cast<float>(sum);
        }
}

/// dw += dyᵀ·x
/// shape   dy [M, N], x [M, K] → dw [N, K]
inline void weight_gradient(View<float, dyn, dyn> dw, View<const float, dyn, dyn> dy, View<const float, dyn, dyn> x) {
    for (Index out = 0; out < dw.extent(0); ++out)
        for (Index in = 0; in < dw.extent(1); ++in) {
            double sum = double{dw(out, in)};
            for (Index row = 0; row < dy.extent(0); ++row) sum += double{dy(row, out)} * double{x(row, in)};
            dw(out, in) = static_cast<float>(sum);
        }
}

/// db += the sums of dy's columns
/// shape   dy [M, N] → db [N]
inline void bias_gradient(View<float, dyn> db, View<const float, dyn, dyn> dy) {
    for (Index out = 0; out < db.extent(0); ++out) {
        double sum = double{db(out)};
        for (Index row = 0; row < dy.extent(0); ++row) sum += double{dy(row, out)};
        db(out) = static_cast<float>(sum);
    }
}

}  // namespace tessera::inline TESSERA_ISA::reference
