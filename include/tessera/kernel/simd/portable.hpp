// The vector of kernel/simd.hpp by the vector extension of g++ and clang: AVX2, AVX, SSE and NEON from one text, without the
// headers of intrinsics, which take half a second to compile. What the compilers do not find by themselves is written out as
// an instruction.
#pragma once
#include <array>
#include <cstdint>
#include <tessera/core/dtype.hpp>
#include <tessera/core/view.hpp>
#include <utility>

namespace tessera::inline TESSERA_ISA::kernel {

/// How many vectors the processor can hold at once.
#if defined(__aarch64__)
inline constexpr int registers = 32;
#else
inline constexpr int registers = 16;
#endif

/// As many floats as a register holds.
struct Vec {
#if defined(__AVX__)
    static constexpr Index width = 8;
#else
    static constexpr Index width = 4;
#endif
    using Register [[gnu::vector_size(width * 4)]] = float;
    Register v;
};

/// One truth value per lane: all its bits, or none.
struct Mask {
    using Register [[gnu::vector_size(Vec::width * 4)]] = std::int32_t;
    Register m;
};

/// Detail: the same bits as integers, for shifts.
using Bits [[gnu::vector_size(Vec::width * 4)]] = std::uint32_t;
inline Bits bits_of(Vec a) { return reinterpret_cast<Bits>(a.v); }
inline Vec from_bits(Bits a) { return {reinterpret_cast<Vec::Register>(a)}; }
inline Bits all_bits(std::uint32_t x) { return x | Bits{}; }
/// Detail: f(0), f(1), …, one in each lane.
template <class F>
Bits bits_from(const F& f) {
    return [&]<unsigned... I>(std::integer_sequence<unsigned, I...>) { return Bits{f(I)...}; }
    (std::make_integer_sequence<unsigned, static_cast<unsigned>(Vec::width)>{});
}

inline Vec broadcast(float x) { return {x - Vec::Register{}}; }

/// Lanes 0, 1, 2, …: true for the first `count`, 0 ≤ count ≤ width.
inline Mask first(Index count) {
    const Bits lane = bits_from([](unsigned i) { return i; });
    return {reinterpret_cast<Mask::Register>(lane) < static_cast<std::int32_t>(count)};
}
/// Lane i is bit First + i.
template <unsigned First = 0>
Mask mask_of(std::uint32_t bits) {
    const Bits lane = bits_from([](unsigned i) { return 1u << (First + i); });
    return {(bits & lane) == lane};
}
inline Mask operator&(Mask a, Mask b) { return {a.m & b.m}; }
inline Mask operator<(Vec a, Vec b) { return {a.v < b.v}; }
/// `a` where the mask is true, else `b`.
inline Vec select(Mask mask, Vec a, Vec b) { return {mask.m ? a.v : b.v}; }

/// Detail: lane i is lane f(i) of `a`, or from `width` on of `b`; f is known to the compiler.
template <class F>
Vec shuffle(Vec a, Vec b, F) {
    return [&]<Index... I>(std::integer_sequence<Index, I...>) {
        return Vec{__builtin_shufflevector(a.v, b.v, F{}(I)...)};
    }
    (std::make_integer_sequence<Index, Vec::width>{});
}
/// Detail: lane i is lane i ± Half.
template <Index Half>
Vec exchanged(Vec a) {
    return shuffle(a, a, [](Index i) { return i ^ Half; });
}

/// Detail: a register where no alignment is asked for, and whatever is there.
using Loose [[gnu::vector_size(Vec::width * 4), gnu::aligned(2), gnu::may_alias]] = float;

/// No alignment is asked for. With a count, the lanes behind it are zero and their memory is not touched.
inline Vec load(const float* p) { return {*reinterpret_cast<const Loose*>(p)}; }
inline Vec load(const float* p, Index count) {
    if (count == Vec::width) return load(p);
#if defined(__AVX__)
    constexpr static std::array<std::int32_t, 16> window{-1, -1, -1, -1, -1, -1, -1, -1};  // then zeros
    const Vec lanes = load(reinterpret_cast<const float*>(window.data() + 8 - count));
    Vec a;
    asm("vmaskmovps {%1, %2, %0|%0, %2, %1}" : "=x"(a.v) : "m"(*reinterpret_cast<const Loose*>(p)), "x"(lanes.v));
    return a;
#else
    std::array<float, Vec::width> lanes{};
    for (Index i = 0; i < count; ++i) lanes[static_cast<std::size_t>(i)] = p[i];
    return load(lanes.data());
#endif
}
inline void store(float* p, Vec a) { *reinterpret_cast<Loose*>(p) = a.v; }
/// Detail: the lowest bits of `count` one by one, as AMD's masked stores take some forty instructions. Not inline: a tail must not
/// make the loop before it too large to be.
template <Index Half>
[[gnu::noinline]] void store_halves(float* p, Vec a, Index count) {
    if ((count & Half) != 0) {
        __builtin_memcpy(p, &a.v, Half * sizeof(float));
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

inline Vec operator+(Vec a, Vec b) { return {a.v + b.v}; }
inline Vec operator-(Vec a, Vec b) { return {a.v - b.v}; }
inline Vec operator*(Vec a, Vec b) { return {a.v * b.v}; }
inline Vec operator/(Vec a, Vec b) { return {a.v / b.v}; }
/// a·b + c; with one rounding where the processor has that.
inline Vec fma(Vec a, Vec b, Vec c) {
#if __has_builtin(__builtin_elementwise_fma)
    return {__builtin_elementwise_fma(a.v, b.v, c.v)};
#elif defined(__FMA__) && defined(__AVX__)
    return {__builtin_ia32_vfmaddps256(a.v, b.v, c.v)};
#elif defined(__aarch64__)
    asm("fmla %0.4s, %1.4s, %2.4s" : "+w"(c.v) : "w"(a.v), "w"(b.v));
    return c;
#else
    return a * b + c;
#endif
}
/// The larger (smaller); `b` where either is NaN.
inline Vec max(Vec a, Vec b) {
#if defined(__AVX__) && __has_builtin(__builtin_ia32_maxps256)  // g++ does not always find it in the expression
    return {__builtin_ia32_maxps256(a.v, b.v)};
#else
    return {a.v > b.v ? a.v : b.v};
#endif
}
inline Vec min(Vec a, Vec b) {
#if defined(__AVX__) && __has_builtin(__builtin_ia32_minps256)
    return {__builtin_ia32_minps256(a.v, b.v)};
#else
    return {a.v < b.v ? a.v : b.v};
#endif
}
inline Vec abs(Vec a) { return from_bits(bits_of(a) & 0x7fffffffu); }
/// The magnitude of `a` with the sign of `b`.
inline Vec copy_sign(Vec a, Vec b) { return from_bits((bits_of(a) & 0x7fffffffu) | (bits_of(b) & 0x80000000u)); }

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
    const auto power = [&](Vec x) { return from_bits((integer(x) + 127u) << 23); };
    return a * power(half) * power(whole - half);
}

/// Detail: all lanes folded onto each other, halves first: always in the same order.
template <class F>
float reduce(Vec a, const F& f) {
    if constexpr (Vec::width == 8) a = f(a, exchanged<4>(a));
    a = f(a, exchanged<2>(a));
    a = f(a, exchanged<1>(a));
    return a.v[0];
}
/// The sum (the largest) of all lanes.
inline float reduce_add(Vec a) {
    return reduce(a, [](Vec x, Vec y) { return x + y; });
}
inline float reduce_max(Vec a) {
    return reduce(a, [](Vec x, Vec y) { return max(x, y); });
}
inline bool any(Mask a) { return reduce_max(select(a, broadcast(1.0f), broadcast(0.0f))) != 0.0f; }

/// `width` consecutive bf16 as floats, exactly.
inline Vec load(const bf16* p) {
    using Half [[gnu::vector_size(Vec::width * 2), gnu::aligned(2), gnu::may_alias]] = std::uint16_t;
    const Half& half = *reinterpret_cast<const Half*>(p);
#if defined(__AVX2__)  // of a conversion g++ makes two of half the width
    Bits wide;
    asm("vpmovzxwd {%1, %0|%0, %1}" : "=x"(wide) : "m"(half));
    return from_bits(wide << 16);
#else
    return from_bits(__builtin_convertvector(half, Bits) << 16);
#endif
}
/// Detail: rounded to the nearest bf16, ties to even, which is in the upper half of each lane; NaN stays NaN.
inline Bits rounded_to_bf16(Vec a) {
    const Bits bits = bits_of(a);
    const Bits up = bits + 0x7fffu + (bits >> 16 & 1u);
    return a.v == a.v ? up : bits | 0x400000u;
}
/// Rounds to the nearest bf16, ties to even; NaN stays NaN.
inline void store(bf16* p, Vec a) {
    using Half [[gnu::vector_size(Vec::width * 2), gnu::aligned(2), gnu::may_alias]] = std::uint16_t;
    *reinterpret_cast<Half*>(p) = __builtin_convertvector(rounded_to_bf16(a) >> 16, Half);
}

/// 2·width bf16 that are left as they are, for dot products of pairs.
struct Halves {
    Bits v;
};
inline Halves load_halves(const bf16* p) { return {bits_of({*reinterpret_cast<const Loose*>(p)})}; }
/// The same two bf16 in every lane.
inline Halves broadcast_pair(const bf16* p) {
    return {all_bits(std::uint32_t{p[0].bits} | std::uint32_t{p[1].bits} << 16)};
}

/// One half of 2·width consecutive bf16 as floats, exactly: those at even places, or those at odd places.
inline Vec load_even(const bf16* p) { return from_bits(load_halves(p).v << 16); }
inline Vec load_odd(const bf16* p) { return from_bits(load_halves(p).v & 0xffff0000u); }
/// Both.
struct Pair {
    Vec even, odd;
};
inline Pair load_pairs(const bf16* p) { return {load_even(p), load_odd(p)}; }
/// The other way: rounds to the nearest bf16, ties to even; NaN stays NaN.
inline void store_pairs(bf16* p, Pair pair) {
    const Bits both = rounded_to_bf16(pair.even) >> 16 | (rounded_to_bf16(pair.odd) & 0xffff0000u);
    *reinterpret_cast<Loose*>(p) = from_bits(both).v;
}

/// c + a.even·b.even + a.odd·b.odd; `has_dot` says whether that is one instruction.
inline constexpr bool has_dot = false;
inline Vec dot(Halves a, Halves b, Vec c) {
    const auto even = [](Halves x) { return from_bits(x.v << 16); };
    const auto odd = [](Halves x) { return from_bits(x.v & 0xffff0000u); };
    return fma(odd(a), odd(b), fma(even(a), even(b), c));
}

}  // namespace tessera::inline TESSERA_ISA::kernel
