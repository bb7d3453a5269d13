// The vector of kernel/simd/vec.hpp on AVX-512 (F, BW, DQ, VL), by intrinsics: half of it are masked operations and dot products
// of bf16 and of whole numbers, which xsimd 8.1 has not.
#pragma once
#include <immintrin.h>

#include <bit>
#include <cstdint>
#include <tessera/core/dtype.hpp>
#include <tessera/core/view.hpp>

namespace tessera::inline TESSERA_ISA::kernel {

/// How many vectors the processor can hold at once.
inline constexpr int registers = 32;

struct Vec {
    static constexpr Index width = 16;
    __m512 v;

    __m512 reg() const { return v; }
};

struct Mask {
    __mmask16 m;
};

/// Detail: every lane. g++ 12 warns of the undefined vector that its unmasked intrinsics pass on, so the masked ones
/// are called instead; the instructions are the same.
inline constexpr __mmask16 every = 0xffff;

inline Vec broadcast(float x) { return {_mm512_set1_ps(x)}; }

inline Mask first(Index count) { return {static_cast<__mmask16>((1u << static_cast<unsigned>(count)) - 1u)}; }
template <unsigned First>
Mask mask_of(std::uint32_t bits) {
    return {static_cast<__mmask16>(bits >> First)};
}
inline Mask operator&(Mask a, Mask b) { return {static_cast<__mmask16>(a.m & b.m)}; }
inline Mask operator<(Vec a, Vec b) { return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_LT_OQ)}; }
inline bool any(Mask a) { return a.m != 0; }
inline Vec select(Mask mask, Vec a, Vec b) { return {_mm512_mask_blend_ps(mask.m, b.v, a.v)}; }

inline Vec load(const float* p) { return {_mm512_loadu_ps(p)}; }
inline Vec load(const float* p, Index count) {
    return count == Vec::width ? load(p) : Vec{_mm512_maskz_loadu_ps(first(count).m, p)};
}
inline void store(float* p, Vec a) { _mm512_storeu_ps(p, a.v); }
inline void store(float* p, Vec a, Index count) {
    if (count == Vec::width)
        store(p, a);
    else
        _mm512_mask_storeu_ps(p, first(count).m, a.v);
}

inline Vec operator+(Vec a, Vec b) { return {_mm512_add_ps(a.v, b.v)}; }
inline Vec operator-(Vec a, Vec b) { return {_mm512_sub_ps(a.v, b.v)}; }
inline Vec operator*(Vec a, Vec b) { return {_mm512_mul_ps(a.v, b.v)}; }
inline Vec operator/(Vec a, Vec b) { return {_mm512_div_ps(a.v, b.v)}; }
inline Vec sqrt(Vec a) { return {_mm512_maskz_sqrt_ps(every, a.v)}; }
inline Vec fma(Vec a, Vec b, Vec c) { return {_mm512_fmadd_ps(a.v, b.v, c.v)}; }
inline Vec max(Vec a, Vec b) { return {_mm512_maskz_max_ps(every, a.v, b.v)}; }
inline Vec min(Vec a, Vec b) { return {_mm512_maskz_min_ps(every, a.v, b.v)}; }
inline Vec abs(Vec a) { return {_mm512_abs_ps(a.v)}; }
inline Vec copy_sign(Vec a, Vec b) {
    return {_mm512_castsi512_ps(_mm512_ternarylogic_epi32(_mm512_set1_epi32(0x7fffffff), _mm512_castps_si512(a.v),
                                                          _mm512_castps_si512(b.v), 0xca))};
}

inline Vec as_computed(Vec a) { return a; }  // intrinsics are not taken apart
inline Vec round(Vec a) {
    return {_mm512_maskz_roundscale_ps(every, a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)};
}
inline Vec fraction(Vec a) { return {_mm512_maskz_reduce_ps(every, a.v, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC)}; }
inline Vec scale_by_power(Vec a, Vec n) { return {_mm512_maskz_scalef_ps(every, a.v, n.v)}; }

inline float reduce_add(Vec a) {
    const __m256 b =
        _mm256_add_ps(_mm512_maskz_extractf32x8_ps(0xff, a.v, 0), _mm512_maskz_extractf32x8_ps(0xff, a.v, 1));
    const __m128 c = _mm_add_ps(_mm256_castps256_ps128(b), _mm256_extractf128_ps(b, 1));
    const __m128 d = _mm_add_ps(c, _mm_movehl_ps(c, c));
    return _mm_cvtss_f32(_mm_add_ss(d, _mm_movehdup_ps(d)));
}
inline float reduce_max(Vec a) {
    const __m256 b =
        _mm256_max_ps(_mm512_maskz_extractf32x8_ps(0xff, a.v, 0), _mm512_maskz_extractf32x8_ps(0xff, a.v, 1));
    const __m128 c = _mm_max_ps(_mm256_castps256_ps128(b), _mm256_extractf128_ps(b, 1));
    const __m128 d = _mm_max_ps(c, _mm_movehl_ps(c, c));
    return _mm_cvtss_f32(_mm_max_ss(d, _mm_movehdup_ps(d)));
}

