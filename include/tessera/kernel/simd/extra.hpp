// What xsimd 8.1 lacks: loads and stores of a few lanes, masks from bits, bf16, f16 and int8, sums of a register in a fixed order.
// Written with the vector extension of g++ and clang, which xsimd's registers are of; kernel/simd/xsimd.hpp includes it.
#pragma once
#include <array>
#include <cstdint>
#include <cstring>
#include <tessera/core/compiler.hpp>
#include <utility>

namespace tessera::inline TESSERA_ISA::kernel {

/// Detail: a register's bits as integers.
using Bits [[gnu::vector_size(Vec::width * 4)]] = std::uint32_t;
using Integers [[gnu::vector_size(Vec::width * 4)]] = std::int32_t;
using Floats [[gnu::vector_size(Vec::width * 4)]] = float;
inline Bits bits_of(Vec a) { return reinterpret_cast<Bits>(a.reg()); }
inline Vec from_bits(Bits a) { return {reinterpret_cast<Vec::Register>(a)}; }
/// Detail: from all bits, or none, of each lane.
template <class Lanes>
Mask mask_from(Lanes a) {
    return {Mask::Batch(reinterpret_cast<Mask::Batch::register_type>(a))};
}
/// Detail: f(0), f(1), …, one in each lane.
template <class F>
Bits bits_from(const F& f) {
    return [&]<unsigned... I>(std::integer_sequence<unsigned, I...>) { return Bits{f(I)...}; }
    (std::make_integer_sequence<unsigned, static_cast<unsigned>(Vec::width)>{});
}

inline Mask first(Index count) {
    const Bits lane = bits_from([](unsigned i) { return i; });
    return mask_from(reinterpret_cast<Integers>(lane) < static_cast<std::int32_t>(count));
}
template <unsigned First>
Mask mask_of(std::uint32_t bits) {
    const Bits lane = bits_from([](unsigned i) { return 1u << (First + i); });
    return mask_from((bits & lane) == lane);
}

/// Detail: lane i is lane f(i) of `a`, or from `width` on of `b`; f is known to the compiler.
template <class F>
Vec shuffle(Vec a, Vec b, F) {
    return [&]<Index... I>(std::integer_sequence<Index, I...>) {
        return Vec{Vec::Register(__builtin_shufflevector(a.reg(), b.reg(), F{}(I)...))};
    }
    (std::make_integer_sequence<Index, Vec::width>{});
}
/// Detail: lane i is lane i ± Half.
template <Index Half>
Vec exchanged(Vec a) {
    return shuffle(a, a, [](Index i) { return i ^ Half; });
}

// --- a few lanes -----------------------------------------------------------------------------------------------------------------

inline Vec load(const float* p, Index count) {
    if (count == Vec::width) return load(p);
#if defined(__AVX__)
    return {_mm256_maskload_ps(p, reinterpret_cast<__m256i>(first(count).v.data))};
#else
    std::array<float, Vec::width> lanes{};
    for (Index i = 0; i < count; ++i) lanes[static_cast<std::size_t>(i)] = p[i];
    return load(lanes.data());
#endif
}
/// Detail: the lowest bits of `count` one by one, as AMD's masked stores take some forty instructions. Not inline: a tail must not
/// make the loop before it too large to be.
template <Index Half>
[[gnu::noinline]] void store_halves(float* p, Vec a, Index count) {
    if ((count & Half) != 0) {
        std::memcpy(p, &a, Half * sizeof(float));
        p += Half;
        a = exchanged<Half>(a);
    }
    if constexpr (Half > 1) store_halves<Half / 2>(p, a, count);
}
inline void store(float* p, Vec a, Index count) {
    if (count == Vec::width)
        store(p, a);
    else
        store_halves<Vec::width / 2>(p, a, count);
}

// --- powers of two ---------------------------------------------------------------------------------------------------------------

/// Detail: adding this to a number below 2²² leaves its nearest integer in the low bits.
inline constexpr float to_integer = 0x1.8p23f;

[[gnu::always_inline]] inline Vec as_computed(Vec a) {
    Vec::Register reg = a.reg();
#if defined(__SSE2__)
    asm("" : "+x"(reg));
#else
    asm("" : "+w"(reg));
#endif
    return {reg};
}

inline Vec round(Vec a) { return as_computed(as_computed(a + broadcast(to_integer)) - broadcast(to_integer)); }
/// Detail: n within the powers of two that change a float at all; NaN stays NaN.
inline Vec in_exponent_range(Vec n) { return min(broadcast(160.0f), max(broadcast(-160.0f), n)); }
/// Detail: ⌊n⌋ for |n| < 2²².
inline Vec floor_in_range(Vec n) {
    const Vec nearest = round(n);
    return select(n < nearest, nearest - broadcast(1.0f), nearest);
}
inline Vec fraction(Vec a) {
    const Vec n = in_exponent_range(a);
    return n - floor_in_range(n);
}
inline Vec scale_by_power(Vec a, Vec n) {  // in two steps, as 2ⁿ alone need not be a float
    const Vec whole = floor_in_range(in_exponent_range(n));
    const Vec half = floor_in_range(whole * broadcast(0.5f));
    const auto integer = [](Vec x) {
        return bits_of(as_computed(x + broadcast(to_integer)));
    };  // its upper bits are shifted out
    const auto power = [&](Vec x) { return from_bits((integer(x) + 127u) << 23); };
    return a * power(half) * power(whole - half);
}

// --- all lanes -------------------------------------------------------------------------------------------------------------------

/// Detail: all lanes folded onto each other, halves first.
template <class F>
float reduce(Vec a, const F& f) {
    if constexpr (Vec::width == 8) a = f(a, exchanged<4>(a));
    a = f(a, exchanged<2>(a));
    a = f(a, exchanged<1>(a));
    return a.reg()[0];
}
inline float reduce_add(Vec a) {
    return reduce(a, [](Vec x, Vec y) { return x + y; });
}
inline float reduce_max(Vec a) {
    return reduce(a, [](Vec x, Vec y) { return max(x, y); });
}

// --- bf16 ------------------------------------------------------------------------------------------------------------------------

/// Detail: half a register of bf16 in memory.
using Half [[gnu::vector_size(Vec::width * 2), gnu::aligned(2), gnu::may_alias]] = std::uint16_t;

inline Vec load(const bf16* p) {
#if defined(__AVX2__)  // of a conversion g++ makes two of half the width
    const __m256i wide = _mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
    return from_bits(reinterpret_cast<Bits>(wide) << 16);
#else
    return from_bits(__builtin_convertvector(*reinterpret_cast<const Half*>(p), Bits) << 16);
#endif
}
/// Detail: rounded to the nearest bf16, ties to even, which is in the upper half of each lane; NaN stays NaN.
inline Bits rounded_to_bf16(Vec a) {
    const Bits bits = bits_of(a);
    const Bits up = bits + 0x7fffu + (bits >> 16 & 1u);
    return a.reg() == a.reg() ? up : bits | 0x400000u;
}
inline void store(bf16* p, Vec a) {
    *reinterpret_cast<Half*>(p) = __builtin_convertvector(rounded_to_bf16(a) >> 16, Half);
}

struct Halves {
    Bits v;
};
inline Halves load_halves(const bf16* p) {
    Halves a;
    std::memcpy(&a.v, &p->bits, sizeof(a.v));
    return a;
}
inline Halves broadcast_pair(const bf16* p) {
    return {(std::uint32_t{p[0].bits} | std::uint32_t{p[1].bits} << 16) | Bits{}};
}
inline Vec even(Halves a) { return from_bits(a.v << 16); }
inline Vec odd(Halves a) { return from_bits(a.v & 0xffff0000u); }

struct Pair {
    Vec even, odd;
};
inline Vec load_even(const bf16* p) { return even(load_halves(p)); }
inline Vec load_odd(const bf16* p) { return odd(load_halves(p)); }
inline Pair load_pairs(const bf16* p) { return {load_even(p), load_odd(p)}; }
inline void store_pairs(bf16* p, Pair pair) {
    const Bits both = rounded_to_bf16(pair.even) >> 16 | (rounded_to_bf16(pair.odd) & 0xffff0000u);
    std::memcpy(&p->bits, &both, sizeof(both));
}

/// Detail: a register of bf16.
using HalfWords [[gnu::vector_size(Vec::width * 4)]] = std::uint16_t;
/// Detail: four of each eight from `First` on, in turn.
template <int First>
Vec zip(Vec a, Vec b) {
    constexpr int words = static_cast<int>(2 * Vec::width);
    return [&]<int... I>(std::integer_sequence<int, I...>) {
        return from_bits(reinterpret_cast<Bits>(
            __builtin_shufflevector(reinterpret_cast<HalfWords>(a.reg()), reinterpret_cast<HalfWords>(b.reg()),
                                    (I / 8 * 8 + First + I % 8 / 2 + I % 2 * words)...)));
    }
    (std::make_integer_sequence<int, words>{});
}
inline Vec zip_low(Vec a, Vec b) { return zip<0>(a, b); }
inline Vec zip_high(Vec a, Vec b) { return zip<4>(a, b); }

// --- f16 and int8 ----------------------------------------------------------------------------------------------------------------

inline Vec load(const f16* p) {
#if defined(__F16C__)
    return {Vec::Batch(_mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))))};
