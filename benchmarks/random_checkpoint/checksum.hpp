// CRC-32 of bytes that are known piece by piece and in any order.
#pragma once
#include <cstdint>
#include <tessera/core/crc32.hpp>

namespace tessera::random_checkpoint {

using detail::crc32, detail::crc_polynomial;

/// The product of two polynomials modulo that of the checksum.
constexpr std::uint32_t crc_product(std::uint32_t a, std::uint32_t b) {
    std::uint32_t product = 0;
    for (std::uint32_t power = 1u << 31; power != 0; power >>= 1) {
        if ((a & power) != 0) product ^= b;
        b = b >> 1 ^ ((b & 1) != 0 ? crc_polynomial : 0u);
    }
    return product;
}

/// The checksum of two pieces one after the other, of which the second has `bytes` bytes: the first times x to the power of 8
/// `bytes`, and the second.
constexpr std::uint32_t crc_joined(std::uint32_t first, std::uint32_t second, std::uint64_t bytes) {
    std::uint32_t square = 1u << 23;  // x⁸
    for (; bytes != 0; bytes >>= 1) {
        if ((bytes & 1) != 0) first = crc_product(first, square);
        square = crc_product(square, square);
    }
    return first ^ second;
}

}  // namespace tessera::random_checkpoint
