// The element types of the safetensors format.
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>
#include <tessera/core/view.hpp>

namespace tessera {

/// What a stored number is; the names are those of the format.
enum class Dtype : std::uint8_t {
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
struct DtypeFacts {
    std::string_view name;
    Index bits;
};
/// In the order of Dtype.
inline constexpr DtypeFacts dtype_facts[] = {
    {"BOOL", 8},    {"U8", 8},      {"I8", 8},      {"I16", 16},    {"U16", 16},    {"I32", 32}, {"U32", 32},
    {"I64", 64},    {"U64", 64},    {"F16", 16},    {"BF16", 16},   {"F32", 32},    {"F64", 64}, {"C64", 64},
    {"F8_E4M3", 8}, {"F8_E5M2", 8}, {"F8_E8M0", 8}, {"F6_E2M3", 6}, {"F6_E3M2", 6}, {"F4", 4},
};
}  // namespace detail

/// `BF16` for Dtype::bf16, and so on.
constexpr std::string_view name(Dtype type) { return detail::dtype_facts[static_cast<std::size_t>(type)].name; }

/// Bits of one element; some are smaller than a byte.
constexpr Index bits(Dtype type) { return detail::dtype_facts[static_cast<std::size_t>(type)].bits; }

/// Whether weights can be read from it.
constexpr bool is_weight(Dtype type) {
    return type == Dtype::f32 || type == Dtype::bf16 || type == Dtype::f16 || type == Dtype::f64;
}

/// The type of that name, if there is one.
constexpr std::optional<Dtype> dtype_named(std::string_view name) {
    for (std::size_t i = 0; i < std::size(detail::dtype_facts); ++i)
        if (detail::dtype_facts[i].name == name) return static_cast<Dtype>(i);
    return std::nullopt;
}

}  // namespace tessera
