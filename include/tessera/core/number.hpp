// The two 16-bit floating-point formats weights are stored in, and their conversions.
#pragma once
#include <bit>
#include <cstdint>

namespace tessera {

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
constexpr float to_float(f16 x) {
    const std::uint32_t sign = std::uint32_t{x.bits} >> 15 << 31;
    const std::uint32_t exponent = (x.bits >> 10) & 0x1f;
    const std::uint32_t fraction = x.bits & 0x3ff;
    if (exponent == 0x1f) return std::bit_cast<float>(sign | 0x7f800000u | fraction << 13);
    if (exponent != 0) return std::bit_cast<float>(sign | (exponent + 112) << 23 | fraction << 13);
    const float tiny = static_cast<float>(fraction) * 0x1p-24f;  // zero and the subnormal numbers, exactly
    return std::bit_cast<float>(sign | std::bit_cast<std::uint32_t>(tiny));
}

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

/// How the weights of a model are kept in memory; chosen when they are loaded.
enum class Stored : std::uint8_t { f32, bf16 };

}  // namespace tessera
