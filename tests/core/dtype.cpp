#include <doctest/doctest.h>

#include <cmath>
#include <initializer_list>
#include <limits>
#include <tessera/core/dtype.hpp>

namespace core_dtype {
using namespace tessera;

namespace {

// Decodes by the definition of the format: sign, exponent with bias, fraction.
double value_of(std::uint16_t bits, int exponent_bits, int fraction_bits) {
    const int bias = (1 << (exponent_bits - 1)) - 1;
    const int exponent = bits >> fraction_bits & ((1 << exponent_bits) - 1);
    const int fraction = bits & ((1 << fraction_bits) - 1);
    const double sign = bits >> 15 ? -1 : 1;
    if (exponent == 0) return sign * std::ldexp(fraction, 1 - bias - fraction_bits);
    return sign * std::ldexp(1 + std::ldexp(fraction, -fraction_bits), exponent - bias);
}

}  // namespace

TEST_CASE("every bf16 and f16 converts to the float of the same value and back to itself") {
    for (unsigned i = 0; i < 0x10000; ++i) {
        const auto bits = static_cast<std::uint16_t>(i);
        const bf16 b{bits};
        if (std::isnan(to_float(b))) {
            CHECK(std::isnan(to_float(to_bf16(to_float(b)))));
        } else {
            if (std::isfinite(to_float(b))) REQUIRE(static_cast<double>(to_float(b)) == value_of(bits, 8, 7));
            REQUIRE(to_bf16(to_float(b)) == b);
        }
        const f16 h{bits};
        if (std::isnan(to_float(h))) {
            CHECK(std::isnan(to_float(to_f16(to_float(h)))));
        } else {
            if (std::isfinite(to_float(h))) REQUIRE(static_cast<double>(to_float(h)) == value_of(bits, 5, 10));
            REQUIRE(to_f16(to_float(h)) == h);
        }
    }
}

// Between neighbours lo < hi of a format, everything rounds to the nearer, and the middle to the one with an even last
// bit.
TEST_CASE_TEMPLATE("rounds to nearest, ties to even", T, bf16, f16) {
    const auto round = [](float x) {
        if constexpr (std::is_same_v<T, bf16>)
            return to_bf16(x);
        else
            return to_f16(x);
    };
    const std::uint16_t largest = std::is_same_v<T, bf16> ? 0x7f7f : 0x7bff;
    for (std::uint16_t i = 0; i < largest; ++i) {
        const T lo{i}, hi{static_cast<std::uint16_t>(i + 1)};
        const double middle = (static_cast<double>(to_float(lo)) + static_cast<double>(to_float(hi))) / 2;
        const auto m = static_cast<float>(middle);
        if (static_cast<double>(m) != middle) continue;  // below the smallest float
        const T even = i % 2 == 0 ? lo : hi;
        REQUIRE(round(m) == even);
        REQUIRE(round(std::nextafter(m, 0.0f)) == (m > 0 ? lo : even));
        REQUIRE(round(std::nextafter(m, std::numeric_limits<float>::infinity())) == hi);
        REQUIRE(round(-m).bits == (even.bits | 0x8000));
    }
    CHECK(std::isinf(to_float(round(std::numeric_limits<float>::max()))));
    CHECK(std::isinf(to_float(round(std::numeric_limits<float>::infinity()))));
    CHECK(to_float(round(-std::numeric_limits<float>::infinity())) < 0);
}

TEST_CASE("a NaN stays a NaN whatever its payload") {
    for (const std::uint32_t bits : {0x7f800001u, 0x7fc00000u, 0xffffffffu, 0xff800001u, 0x7f80ffffu}) {
        const float x = std::bit_cast<float>(bits);
        CHECK(std::isnan(to_float(to_bf16(x))));
        CHECK(std::isnan(to_float(to_f16(x))));
    }
}

}  // namespace core_dtype