#else  // as to_float(f16)
    const Bits half = __builtin_convertvector(*reinterpret_cast<const Half*>(p), Bits);
    const Bits magnitude = (half & 0x7fffu) << 13, exponent = magnitude & 0x0f800000u;
    const Bits normal = magnitude + (exponent == 0x0f800000u ? Bits{} + (224u << 23) : Bits{} + (112u << 23));
    const Bits tiny = bits_of(as_computed(from_bits(magnitude + (113u << 23))) - broadcast(0x1p-14f));
    return from_bits((exponent == 0u ? tiny : normal) | (half & 0x8000u) << 16);
#endif
}
inline void store(f16* p, Vec a) {
#if defined(__F16C__)
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm256_cvtps_ph(a.reg(), _MM_FROUND_TO_NEAREST_INT));
#else
    std::array<float, Vec::width> lanes;
    store(lanes.data(), a);
    for (const float x : lanes) *p++ = to_f16(x);
#endif
}

template <int Place>
Vec load_quarter(const std::int8_t* p) {
    Bits four;
    std::memcpy(&four, p + (Place - 3), sizeof(four));
    const auto top = reinterpret_cast<Integers>(four & 0xff000000u);
    return {reinterpret_cast<Vec::Register>(__builtin_convertvector(top, Floats))};
}
inline void store_quarters(std::int8_t* p, Vec a, Vec b, Vec c, Vec d) {
    const auto whole = [](Vec x) {
        return reinterpret_cast<Bits>(__builtin_convertvector(reinterpret_cast<Floats>(x.reg()), Integers));
    };
    const Bits four =
        (whole(a) & 0xffu) | (whole(b) & 0xffu) << 8 | (whole(c) & 0xffu) << 16 | (whole(d) & 0xffu) << 24;
    std::memcpy(p, &four, sizeof(four));
}

inline constexpr bool has_dot = false;
inline Vec dot(Halves a, Halves b, Vec c) { return fma(odd(a), odd(b), fma(even(a), even(b), c)); }
[[gnu::always_inline]] inline void multiply_add(Vec& sum, Halves a, Halves b) { sum = dot(a, b, sum); }

inline constexpr bool has_quad_dot = false;
struct Quads {};
struct Whole {};

}  // namespace tessera::inline TESSERA_ISA::kernel
