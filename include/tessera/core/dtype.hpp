// Element types: what a stored number may be, the two 16-bit floating-point formats, and their conversions.
#pragma once
#include <bit>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string_view>
#include <tessera/core/view.hpp>

namespace tessera::inline TESSERA_ISA {

/// bfloat16: the upper half of a float.
struct bf16 {
    std::uint16_t bits = 0;
    friend constexpr bool operator==(bf16, bf16) = default;
};

/// IEEE 754 binary16.
struct f16 {
    std::uint16_t bits = 0;
    friend constexpr bool operator==(f16, f16) = default;
};

constexpr float to_float(float x) { return x; }
constexpr float to_float(bf16 x) { return std::bit_cast<float>(std::uint32_t{x.bits} << 16); }
constexpr float to_float(f16 x) {  // without branches, so that loops of it become vector code
    const std::uint32_t magnitude = (x.bits & 0x7fffu) << 13;
    const std::uint32_t exponent = magnitude & 0x0f800000u;
    const std::uint32_t normal = magnitude + (exponent == 0x0f800000u ? 224u << 23 : 112u << 23);
    // A subnormal number gets a leading one, and loses its value again.
    const float tiny = std::bit_cast<float>(magnitude + (113u << 23)) - std::bit_cast<float>(113u << 23);
    const std::uint32_t bits = exponent == 0 ? std::bit_cast<std::uint32_t>(tiny) : normal;
    return std::bit_cast<float>(bits | (x.bits & 0x8000u) << 16);
}
constexpr float to_float(double x) { return static_cast<float>(x); }
constexpr float to_float(std::int8_t x) { return static_cast<float>(x); }

/// Rounds to the nearest bf16, ties to even; NaN stays NaN (quiet, sign and upper payload kept), too large becomes ∞.
constexpr bf16 to_bf16(float x) {
    const auto bits = std::bit_cast<std::uint32_t>(x);
    if ((bits & 0x7fffffffu) > 0x7f800000u) return {static_cast<std::uint16_t>(bits >> 16 | 0x40u)};
    return {static_cast<std::uint16_t>((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16)};
}

/// Rounds to the nearest f16, ties to even, through the subnormal numbers down to zero; NaN stays NaN, too large
/// becomes ∞.
constexpr f16 to_f16(float x) {
    const auto bits = std::bit_cast<std::uint32_t>(x);
    const std::uint32_t sign = bits >> 16 & 0x8000u;
    const std::uint32_t magnitude = bits & 0x7fffffffu;
    std::uint32_t half = 0;
    if (magnitude > 0x7f800000u) {
        half = 0x7e00u | (magnitude >> 13 & 0x3ffu);
    } else if (magnitude >= 0x477ff000u) {  // 65520 and above round to infinity
        half = 0x7c00u;
    } else if (magnitude < 0x38800000u) {  // below 2⁻¹⁴: adding 0.5 leaves the rounded count of 2⁻²⁴ in the low bits
        const float shifted = std::bit_cast<float>(magnitude) + 0.5f;
        half = std::bit_cast<std::uint32_t>(shifted) - 0x3f000000u;
    } else {
        half = (magnitude - 0x38000000u + 0xfffu + (magnitude >> 13 & 1u)) >> 13;
    }
    return {static_cast<std::uint16_t>(sign | half)};
}

/// What a stored number is; the names are those of safetensors. `is_weight_dtype` says as which of them weights are kept in memory.
enum class DType : std::uint8_t {
    boolean,
    u8,
    i8,
    i16,
    u16,
    i32,
    u32,
    i64,
    u64,
    f16,
    bf16,
    f32,
    f64,
    c64,
    f8_e4m3,
    f8_e5m2,
    f8_e8m0,
    f6_e2m3,
    f6_e3m2,
    f4,
};

namespace detail {
struct DTypeFacts {
    std::string_view name;
    Index bits;
};
/// In the order of DType.
inline constexpr DTypeFacts dtype_facts[] = {
    {"BOOL", 8},    {"U8", 8},      {"I8", 8},      {"I16", 16},    {"U16", 16},    {"I32", 32}, {"U32", 32},
    {"I64", 64},    {"U64", 64},    {"F16", 16},    {"BF16", 16},   {"F32", 32},    {"F64", 64}, {"C64", 64},
    {"F8_E4M3", 8}, {"F8_E5M2", 8}, {"F8_E8M0", 8}, {"F6_E2M3", 6}, {"F6_E3M2", 6}, {"F4", 4},
};
}  // namespace detail

/// `BF16` for DType::bf16, and so on.
constexpr std::string_view name(DType type) { return detail::dtype_facts[static_cast<std::size_t>(type)].name; }

/// Bits of one element; some are smaller than a byte.
constexpr Index bits(DType type) { return detail::dtype_facts[static_cast<std::size_t>(type)].bits; }

/// Whether weights can be read from it.
constexpr bool is_weight(DType type) {
    return type == DType::f32 || type == DType::bf16 || type == DType::f16 || type == DType::f64;
}

/// Whether weights can be kept in memory as it: i8 with a scale for each row.
constexpr bool is_weight_dtype(DType type) {
    return type == DType::f32 || type == DType::bf16 || type == DType::f16 || type == DType::i8;
}

/// The type of that name, if there is one.
constexpr std::optional<DType> dtype_named(std::string_view name) {
    for (std::size_t i = 0; i < std::size(detail::dtype_facts); ++i)
        if (detail::dtype_facts[i].name == name) return static_cast<DType>(i);
    return std::nullopt;
}

}  // namespace tessera::inline TESSERA_ISA
