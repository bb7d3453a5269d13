// What the compiler was asked for: C++20, numbers that may be infinite, and an instruction set that everything of this library
// carries in its name.
#pragma once

#if __cplusplus < 201709L
#error "tessera needs C++20: compile with -std=c++20"
#include <tessera needs C++20>  // no such file, which ends it: g++ goes on after an #error
#endif

#if defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__
#error "tessera needs infinity and NaN (a masked score is -infinity): add -fno-finite-math-only after -ffast-math"
#include <tessera needs infinity and NaN>
#endif

// Translation units that are compiled for different processors must not share code or layers: an inline function of both
// is kept once, for whichever processor, and packed weights lie as one instruction set wants them. So all of tessera lives in
// an inline namespace named after the instruction set, and what would be shared does not link.
#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512DQ__) && defined(__AVX512VL__)
#if defined(__AVX512BF16__) && defined(__AVX512VNNI__)
#define TESSERA_ISA avx512_bf16_vnni
#elif defined(__AVX512BF16__)
#define TESSERA_ISA avx512_bf16
#elif defined(__AVX512VNNI__)
#define TESSERA_ISA avx512_vnni
#else
#define TESSERA_ISA avx512
#endif
#elif defined(__AVX2__) && defined(__FMA__)
#define TESSERA_ISA avx2_fma
#elif defined(__AVX2__)
#define TESSERA_ISA avx2
#elif defined(__AVX__) && defined(__FMA__)
#define TESSERA_ISA avx_fma
#elif defined(__AVX__)
#define TESSERA_ISA avx
#elif defined(__SSE4_2__)
#define TESSERA_ISA sse4
#elif defined(__SSE2__)
#define TESSERA_ISA sse2
#elif defined(__ARM_NEON)
#define TESSERA_ISA neon
#else
#error "tessera needs vector instructions: SSE2, AVX2, AVX-512 or NEON"
#include <tessera needs vector instructions>
#endif
