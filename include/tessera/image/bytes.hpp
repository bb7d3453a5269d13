// Numbers of several bytes out of a file, whatever the byte order of the machine.
#pragma once
#include <cstdint>
#include <span>
#include <string_view>
#include <tessera/core/view.hpp>

namespace tessera::inline TESSERA_ISA {

using Bytes = std::span<const unsigned char>;

namespace detail {

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

/// The same bytes as text.
inline std::string_view text_of(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }
/// Whether `bytes` hold `text` from `at` on.
inline bool has(Bytes bytes, std::size_t at, std::string_view text) {
    return at <= bytes.size() && text_of(bytes.subspan(at)).starts_with(text);
}

}  // namespace detail

}  // namespace tessera::inline TESSERA_ISA
