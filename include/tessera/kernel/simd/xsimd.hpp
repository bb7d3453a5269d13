// The vector of kernel/simd/vec.hpp as a batch of xsimd: AVX2, AVX, SSE and NEON. What xsimd 8.1 lacks, or does for other
// numbers than are needed here, is in kernel/simd/extra.hpp.
#pragma once
#include <tessera/core/dtype.hpp>
#include <tessera/core/view.hpp>
#include <type_traits>
#include <xsimd/xsimd.hpp>

namespace tessera::inline TESSERA_ISA::kernel {

/// Detail: what xsimd calls each instruction set.
namespace arch {
using avx2_fma = xsimd::fma3<xsimd::avx2>;
using avx2 = xsimd::avx2;
using avx_fma = xsimd::fma3<xsimd::avx>;
using avx = xsimd::avx;
using sse4 = xsimd::sse4_2;
using sse2 = xsimd::sse2;
using neon = std::conditional_t<xsimd::neon64::supported(), xsimd::neon64, xsimd::neon>;
}  // namespace arch

/// How many vectors the processor can hold at once.
inline constexpr int registers = xsimd::neon64::supported() ? 32 : 16;

struct Vec {
    using Batch = xsimd::batch<float, arch::TESSERA_ISA>;
    using Register = Batch::register_type;
    static constexpr Index width{Batch::size};
    Batch v;

    Register reg() const { return v; }
};

struct Mask {
    using Batch = Vec::Batch::batch_bool_type;
    Batch v;
};

inline Vec broadcast(float x) { return {Vec::Batch(x)}; }
inline Vec load(const float* p) { return {Vec::Batch::load_unaligned(p)}; }
inline void store(float* p, Vec a) { a.v.store_unaligned(p); }

inline Vec operator+(Vec a, Vec b) { return {a.v + b.v}; }
inline Vec operator-(Vec a, Vec b) { return {a.v - b.v}; }
inline Vec operator*(Vec a, Vec b) { return {a.v * b.v}; }
inline Vec sqrt(Vec a) { return {xsimd::sqrt(a.v)}; }
inline Vec fma(Vec a, Vec b, Vec c) { return {xsimd::fma(a.v, b.v, c.v)}; }

inline Mask operator&(Mask a, Mask b) { return {a.v & b.v}; }
inline Mask operator<(Vec a, Vec b) { return {a.v < b.v}; }
inline bool any(Mask a) { return xsimd::any(a.v); }
inline Vec select(Mask mask, Vec a, Vec b) { return {xsimd::select(mask.v, a.v, b.v)}; }

#if defined(__SSE2__)
inline Vec operator/(Vec a, Vec b) { return {a.v / b.v}; }
inline Vec max(Vec a, Vec b) { return {xsimd::max(a.v, b.v)}; }
inline Vec min(Vec a, Vec b) { return {xsimd::min(a.v, b.v)}; }
#else  // on ARM xsimd's quotient is a few ulp off, and its maximum is NaN where either is
inline Vec operator/(Vec a, Vec b) { return {a.reg() / b.reg()}; }
inline Vec max(Vec a, Vec b) { return select(b < a, a, b); }
inline Vec min(Vec a, Vec b) { return select(a < b, a, b); }
#endif
inline Vec abs(Vec a) { return {xsimd::abs(a.v)}; }
inline Vec copy_sign(Vec a, Vec b) { return {xsimd::abs(a.v) | xsimd::bitofsign(b.v)}; }

}  // namespace tessera::inline TESSERA_ISA::kernel

#include <tessera/kernel/simd/extra.hpp>
