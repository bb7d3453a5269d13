// AVX-512 for machines that have only AVX2: included before everything else, it makes the 512-bit intrinsics functions of SIMDe, or of
// this file where SIMDe 0.7 has none, and tells the library that the processor has them. Presets avx512 and avx512_bf16 compile kernels
// and layers so.
#pragma once
#define SIMDE_ENABLE_NATIVE_ALIASES
#include <simde/x86/avx512.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>

#define __AVX512F__ 1
#define __AVX512BW__ 1
#define __AVX512DQ__ 1
#define __AVX512VL__ 1
#define TESSERA_NO_ASM  // nor instructions by name
#ifdef TESSERA_EMULATE_BF16
#define __AVX512BF16__ 1
#endif

#include <tessera/core/dtype.hpp>

namespace tessera::test::emulated {

/// A register as its lanes, and back.
template <class T, class Register>
std::array<T, sizeof(Register) / sizeof(T)> lanes(const Register& a) {
    std::array<T, sizeof(Register) / sizeof(T)> result;
    std::memcpy(result.data(), &a, sizeof(a));
    return result;
}
template <class Register, class Lanes>
Register packed(const Lanes& lanes) {
    static_assert(sizeof(Register) == sizeof(Lanes));
    Register result;
    std::memcpy(&result, lanes.data(), sizeof(result));
    return result;
}

/// A register of U whose lane i is f(lane i of a), or zero where bit i of the mask is not set.
template <class To, class U, class T, class From, class F>
To each(unsigned mask, const From& a, const F& f) {
    const auto in = lanes<T>(a);
    std::array<U, sizeof(To) / sizeof(U)> out{};
    for (std::size_t i = 0; i < out.size(); ++i)
        if (mask >> i & 1u) out[i] = f(in[i]);
    return packed<To>(out);
}

inline __m512 load(unsigned mask, const float* p) {
    std::array<float, 16> out{};
    for (std::size_t i = 0; i < 16; ++i)
        if (mask >> i & 1u) out[i] = p[i];
    return packed<__m512>(out);
}
inline void store(float* p, unsigned mask, const __m512& a) {
    const auto in = lanes<float>(a);
    for (std::size_t i = 0; i < 16; ++i)
        if (mask >> i & 1u) p[i] = in[i];
}
/// a − ⌊a⌋, zero for ±∞: the only way of rounding that the library asks for.
inline __m512 reduce(unsigned mask, const __m512& a) {
    return each<__m512, float, float>(mask, a, [](float x) { return std::isinf(x) ? 0.0f : x - std::floor(x); });
}
inline __m512i shift(unsigned mask, const __m512i& a, unsigned left, unsigned right) {
    return each<__m512i, std::uint32_t, std::uint32_t>(mask, a, [=](std::uint32_t x) { return x << left >> right; });
}
inline __m512i shift_signed(unsigned mask, const __m512i& a, unsigned right) {
    return each<__m512i, std::int32_t, std::int32_t>(mask, a, [=](std::int32_t x) { return x >> right; });
}
inline __m512 to_floats(unsigned mask, const __m512i& a) {
    return each<__m512, float, std::int32_t>(mask, a, [](std::int32_t x) { return static_cast<float>(x); });
}
inline __m512i to_integers(unsigned mask, const __m512& a) {
    return each<__m512i, std::int32_t, float>(mask, a,
                                              [](float x) { return static_cast<std::int32_t>(std::nearbyint(x)); });
}
inline __m512 widen_f16(unsigned mask, const __m256i& a) {
    return each<__m512, float, tessera::f16>(mask, a, [](tessera::f16 x) { return tessera::to_float(x); });
}
inline __m256i narrow_f16(unsigned mask, const __m512& a) {
    return each<__m256i, tessera::f16, float>(mask, a, [](float x) { return tessera::to_f16(x); });
}
inline __m512i widen(unsigned mask, const __m256i& a) {
    return each<__m512i, std::uint32_t, std::uint16_t>(mask, a, [](std::uint16_t x) { return std::uint32_t{x}; });
}
inline __m256i narrow(unsigned mask, const __m512i& a) {
    return each<__m256i, std::uint16_t, std::uint32_t>(mask, a,
                                                       [](std::uint32_t x) { return static_cast<std::uint16_t>(x); });
}
inline __m256 half(unsigned mask, const __m512& a, std::size_t which) {
    const auto in = lanes<float>(a);
    std::array<float, 8> out{};
    for (std::size_t i = 0; i < 8; ++i)
        if (mask >> i & 1u) out[i] = in[which * 8 + i];
    return packed<__m256>(out);
}
/// Blocks of four lanes (single lanes of each block) two from `a` and two from `b`, chosen by pairs of bits of `order`.
inline __m512 shuffle_blocks(unsigned mask, const __m512& a, const __m512& b, unsigned order) {
    const auto x = lanes<float>(a), y = lanes<float>(b);
    std::array<float, 16> out{};
    for (std::size_t i = 0; i < 16; ++i)
        if (mask >> i & 1u) out[i] = (i < 8 ? x : y)[(order >> i / 4 * 2 & 3u) * 4 + i % 4];
    return packed<__m512>(out);
}
inline __m512 shuffle_lanes(unsigned mask, const __m512& a, const __m512& b, unsigned order) {
    const auto x = lanes<float>(a), y = lanes<float>(b);
    std::array<float, 16> out{};
    for (std::size_t i = 0; i < 16; ++i)
        if (mask >> i & 1u) out[i] = (i % 4 < 2 ? x : y)[i / 4 * 4 + (order >> i % 4 * 2 & 3u)];
    return packed<__m512>(out);
}

}  // namespace tessera::test::emulated

#define _mm512_maskz_loadu_ps(mask, p) tessera::test::emulated::load(mask, p)
#define _mm512_mask_storeu_ps(p, mask, a) tessera::test::emulated::store(p, mask, a)
#define _mm512_maskz_reduce_ps(mask, a, how) tessera::test::emulated::reduce(mask, a)
#define _mm512_maskz_slli_epi32(mask, a, n) tessera::test::emulated::shift(mask, a, n, 0)
#define _mm512_maskz_srli_epi32(mask, a, n) tessera::test::emulated::shift(mask, a, 0, n)
#define _mm512_maskz_srai_epi32(mask, a, n) tessera::test::emulated::shift_signed(mask, a, n)
#define _mm512_maskz_cvtepi32_ps(mask, a) tessera::test::emulated::to_floats(mask, a)
#define _mm512_maskz_cvtps_epi32(mask, a) tessera::test::emulated::to_integers(mask, a)
#define _mm512_maskz_cvtph_ps(mask, a) tessera::test::emulated::widen_f16(mask, a)
#define _mm512_maskz_cvtps_ph(mask, a, how) tessera::test::emulated::narrow_f16(mask, a)
#define _mm512_maskz_cvtepu16_epi32(mask, a) tessera::test::emulated::widen(mask, a)
#define _mm512_maskz_cvtepi32_epi16(mask, a) tessera::test::emulated::narrow(mask, a)
#define _mm512_maskz_extractf32x8_ps(mask, a, which) tessera::test::emulated::half(mask, a, which)
#define _mm512_maskz_shuffle_f32x4(mask, a, b, order) tessera::test::emulated::shuffle_blocks(mask, a, b, order)
#define _mm512_maskz_shuffle_ps(mask, a, b, order) tessera::test::emulated::shuffle_lanes(mask, a, b, order)
