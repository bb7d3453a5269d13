// The activation functions of core/activation, a vector at a time.
#pragma once
#include <tessera/core/activation.hpp>
#include <tessera/kernel/compiled.hpp>
#include <tessera/kernel/simd/math.hpp>

namespace tessera::inline TESSERA_ISA::kernel {

#if TESSERA_KERNEL_BODIES
inline Vec relu(Vec x) { return max(broadcast(0.0f), x); }

/// ½x(1 + erf(x/√2)) within 2e-7·max(1, |x|): max(x, 0) less the small bump |x|·Q(|x|), which has no cancellation.
inline Vec gelu(Vec x) {
    const Vec a = min(broadcast(14.0f), abs(x));  // beyond, the bump is zero
    return relu(x) - a * normal_tail(a);
}

/// ½x(1 + tanh(√(2/π)(x + 0.044715x³))), which is x·σ(2√(2/π)(x + 0.044715x³)).
inline Vec gelu_tanh(Vec x) {
    const Vec inner = x * fma(x * x, broadcast(0.0713548162f), broadcast(1.5957691216f));
    return x * sigmoid(inner);
}

/// x·σ(1.702x).
inline Vec quick_gelu(Vec x) { return x * sigmoid(x * broadcast(1.702f)); }

/// Calls `f` with the vector function that `what` names, so that the choice is made once and not per element.
template <class F>
void with_activation(Activation what, const F& f) {
    switch (what) {
        case Activation::none:
            return f([](Vec x) { return x; });
        case Activation::relu:
            return f([](Vec x) { return relu(x); });
        case Activation::gelu:
            return f([](Vec x) { return gelu(x); });
        case Activation::gelu_tanh:
            return f([](Vec x) { return gelu_tanh(x); });
        case Activation::quick_gelu:
            return f([](Vec x) { return quick_gelu(x); });
    }
}

#endif

/// y[i] = what(x[i]); y may be x.
TESSERA_KERNEL void activate(float* y, const float* x, Index count, Activation what) noexcept;
/// y[i] = a[i] · b[i]; y may be either.
TESSERA_KERNEL void multiply(float* y, const float* a, const float* b, Index count) noexcept;

#if TESSERA_KERNEL_BODIES
TESSERA_KERNEL void activate(float* y, const float* x, Index count, Activation what) noexcept {
    with_activation(what, [&](auto function) {
        for_each_vec(count, [&](Index i, Index lanes) { store(y + i, function(load(x + i, lanes)), lanes); });
    });
}

TESSERA_KERNEL void multiply(float* y, const float* a, const float* b, Index count) noexcept {
    for_each_vec(count, [&](Index i, Index lanes) { store(y + i, load(a + i, lanes) * load(b + i, lanes), lanes); });
}
#endif

}  // namespace tessera::inline TESSERA_ISA::kernel
