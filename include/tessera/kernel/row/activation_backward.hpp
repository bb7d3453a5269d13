// The derivatives of the activation functions, a vector at a time.
#pragma once
#include <tessera/kernel/compiled.hpp>
#include <tessera/kernel/row/activation.hpp>
#include <tessera/kernel/row/rows.hpp>

namespace tessera::inline TESSERA_ISA::kernel {

/// dx[i] = dy[i] · f'(preactivation[i]); the derivative of relu at 0 is 0, NaN goes through.
/// shape   count numbers each; dx may be dy
/// units   derivatives within 5e-7·max(1, |x|); they are 0 or 1 at ±∞
/// errors  none; the same bits at any number of threads
TESSERA_KERNEL void activate_backward(float* dx, const float* dy, const float* preactivation, Index count,
                                      Activation what) noexcept;

#if TESSERA_KERNEL_BODIES
/// Detail: 1 for x > 0, else 0.
inline Vec relu_derivative(Vec x) {
    const Vec y = relu(x);
    return select(broadcast(0.0f) < y, broadcast(1.0f), y);
}

/// Detail: Φ(x) + x·φ(x). Left of 0 it is the tail less |x|·φ, and it is one less that on the other side.
inline Vec gelu_derivative(Vec x) {
    const Vec a = min(broadcast(14.0f), abs(x));  // beyond, all is zero
    const Vec density = exp2(a * a * broadcast(-0x1.715476p-1f)) * broadcast(0.3989422804f);
    const Vec left = normal_tail(a) - a * density;
    return select(broadcast(0.0f) < x, broadcast(1.0f) - left, left);
}

/// Detail: of x·σ(t): σ(t) + x·t'·σ(t)·(1 − σ(t)), where 1 − σ is e⁻ᵗ·σ, which has no cancellation; |t| < 88.
inline Vec gated_derivative(Vec t, Vec x_dt) {
    const Vec decay = exp(-t);
    const Vec gate = broadcast(1.0f) / (broadcast(1.0f) + decay);
    return fma(x_dt * gate, decay * gate, gate);
}

/// Detail: beyond ±10 it is 0 or 1.
inline Vec gelu_tanh_derivative(Vec x) {
    x = min(broadcast(10.0f), max(broadcast(-10.0f), x));
    const Vec cubic = x * x * broadcast(0.0713548162f);
    return gated_derivative(x * (cubic + broadcast(1.5957691216f)),
                            x * fma(cubic, broadcast(3.0f), broadcast(1.5957691216f)));
}

/// Detail: beyond ±50 it is 0 or 1.
inline Vec quick_gelu_derivative(Vec x) {
    const Vec t = min(broadcast(50.0f), max(broadcast(-50.0f), x)) * broadcast(1.702f);
    return gated_derivative(t, t);
}

TESSERA_KERNEL void activate_backward(float* dx, const float* dy, const float* preactivation, Index count,
                                      Activation what) noexcept {
    const auto with = [&](const auto& derivative) {
        for_each_piece(count, 32, [&](Index first, Index numbers) {
            for_each_vec(numbers, [&](Index i, Index n) {
                const Index at = first + i;
                store(dx + at, load(dy + at, n) * derivative(load(preactivation + at, n)), n);
            });
        });
    };
    switch (what) {
        case Activation::none:
            if (dx != dy) std::copy_n(dy, count, dx);
            return;
        case Activation::relu:
            return with([](Vec x) { return relu_derivative(x); });
        case Activation::gelu:
            return with([](Vec x) { return gelu_derivative(x); });
        case Activation::gelu_tanh:
            return with([](Vec x) { return gelu_tanh_derivative(x); });
        case Activation::quick_gelu:
            return with([](Vec x) { return quick_gelu_derivative(x); });
    }
}
#endif

}  // namespace tessera::inline TESSERA_ISA::kernel
