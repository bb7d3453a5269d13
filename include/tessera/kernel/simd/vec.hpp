// One vector of floats as wide as the processor has, and the few operations the kernels are made of.
#pragma once
#include <tessera/core/dtype.hpp>
#include <tessera/core/view.hpp>
#include <type_traits>
#include <utility>

#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512DQ__) && defined(__AVX512VL__)
#include <tessera/kernel/simd/avx512.hpp>
#else
#include <tessera/kernel/simd/portable.hpp>
#endif

namespace tessera::inline TESSERA_ISA::kernel {

inline constexpr Index width = Vec::width;

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

/// Asks for the line at `p` before it is needed; any address is allowed. Inlined at once: g++ takes a function that does
/// nothing else for one without effect, and leaves its calls out.
[[gnu::always_inline]] inline void prefetch(const void* p) { __builtin_prefetch(p, 0, 2); }

/// sum += a·b, in the register that `sum` is in. Compilers, g++ above all, otherwise let a tile's sums wander from register to
/// register, and through memory where it has no register for the copies. TESSERA_NO_ASM asks for functions alone, for where
/// the intrinsics are not the processor's.
[[gnu::always_inline]] inline void multiply_add(Vec& sum, Vec a, Vec b) {
#if defined(__FMA__) && defined(__AVX__) && !defined(TESSERA_NO_ASM)
    auto total = sum.v;  // an array whose elements are operands of asm would be kept in memory
    asm("vfmadd231ps {%2, %1, %0|%0, %1, %2}" : "+v"(total) : "v"(a.v), "v"(b.v));
    sum.v = total;
#else
    sum = fma(a, b, sum);
#endif
}

/// sum += a.even·b.even + a.odd·b.odd, in its register too.
[[gnu::always_inline]] inline void multiply_add(Vec& sum, Halves a, Halves b) {
#if defined(__AVX512BF16__) && !defined(TESSERA_NO_ASM)
    auto total = sum.v;
    asm("vdpbf16ps {%2, %1, %0|%0, %1, %2}" : "+v"(total) : "v"(a.v), "v"(b.v));
    sum.v = total;
#else
    sum = dot(a, b, sum);
#endif
}

/// The same pointer, of which the compiler no longer knows where it points: what is there is loaded again.
template <class T>
[[gnu::always_inline]] inline const T* opaque(const T* p) {
    asm("" : "+r"(p));
    return p;
}

}  // namespace tessera::inline TESSERA_ISA::kernel