inline Vec load(const bf16* p) {
    const __m256i half = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
    return {_mm512_castsi512_ps(_mm512_maskz_slli_epi32(every, _mm512_maskz_cvtepu16_epi32(every, half), 16))};
}
/// Detail: rounded to the nearest bf16, ties to even, which is in the upper half of each lane; NaN stays NaN.
inline __m512i rounded_to_bf16(Vec a) {
    const __m512i bits = _mm512_castps_si512(a.v);
    const __m512i odd = _mm512_maskz_and_epi32(every, _mm512_maskz_srli_epi32(every, bits, 16), _mm512_set1_epi32(1));
    const __m512i up = _mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff)));
    const __m512i quiet = _mm512_maskz_or_epi32(every, bits, _mm512_set1_epi32(0x400000));
    return _mm512_mask_blend_epi32(_mm512_cmp_ps_mask(a.v, a.v, _CMP_UNORD_Q), up, quiet);
}
inline void store(bf16* p, Vec a) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p),
                        _mm512_maskz_cvtepi32_epi16(every, _mm512_maskz_srli_epi32(every, rounded_to_bf16(a), 16)));
}

struct Pair {
    Vec even, odd;
};
inline Pair load_pairs(const bf16* p) {
    const __m512i both = _mm512_loadu_si512(p);
    return {
        {_mm512_castsi512_ps(_mm512_maskz_slli_epi32(every, both, 16))},
        {_mm512_castsi512_ps(_mm512_maskz_and_epi32(every, both, _mm512_set1_epi32(static_cast<int>(0xffff0000u))))}};
}

inline void store_pairs(bf16* p, Pair pair) {
    const __m512i even = _mm512_maskz_srli_epi32(every, rounded_to_bf16(pair.even), 16);
    const __m512i odd = rounded_to_bf16(pair.odd);
    _mm512_storeu_si512(p, _mm512_mask_blend_epi16(0xaaaaaaaau, even, odd));
}
inline Vec load_even(const bf16* p) {
    return {_mm512_castsi512_ps(_mm512_maskz_slli_epi32(every, _mm512_loadu_si512(p), 16))};
}
inline Vec load_odd(const bf16* p) {
    return {_mm512_castsi512_ps(
        _mm512_maskz_and_epi32(every, _mm512_loadu_si512(p), _mm512_set1_epi32(static_cast<int>(0xffff0000u))))};
}

/// Detail: all places of 2·width bf16.
inline constexpr __mmask32 every_half = 0xffffffffu;
inline Vec zip_low(Vec a, Vec b) {
    return {_mm512_castsi512_ps(
        _mm512_maskz_unpacklo_epi16(every_half, _mm512_castps_si512(a.v), _mm512_castps_si512(b.v)))};
}
inline Vec zip_high(Vec a, Vec b) {
    return {_mm512_castsi512_ps(
        _mm512_maskz_unpackhi_epi16(every_half, _mm512_castps_si512(a.v), _mm512_castps_si512(b.v)))};
}

inline Vec load(const f16* p) {
    return {_mm512_maskz_cvtph_ps(every, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)))};
}
inline void store(f16* p, Vec a) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p),
                        _mm512_maskz_cvtps_ph(every, a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}

template <int Place>
Vec load_quarter(const std::int8_t* p) {
    const __m512i top = _mm512_set1_epi32(static_cast<int>(0xff000000u));
    return {_mm512_maskz_cvtepi32_ps(every, _mm512_maskz_and_epi32(every, _mm512_loadu_si512(p + (Place - 3)), top))};
}
inline void store_quarters(std::int8_t* p, Vec a, Vec b, Vec c, Vec d) {
    const auto low = [](Vec x) {
        return _mm512_maskz_and_epi32(every, _mm512_maskz_cvtps_epi32(every, x.v), _mm512_set1_epi32(0xff));
    };
    const __m512i ab = _mm512_maskz_or_epi32(every, low(a), _mm512_maskz_slli_epi32(every, low(b), 8));
    const __m512i cd = _mm512_maskz_or_epi32(every, low(c), _mm512_maskz_slli_epi32(every, low(d), 8));
    _mm512_storeu_si512(p, _mm512_maskz_or_epi32(every, ab, _mm512_maskz_slli_epi32(every, cd, 16)));
}

