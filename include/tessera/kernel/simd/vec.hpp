// One vector of floats as wide as the processor has, and the few operations that the kernels are made of. AVX-512 does them by
// intrinsics, everything else by xsimd; tests/kernel/simd/vec.cpp holds each back end to what is said here.
#pragma once
#include <array>
#include <cstdint>
#include <tessera/core/dtype.hpp>
#include <tessera/core/view.hpp>
#include <type_traits>
#include <utility>

namespace tessera::inline TESSERA_ISA::kernel {

/// `Vec::width` floats.
struct Vec;
/// A truth value for each lane.
struct Mask;
/// 2·width bf16 as they are stored, for dot products of pairs.
struct Halves;
/// 2·width floats: those at even and at odd places.
struct Pair;
/// 4·width whole numbers of 8 bits, four beside each other in each lane, and `width` of 32 bits.
struct Quads;
struct Whole;

/// x in every lane.
Vec broadcast(float x);

// Memory, without any alignment. With a count, 0 ≤ count ≤ width, only so many lanes are read or written; the others are zero.
Vec load(const float* p);
Vec load(const float* p, Index count);
void store(float* p, Vec a);
void store(float* p, Vec a, Index count);

Vec operator+(Vec a, Vec b);
Vec operator-(Vec a, Vec b);
Vec operator*(Vec a, Vec b);
Vec operator/(Vec a, Vec b);
/// Rounded correctly; NaN below 0.
Vec sqrt(Vec a);
/// a·b + c; with one rounding where the processor has that.
Vec fma(Vec a, Vec b, Vec c);
/// The larger, the smaller; `b` where either is NaN.
Vec max(Vec a, Vec b);
Vec min(Vec a, Vec b);
Vec abs(Vec a);
/// The magnitude of `a` with the sign of `b`.
Vec copy_sign(Vec a, Vec b);

/// The same numbers, of which the compiler does not know where they come from: -fassociative-math would otherwise find that a
/// sum less one of its parts is the other.
Vec as_computed(Vec a);

/// To the nearest integer, ties to even, for |a| < 2²².
Vec round(Vec a);
/// a − ⌊a⌋ for |a| ≤ 160; 0 for ±∞.
Vec fraction(Vec a);
/// a·2^⌊n⌋ for ½ ≤ |a| < 4 and any n, also infinite: underflows gradually to zero, overflows to ∞.
Vec scale_by_power(Vec a, Vec n);

/// Lanes 0, 1, 2, …: true for the first `count`, 0 ≤ count ≤ width.
Mask first(Index count);
/// Lane i is bit First + i.
template <unsigned First = 0>
Mask mask_of(std::uint32_t bits);
Mask operator&(Mask a, Mask b);
/// False where either is NaN.
Mask operator<(Vec a, Vec b);
bool any(Mask a);
/// `a` where the mask is true, else `b`.
Vec select(Mask mask, Vec a, Vec b);

/// The sum, and the largest, of all lanes: halves folded onto each other, always in the same order.
float reduce_add(Vec a);
float reduce_max(Vec a);

// bf16 become floats exactly; floats are rounded to the nearest bf16, ties to even, and NaN stays NaN.
Vec load(const bf16* p);
void store(bf16* p, Vec a);
Pair load_pairs(const bf16* p);
void store_pairs(bf16* p, Pair pair);
/// One half of load_pairs, where there are no registers for both.
Vec load_even(const bf16* p);
Vec load_odd(const bf16* p);

// f16 the same way.
Vec load(const f16* p);
void store(f16* p, Vec a);

/// Of 4·width whole numbers those at Place, Place + 4, Place + 8, …, times 2²⁴: each stays at the top of its lane, which is one
/// instruction less. The three bytes before p are read too.
template <int Place>
Vec load_quarter(const std::int8_t* p);
/// What makes them whole again.
inline constexpr float quarter_unit = 0x1p-24f;
/// Four vectors of whole numbers from −128 to 127: `a` to places 0, 4, 8, …, `b` to 1, 5, 9, …
void store_quarters(std::int8_t* p, Vec a, Vec b, Vec c, Vec d);

/// Of 2·width bf16 in each of `a` and `b`, whatever floats these are, the first and the last four of each eight in turn: a₀ b₀ a₁ b₁ …
Vec zip_low(Vec a, Vec b);
Vec zip_high(Vec a, Vec b);

Halves load_halves(const bf16* p);
/// The same two bf16 in every lane.
Halves broadcast_pair(const bf16* p);
/// c + a.even·b.even + a.odd·b.odd. `has_dot` says whether that is one instruction, which rounds its own way and takes subnormal
/// numbers for zero. `multiply_add` is the same in the register that `sum` is in.
Vec dot(Halves a, Halves b, Vec c);
void multiply_add(Vec& sum, Halves a, Halves b);

// Where `has_quad_dot`, products of whole numbers, exact:
/// x in every lane.
Whole broadcast_whole(std::int32_t x);
/// What is stored, from −128 to 127, and 128 more: one side of a product has no sign.
Quads load_raised(const std::int8_t* p);
/// The same four in every lane.
Quads broadcast_quad(const std::int8_t* p);
/// c + the four products of each lane; `multiply_add` the same in the register that `sum` is in.
Whole dot(Quads raised, Quads b, Whole c);
void multiply_add(Whole& sum, Quads raised, Quads b);
Vec to_vec(Whole a);
/// The three digits, each from −128 to 127, of numbers up to ±8355711, rounded to whole ones, ties to even:
/// 65536·high + 256·middle + low.
void store_digits(std::int8_t* high, std::int8_t* middle, std::int8_t* low, Vec a);
/// The sum of `count` numbers, which is a multiple of 4·width.
std::int32_t sum_of(const std::int8_t* p, Index count);

}  // namespace tessera::inline TESSERA_ISA::kernel

