// Numbers of several bytes out of a file, whatever the byte order of the machine.
#pragma once
#include <cstdint>
#include <span>
#include <tessera/core/view.hpp>

namespace tessera::inline TESSERA_ISA {

using Bytes = std::span<const unsigned char>;

/// Two or four bytes from `at` on, highest first.
constexpr std::uint32_t big16(Bytes bytes, std::size_t at) {
    TESSERA_EXPECTS(at + 2 <= bytes.size());
    return std::uint32_t{bytes[at]} << 8 | bytes[at + 1];
}
constexpr std::uint32_t big32(Bytes bytes, std::size_t at) { return big16(bytes, at) << 16 | big16(bytes, at + 2); }

/// Two or four bytes from `at` on, lowest first.
constexpr std::uint32_t little16(Bytes bytes, std::size_t at) {
    TESSERA_EXPECTS(at + 2 <= bytes.size());
    return bytes[at] | std::uint32_t{bytes[at + 1]} << 8;
}
constexpr std::uint32_t little32(Bytes bytes, std::size_t at) {
    return little16(bytes, at) | little16(bytes, at + 2) << 16;
}

}  // namespace tessera::inline TESSERA_ISA
