// Text of files that are not trusted, made fit for a message: short, valid UTF-8, nothing a terminal would obey.
#pragma once
#include <string>
#include <string_view>
#include <tessera/core/utf8.hpp>

namespace tessera::inline TESSERA_ISA {

/// `text` with control characters and bytes that are not UTF-8 as \xNN, cut after `longest` bytes.
inline std::string printable(std::string_view text, std::size_t longest = 200) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        if (at >= longest) return out + "…";
        const Utf8Front front = utf8_front(text.substr(at));
        std::size_t next = at;
        const bool whole = front.state == Utf8Front::State::whole;
        const char32_t c = whole ? next_character(text, next) : 0;
        if (c >= 0x20 && (c < 0x7F || c >= 0xA0)) {
            out += text.substr(at, front.length);
            at = next;
        } else {
            for (const std::size_t end = at + (whole ? front.length : 1); at < end; ++at) {
                const auto byte = static_cast<unsigned char>(text[at]);
                out += {'\\', 'x', digits[byte >> 4], digits[byte & 15]};
            }
        }
    }
    return out;
}

/// The same in single quotes.
inline std::string in_quotes(std::string_view text) { return '\'' + printable(text) + '\''; }

}  // namespace tessera::inline TESSERA_ISA