#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512DQ__) && defined(__AVX512VL__)
#include <tessera/kernel/simd/avx512.hpp>
#else
#include <tessera/kernel/simd/xsimd.hpp>
#endif

namespace tessera::inline TESSERA_ISA::kernel {

inline constexpr Index width = Vec::width;

/// As many vectors as a vector has lanes: a square block of a matrix.
using Square = std::array<Vec, static_cast<std::size_t>(width)>;

inline Vec& operator+=(Vec& a, Vec b) { return a = a + b; }
inline Vec& operator-=(Vec& a, Vec b) { return a = a - b; }
inline Vec& operator*=(Vec& a, Vec b) { return a = a * b; }
inline Vec operator-(Vec a) { return broadcast(0.0f) - a; }

/// f(0), f(1), … with the numbers as constants: arrays of vectors indexed by them stay in registers, with every compiler
/// at every level of optimisation.
template <int Count, class F>
[[gnu::always_inline]] inline void unroll(const F& f) {
    [&]<int... I>(std::integer_sequence<int, I...>) __attribute__((always_inline)) {
        (f(std::integral_constant<int, I>{}), ...);
    }
    (std::make_integer_sequence<int, Count>{});
}

/// Calls `f(offset, count)` for `size` elements, a vector at a time; `count` is `width` but for the last call. Where
/// the body is inlined the full calls carry no mask: `load(p + offset, count)` is a plain load when count == width is
/// known.
template <class F>
[[gnu::always_inline]] inline void for_each_vec(Index size, F&& f) {
    Index i = 0;
    for (; i + width <= size; i += width) f(i, width);
    if (i < size) f(i, size - i);
}

/// Fetches the line at `p` before it is needed; any address is allowed. Inlined at once: g++ takes a function that does
/// nothing else for one without effect, and leaves its calls out.
[[gnu::always_inline]] inline void prefetch(const void* p) { __builtin_prefetch(p, 0, 2); }

/// sum += a·b, in the register that `sum` is in. Compilers, g++ above all, otherwise let a tile's sums wander from register to
/// register, and through memory where it has no register for the copies. TESSERA_NO_ASM leaves it to functions alone, for where
/// the intrinsics are not the processor's.
[[gnu::always_inline]] inline void multiply_add(Vec& sum, Vec a, Vec b) {
#if defined(__FMA__) && defined(__AVX__) && !defined(TESSERA_NO_ASM)
    auto total = sum.reg();  // an array whose elements are operands of asm would be kept in memory
    asm("vfmadd231ps {%2, %1, %0|%0, %1, %2}" : "+v"(total) : "v"(a.reg()), "v"(b.reg()));
    sum = Vec{total};
#else
    sum = fma(a, b, sum);
#endif
}

/// The same pointer, of which the compiler no longer knows where it points: what is there is loaded again.
template <class T>
[[gnu::always_inline]] inline const T* opaque(const T* p) {
    asm("" : "+r"(p));
    return p;
}

}  // namespace tessera::inline TESSERA_ISA::kernel
