// The vector of kernel/simd.hpp by way of xsimd: AVX2, AVX, SSE and NEON.
#pragma once
#include <array>
#include <cstdint>
#include <tessera/core/number.hpp>
#include <tessera/core/view.hpp>
#include <xsimd/xsimd.hpp>

namespace tessera::kernel::inline TESSERA_ISA {

/// How many vectors the processor can hold at once.
#if defined(__aarch64__)
inline constexpr int registers = 32;
#else
inline constexpr int registers = 16;
#endif

/// As many floats as a register holds.
struct Vec {
    using Register = xsimd::batch<float>;
    static constexpr Index width = Register::size;
    Register v;
};

/// One truth value per lane.
struct Mask {
    xsimd::batch_bool<float> m;
};

/// Detail: the same bits as integers, for shifts.
using Bits = xsimd::batch<std::uint32_t>;
inline Bits bits_of(Vec a) { return xsimd::bitwise_cast<Bits>(a.v); }
inline Vec from_bits(Bits a) { return {xsimd::bitwise_cast<Vec::Register>(a)}; }

inline Vec broadcast(float x) { return {Vec::Register(x)}; }

/// No alignment is asked for. With a count, the lanes behind it are zero and their memory is not touched.
inline Vec load(const float* p) { return {Vec::Register::load_unaligned(p)}; }
inline Vec load(const float* p, Index count) {
    if (count == Vec::width) return load(p);
#if defined(__AVX__)
    constexpr static std::array<std::int32_t, 16> window{-1, -1, -1, -1, -1, -1, -1, -1};  // then zeros
    const __m256i lanes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(window.data() + 8 - count));
    return {Vec::Register(_mm256_maskload_ps(p, lanes))};
#else
    std::array<float, Vec::width> lanes{};
    for (Index i = 0; i < count; ++i) lanes[static_cast<std::size_t>(i)] = p[i];
    return load(lanes.data());
#endif
}
inline void store(float* p, Vec a) { a.v.store_unaligned(p); }
inline void store(float* p, Vec a, Index count) {
    if (count == Vec::width) return store(p, a);
#if defined(__AVX__)
    // In halves of halves: AMD's masked stores take some forty instructions.
    __m128 rest = _mm256_castps256_ps128(a.v);
    if ((count & 4) != 0) {
        _mm_storeu_ps(p, rest);
        p += 4;
        rest = _mm256_extractf128_ps(a.v, 1);
    }
    if ((count & 2) != 0) {
        _mm_storel_pi(reinterpret_cast<__m64*>(p), rest);
        p += 2;
        rest = _mm_movehl_ps(rest, rest);
    }
    if ((count & 1) != 0) _mm_store_ss(p, rest);
#else
    std::array<float, Vec::width> lanes;
    store(lanes.data(), a);
    for (Index i = 0; i < count; ++i) p[i] = lanes[static_cast<std::size_t>(i)];
#endif
}

inline Mask operator&(Mask a, Mask b) { return {a.m & b.m}; }
inline Mask operator<(Vec a, Vec b) { return {a.v < b.v}; }
inline bool any(Mask a) { return xsimd::any(a.m); }
/// `a` where the mask is true, else `b`.
inline Vec select(Mask mask, Vec a, Vec b) { return {xsimd::select(mask.m, a.v, b.v)}; }
/// Lanes 0, 1, 2, …: true for the first `count`, 0 ≤ count ≤ width.
inline Mask first(Index count) {
    std::array<float, Vec::width> lane;
    for (std::size_t i = 0; i < lane.size(); ++i) lane[i] = static_cast<float>(i);
    return load(lane.data()) < broadcast(static_cast<float>(count));
}
/// Lane i is bit i.
inline Mask mask_of(std::uint32_t bits) {
    std::array<std::uint32_t, Vec::width> lane;
    for (std::size_t i = 0; i < lane.size(); ++i) lane[i] = 1u << (23 + i);  // a bit of a float's exponent
    return broadcast(0.0f) < from_bits(Bits(bits << 23) & Bits::load_unaligned(lane.data()));
}

inline Vec operator+(Vec a, Vec b) { return {a.v + b.v}; }
inline Vec operator-(Vec a, Vec b) { return {a.v - b.v}; }
inline Vec operator*(Vec a, Vec b) { return {a.v * b.v}; }
inline Vec operator/(Vec a, Vec b) { return {a.v / b.v}; }
/// a·b + c; with one rounding where the processor has that.
inline Vec fma(Vec a, Vec b, Vec c) {
#if defined(__FMA__) && defined(__AVX2__)
    return {Vec::Register(_mm256_fmadd_ps(a.v, b.v, c.v))};
#else
    return {xsimd::fma(a.v, b.v, c.v)};
#endif
}
/// The larger (smaller); on x86 `b` where either is NaN.
inline Vec max(Vec a, Vec b) { return {xsimd::max(a.v, b.v)}; }
inline Vec min(Vec a, Vec b) { return {xsimd::min(a.v, b.v)}; }
inline Vec sqrt(Vec a) { return {xsimd::sqrt(a.v)}; }
inline Vec abs(Vec a) { return from_bits(bits_of(a) & Bits(0x7fffffffu)); }
/// The magnitude of `a` with the sign of `b`.
inline Vec copy_sign(Vec a, Vec b) {
    return from_bits((bits_of(a) & Bits(0x7fffffffu)) | (bits_of(b) & Bits(0x80000000u)));
}

/// Detail: adding this to a number below 2²² leaves its nearest integer in the low bits.
inline constexpr float to_integer = 0x1.8p23f;

