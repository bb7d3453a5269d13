// exp and its relatives on vectors; the polynomials are minimax fits, their coefficients rounded one after another.
#pragma once
#include <tessera/kernel/simd/vec.hpp>

namespace tessera::inline TESSERA_ISA::kernel {

/// c[0] + c[1]·x + c[2]·x² + …
template <std::size_t Terms>
Vec polynomial(Vec x, const float (&c)[Terms]) {
    Vec sum = broadcast(c[Terms - 1]);
    for (std::size_t i = Terms - 1; i-- > 0;) sum = fma(sum, x, broadcast(c[i]));
    return sum;
}

/// 2ˣ; exact at integers, 0 at −∞, ∞ from 128 on, NaN stays NaN.
/// units   relative error of the polynomial 8.6e-5, 2.9e-6, 8.3e-8, 2.2e-9 for degree 3, 4, 5, 6; rounding adds 1 ulp
/// cost    degree + 2 instructions on AVX-512
template <int Degree = 6>
Vec exp2(Vec x) {
    static_assert(3 <= Degree && Degree <= 6, "there are fits of degree 3 to 6");
    const Vec r = fraction(x);
    Vec power;
    if constexpr (Degree == 3)
        power = polynomial(r, {1.0f, 0x1.63e658p-1f, 0x1.d23794p-3f, 0x1.3baa9ap-4f});
    else if constexpr (Degree == 4)
        power = polynomial(r, {1.0f, 0x1.62d6c6p-1f, 0x1.ee2454p-3f, 0x1.abf856p-5f, 0x1.b7f752p-7f});
    else if constexpr (Degree == 5)
        power = polynomial(r, {1.0f, 0x1.62e4bap-1f, 0x1.ebdb6ap-3f, 0x1.c91c10p-5f, 0x1.277c1cp-7f, 0x1.e96912p-10f});
    else
        power = polynomial(r, {1.0f, 0x1.62e42cp-1f, 0x1.ebfd3ap-3f, 0x1.c68af6p-5f, 0x1.3cfd82p-7f, 0x1.473738p-10f,
                               0x1.c44580p-13f});
    return scale_by_power(power, x);
}

/// 2ˣ for x < 127, for softmax: cheaper, because results below 2⁻¹²⁶ may be 0; exact at integers, NaN stays NaN.
/// units   relative error below 2 ulp; 0 from −126.5 down, but on AVX-512, where it underflows gradually
/// cost    11 instructions, 9 on AVX-512
inline Vec exp2_flushed(Vec x) {
#if defined(__AVX512F__)
    return exp2(x);
#else
    const Vec low = max(broadcast(-127.0f), x);
    // The sum's low bits are the nearest integer plus 127, the exponent of a float; −127 makes it that of zero.
    const Vec moved = as_computed(low + broadcast(to_integer + 127.0f));
    const Vec rest = low - as_computed(moved - broadcast(to_integer + 127.0f));
    const Vec power =
        polynomial(rest, {1.0f, 0x1.62e42ap-1f, 0x1.ebf9c2p-3f, 0x1.c6b6dap-5f, 0x1.3ce8b2p-7f, 0x1.5bd97ap-10f});
    return power * from_bits(bits_of(moved) << 23);
#endif
}

/// eˣ within 1.5 ulp; 0 at −∞, ∞ at ∞, NaN stays NaN.
inline Vec exp(Vec x) {
    x = min(broadcast(90.0f), max(broadcast(-105.0f), x));  // beyond, the result is 0 or ∞ all the same
    const Vec n = round(x * broadcast(0x1.715476p0f));
    Vec r = as_computed(fma(n, broadcast(-0x1.62e400p-1f), x));  // ln 2 in two parts: n times the first is exact
    r = fma(n, broadcast(-0x1.7f7d1cp-20f), r);
    const Vec power =
        polynomial(r, {1.0f, 1.0f, 0x1.fffffcp-2f, 0x1.555492p-3f, 0x1.5558aap-5f, 0x1.12396ep-7f, 0x1.6a524ep-10f});
    return scale_by_power(power, n);
}

/// 1 / (1 + e⁻ˣ).
inline Vec sigmoid(Vec x) { return broadcast(1.0f) / (broadcast(1.0f) + exp(-x)); }

/// tanh x within 4 ulp.
inline Vec tanh(Vec x) {
    const Vec one = broadcast(1.0f);
    const Vec a = abs(x);
    const Vec decay = exp(a * broadcast(-2.0f));
    const Vec large = (one - decay) / (one + decay);
    const Vec square = x * x;
    const Vec series =
        polynomial(square, {-0x1.555532p-2f, 0x1.1106f6p-3f, -0x1.b835a4p-5f, 0x1.51f8cep-6f, -0x1.750ce4p-8f});
    const Vec little = fma(series * square, a, a);
    return copy_sign(select(a < broadcast(0.625f), little, large), x);
}

/// The upper tail of the normal distribution, ½ erfc(a/√2), for a ≥ 0, within a relative error of (5 + a²)·1e-7.
/// source  the form e^(−a²/2)·t·P(t), t = 1/(1 + pa), of Abramowitz and Stegun 7.1.26, fitted anew to degree 8
inline Vec normal_tail(Vec a) {
    const Vec t = broadcast(1.0f) / fma(a, broadcast(0x1.333334p-2f), broadcast(1.0f));
    const Vec ratio = t * polynomial(t, {0x1.ea006ap-4f, 0x1.ee9bb4p-4f, 0x1.993ee8p-4f, 0x1.074b4ep-3f,
                                         -0x1.b7c6a6p-5f, 0x1.a69ca0p-3f, -0x1.41f3acp-3f, 0x1.243f6ap-5f});
    return ratio * exp2(a * a * broadcast(-0x1.715476p-1f));
}

}  // namespace tessera::inline TESSERA_ISA::kernel
