// CRC-32, as PNG and zip files have it.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <tessera/core/compiler.hpp>

namespace tessera::inline TESSERA_ISA::detail {

inline constexpr std::uint32_t crc_polynomial = 0xedb88320;  // x³² + x²⁶ + …, the highest power in the lowest bit

/// The checksum of `bytes`, eight of them at a time.
/// source  PNG 1.2, appendix D; Kounavis, Berry 2005: slicing
inline std::uint32_t crc32(std::span<const unsigned char> bytes) {
    static constexpr auto table = [] {
        std::array<std::array<std::uint32_t, 256>, 8> out{};
        for (std::uint32_t byte = 0; byte < 256; ++byte) {
            out[0][byte] = byte;
            for (int bit = 0; bit < 8; ++bit)
                out[0][byte] = out[0][byte] >> 1 ^ ((out[0][byte] & 1) != 0 ? crc_polynomial : 0u);
        }
        for (std::size_t after = 1; after < 8; ++after)  // of a byte that so many zeros follow
            for (std::size_t byte = 0; byte < 256; ++byte)
                out[after][byte] = out[after - 1][byte] >> 8 ^ out[0][out[after - 1][byte] & 0xff];
        return out;
    }();
    std::uint32_t sum = ~0u;
    for (; bytes.size() >= 8; bytes = bytes.subspan(8)) {
        std::uint64_t eight = 0;
        for (std::size_t i = 0; i < 8; ++i) eight |= std::uint64_t{bytes[i]} << 8 * i;
        eight ^= sum;
        sum = 0;
        for (std::size_t i = 0; i < 8; ++i) sum ^= table[7 - i][eight >> 8 * i & 0xff];
    }
    for (const unsigned char byte : bytes) sum = sum >> 8 ^ table[0][(sum ^ byte) & 0xff];
    return ~sum;
}

}  // namespace tessera::inline TESSERA_ISA::detail