/// To the nearest integer, ties to even, for magnitudes below 2²².
inline Vec round(Vec a) { return (a + broadcast(to_integer)) - broadcast(to_integer); }
/// Detail: n within the powers of two that change a float at all; NaN stays NaN.
inline Vec in_exponent_range(Vec n) { return min(broadcast(160.0f), max(broadcast(-160.0f), n)); }
/// Detail: ⌊n⌋, or one less when n is an integer and the sum below rounds down; |n| < 2²².
inline Vec floor_in_range(Vec n) {
    const Vec nearest = round(n);
    return select(n < nearest, nearest - broadcast(1.0f), nearest);
}
/// a − ⌊a⌋ for |a| ≤ 160, zero beyond.
inline Vec fraction(Vec a) {
    const Vec n = in_exponent_range(a);
    return n - floor_in_range(n);
}
/// a·2^⌊n⌋ for any n, also infinite: underflows gradually to zero, overflows to ∞. Two steps, as 2ⁿ alone need not be a
/// float.
inline Vec scale_by_power(Vec a, Vec n) {
    const Vec whole = floor_in_range(in_exponent_range(n));
    const Vec half = floor_in_range(whole * broadcast(0.5f));
    const auto integer = [](Vec x) { return bits_of(x + broadcast(to_integer)); };  // its upper bits are shifted out
    const auto power = [&](Vec x) { return from_bits((integer(x) + Bits(127u)) << 23); };
    return a * power(half) * power(whole - half);
}

/// The sum (the largest) of all lanes, always taken in the same order: halves folded onto each other.
inline float reduce_add(Vec a) {
    std::array<float, Vec::width> lane;
    store(lane.data(), a);
    for (std::size_t half = lane.size() / 2; half > 0; half /= 2)
        for (std::size_t i = 0; i < half; ++i) lane[i] += lane[i + half];
    return lane[0];
}
inline float reduce_max(Vec a) {
    std::array<float, Vec::width> lane;
    store(lane.data(), a);
    for (std::size_t half = lane.size() / 2; half > 0; half /= 2)
        for (std::size_t i = 0; i < half; ++i) lane[i] = lane[i] > lane[i + half] ? lane[i] : lane[i + half];
    return lane[0];
}

/// `width` consecutive bf16 as floats, exactly.
inline Vec load(const bf16* p) {
#if defined(__AVX2__)
    const __m256i wide = _mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
    return {Vec::Register(_mm256_castsi256_ps(_mm256_slli_epi32(wide, 16)))};
#else
    std::array<float, Vec::width> lane;
    for (std::size_t i = 0; i < lane.size(); ++i) lane[i] = to_float(p[i]);
    return load(lane.data());
#endif
}
/// Rounds to the nearest bf16, ties to even; NaN stays NaN.
inline void store(bf16* p, Vec a) {
    std::array<float, Vec::width> lane;
    store(lane.data(), a);
    for (std::size_t i = 0; i < lane.size(); ++i) p[i] = to_bf16(lane[i]);
}

/// 2·width consecutive bf16: those at even places and those at odd places, as floats, exactly.
struct Pair {
    Vec even, odd;
};
inline Pair load_pairs(const bf16* p) {
    const Bits both = xsimd::bitwise_cast<Bits>(Vec::Register::load_unaligned(reinterpret_cast<const float*>(p)));
    return {from_bits(both << 16), from_bits(both & Bits(0xffff0000u))};
}

/// The other way: rounds to the nearest bf16, ties to even; NaN stays NaN.
inline void store_pairs(bf16* p, Pair pair) {
    const auto rounded = [](Vec a) {  // its bf16 is in the upper half
        const Bits bits = bits_of(a);
        const Bits up = bits + Bits(0x7fffu) + ((bits >> 16) & Bits(1u));
        return select({a.v == a.v}, from_bits(up), from_bits(bits | Bits(0x400000u)));
    };
    const Bits even = bits_of(rounded(pair.even)) >> 16, odd = bits_of(rounded(pair.odd)) & Bits(0xffff0000u);
    store(reinterpret_cast<float*>(p), from_bits(even | odd));
}
/// One half of what load_pairs gives, for when there are no registers for both.
inline Vec load_even(const bf16* p) {
    return from_bits(xsimd::bitwise_cast<Bits>(Vec::Register::load_unaligned(reinterpret_cast<const float*>(p))) << 16);
}
inline Vec load_odd(const bf16* p) {
    return from_bits(xsimd::bitwise_cast<Bits>(Vec::Register::load_unaligned(reinterpret_cast<const float*>(p))) &
                     Bits(0xffff0000u));
}

/// 2·width bf16 that are left as they are, for dot products of pairs.
struct Halves {
    Bits v;
};
inline Halves load_halves(const bf16* p) {
    return {bits_of({Vec::Register::load_unaligned(reinterpret_cast<const float*>(p))})};
}
/// The same two bf16 in every lane.
inline Halves broadcast_pair(const bf16* p) {
    return {Bits(std::uint32_t{p[0].bits} | std::uint32_t{p[1].bits} << 16)};
}
/// c + a.even·b.even + a.odd·b.odd; `has_dot` says whether that is one instruction.
inline constexpr bool has_dot = false;
inline Vec dot(Halves a, Halves b, Vec c) {
    const Bits upper(0xffff0000u);
    return fma(from_bits(a.v & upper), from_bits(b.v & upper), fma(from_bits(a.v << 16), from_bits(b.v << 16), c));
}

}  // namespace tessera::kernel::inline TESSERA_ISA
