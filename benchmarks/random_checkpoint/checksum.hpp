// CRC-32, as zip files have it, of bytes that are known piece by piece and in any order.
#pragma once
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <span>

namespace tessera::random_checkpoint {

inline constexpr std::uint32_t crc_polynomial = 0xedb88320;  // x³² + x²⁶ + …, the highest power in the lowest bit

/// Of one piece. Eight bytes are taken at once, since weights are many.
/// source  Kounavis, Berry 2005: slicing
inline std::uint32_t crc32(std::span<const unsigned char> bytes) {
    static_assert(std::endian::native == std::endian::little);
    static constexpr auto table = [] {
        std::array<std::array<std::uint32_t, 256>, 8> out{};
        for (std::uint32_t byte = 0; byte < 256; ++byte) {
            out[0][byte] = byte;
            for (int bit = 0; bit < 8; ++bit)
                out[0][byte] = out[0][byte] >> 1 ^ ((out[0][byte] & 1) != 0 ? crc_polynomial : 0u);
        }
        for (std::size_t behind = 1; behind < 8; ++behind)
            for (std::size_t byte = 0; byte < 256; ++byte)
                out[behind][byte] = out[behind - 1][byte] >> 8 ^ out[0][out[behind - 1][byte] & 0xff];
        return out;
    }();
    std::uint32_t sum = ~0u;
    for (; bytes.size() >= 8; bytes = bytes.subspan(8)) {
        std::uint64_t eight = 0;
        std::memcpy(&eight, bytes.data(), 8);
        eight ^= sum;
        sum = 0;
        for (std::size_t i = 0; i < 8; ++i) sum ^= table[7 - i][eight >> 8 * i & 0xff];
    }
    for (const unsigned char byte : bytes) sum = sum >> 8 ^ table[0][(sum ^ byte) & 0xff];
    return ~sum;
}

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
