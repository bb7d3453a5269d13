// Stored numbers, at any address, as float: straight loops over blocks, which compilers turn into vector code.
#pragma once
#include <bit>
#include <cstring>
#include <tessera/core/dtype.hpp>

namespace tessera::inline TESSERA_ISA {

namespace detail {

template <class Source>
void to_floats(const unsigned char* from, Index count, float* out) {
    constexpr Index block = 256;
    Source part[block];
    for (; count >= block; count -= block, from += sizeof part, out += block) {
        std::memcpy(part, from, sizeof part);
        for (Index i = 0; i < block; ++i) out[i] = to_float(part[i]);
    }
    if (count == 0) return;
    std::memcpy(part, from, static_cast<std::size_t>(count) * sizeof(Source));
    for (Index i = 0; i < count; ++i) out[i] = to_float(part[i]);
}

/// The first of `count` places that is `bad`, or `count`. Word is as wide as what `bad` looks at.
template <class Word, class Bad>
Index first_bad(Index count, const Bad& bad) {
    constexpr Index block = 256;
    Index i = 0;
    for (; i + block <= count; i += block) {
        Word found = 0;
        for (Index j = 0; j < block; ++j) found = static_cast<Word>(found | static_cast<Word>(bad(i + j)));
        if (found != 0) break;
    }
    while (i < count && !bad(i)) ++i;
    return i;
}

}  // namespace detail

/// Writes `count` numbers of `type` (one that `is_weight`) at `from`, which need not be aligned, to `out`. A double
/// that is too large becomes ∞.
inline void to_floats(DType type, const unsigned char* from, Index count, float* out) {
    TESSERA_EXPECTS(is_weight(type));
    if (count == 0) return;
    if (type == DType::f32) std::memcpy(out, from, static_cast<std::size_t>(count) * sizeof(float));
    if (type == DType::bf16) detail::to_floats<bf16>(from, count, out);
    if (type == DType::f16) detail::to_floats<f16>(from, count, out);
    if (type == DType::f64) detail::to_floats<double>(from, count, out);
}

/// The first of `count` numbers that is NaN, infinite, or becomes infinite as `dtype`; `count` if all are well.
inline Index first_not_finite(const float* x, Index count, DType dtype = DType::f32) {
    const std::uint32_t limit = dtype == DType::bf16 ? 0x7f7f8000u : dtype == DType::f16 ? 0x477ff000u : 0x7f800000u;
    return detail::first_bad<std::uint32_t>(
        count, [=](Index i) { return (std::bit_cast<std::uint32_t>(x[i]) & 0x7fffffffu) >= limit; });
}
/// Of bf16 all that are finite can be stored as they are.
inline Index first_not_finite(const bf16* x, Index count, DType = DType::bf16) {
    return detail::first_bad<std::uint16_t>(count, [=](Index i) { return (x[i].bits & 0x7f80u) == 0x7f80u; });
}

}  // namespace tessera::inline TESSERA_ISA