struct Halves {
    __m512i v;
};
inline Halves load_halves(const bf16* p) { return {_mm512_loadu_si512(p)}; }
inline Halves broadcast_pair(const bf16* p) {
    std::int32_t both;
    __builtin_memcpy(&both, p, sizeof(both));
    return {_mm512_set1_epi32(both)};
}
#if defined(__AVX512BF16__)
inline constexpr bool has_dot = true;
inline Vec dot(Halves a, Halves b, Vec c) { return {_mm512_dpbf16_ps(c.v, (__m512bh)a.v, (__m512bh)b.v)}; }
#else
inline constexpr bool has_dot = false;
inline Vec dot(Halves a, Halves b, Vec c) {
    const auto even = [](Halves x) { return Vec{_mm512_castsi512_ps(_mm512_maskz_slli_epi32(every, x.v, 16))}; };
    const auto odd = [](Halves x) {
        return Vec{
            _mm512_castsi512_ps(_mm512_maskz_and_epi32(every, x.v, _mm512_set1_epi32(static_cast<int>(0xffff0000u))))};
    };
    return fma(odd(a), odd(b), fma(even(a), even(b), c));
}
#endif
[[gnu::always_inline]] inline void multiply_add(Vec& sum, Halves a, Halves b) {
#if defined(__AVX512BF16__) && !defined(TESSERA_NO_ASM)
    auto total = sum.v;  // as for floats, see kernel/simd/vec.hpp
    asm("vdpbf16ps {%2, %1, %0|%0, %1, %2}" : "+v"(total) : "v"(a.v), "v"(b.v));
    sum = {total};
#else
    sum = dot(a, b, sum);
#endif
}

#if defined(__AVX512VNNI__)
inline constexpr bool has_quad_dot = true;
struct Quads {
    __m512i v;
};
struct Whole {
    __m512i v;
};
inline Whole broadcast_whole(std::int32_t x) { return {_mm512_set1_epi32(x)}; }
inline Quads load_raised(const std::int8_t* p) {
    return {_mm512_xor_si512(_mm512_loadu_si512(p), _mm512_set1_epi8(-128))};
}
inline Quads broadcast_quad(const std::int8_t* p) {
    std::int32_t four;
    __builtin_memcpy(&four, p, sizeof(four));
    return {_mm512_set1_epi32(four)};
}
inline Whole dot(Quads raised, Quads b, Whole c) { return {_mm512_dpbusd_epi32(c.v, raised.v, b.v)}; }
[[gnu::always_inline]] inline void multiply_add(Whole& sum, Quads raised, Quads b) {
#if !defined(TESSERA_NO_ASM)
    auto total = sum.v;
    asm("vpdpbusd {%2, %1, %0|%0, %1, %2}" : "+v"(total) : "v"(raised.v), "v"(b.v));
    sum = {total};
#else
    sum = dot(raised, b, sum);
#endif
}
inline Vec to_vec(Whole a) { return {_mm512_maskz_cvtepi32_ps(every, a.v)}; }
inline void store_digits(std::int8_t* high, std::int8_t* middle, std::int8_t* low, Vec a) {
    // With 128 more in each digit, every one is a byte by itself; the other sign of its top bit takes them off again.
    const __m512i half = _mm512_set1_epi32(0x808080);
    const __m512i digits = _mm512_xor_si512(_mm512_add_epi32(_mm512_maskz_cvtps_epi32(every, a.v), half), half);
    const auto put = [](std::int8_t* to, __m512i x) {
        _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm512_maskz_cvtepi32_epi8(every, x));
    };
    put(low, digits);
    put(middle, _mm512_maskz_srli_epi32(every, digits, 8));
    put(high, _mm512_maskz_srli_epi32(every, digits, 16));
}
inline std::int32_t sum_of(const std::int8_t* p, Index count) {
    __m512i sum = _mm512_setzero_si512();
    for (Index i = 0; i < count; i += 4 * Vec::width)
        sum = _mm512_dpbusd_epi32(sum, _mm512_set1_epi8(1), _mm512_loadu_si512(p + i));
    std::int32_t lanes[16], total = 0;
    _mm512_storeu_si512(lanes, sum);
    for (const std::int32_t lane : lanes) total += lane;
    return total;
}
#else
inline constexpr bool has_quad_dot = false;
struct Quads {};
struct Whole {};
#endif

}  // namespace tessera::inline TESSERA_ISA::kernel
