// Base64, as tokenizer.json stores bytes.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tessera/core/compiler.hpp>

namespace tessera::inline TESSERA_ISA {

/// The bytes that `text` stands for; none if it is not base64 with padding.
/// source  RFC 4648 §4
inline std::optional<std::string> decode_base64(std::string_view text) {
    constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    if (text.size() % 4 != 0) return {};
    const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
    std::string out;
    out.reserve(text.size() / 4 * 3);
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool filling = i >= text.size() - padding;
        const std::size_t value = filling ? 0 : alphabet.find(text[i]);
        if (value == std::string_view::npos) return {};
        bits = bits << 6 | static_cast<std::uint32_t>(value);
        if (i % 4 != 3) continue;
        for (const unsigned shift : {16u, 8u, 0u})
            out.push_back(static_cast<char>(static_cast<unsigned char>(bits >> shift & 0xFF)));
        bits = 0;
    }
    out.resize(out.size() - padding);
    return out;
}

}  // namespace tessera::inline TESSERA_ISA
