// A checksum of bytes that tells names and small files apart.
#pragma once
#include <cstdint>
#include <string_view>
#include <tessera/core/compiler.hpp>

namespace tessera::inline TESSERA_ISA {

/// source  Fowler, Noll, Vo: FNV-1a of 64 bits
constexpr std::uint64_t fnv1a(std::string_view bytes) {
    std::uint64_t sum = 0xcbf29ce484222325u;
    for (const char byte : bytes) sum = (sum ^ static_cast<unsigned char>(byte)) * 0x100000001b3u;
    return sum;
}

}  // namespace tessera::inline TESSERA_ISA
