// Text of files that are not trusted, made fit for a message: short, valid UTF-8, nothing a terminal would obey.
#pragma once
#include <algorithm>
#include <string>
#include <string_view>

namespace tessera {

/// `text` with control characters and bytes that are not UTF-8 as \xNN, cut behind `longest` bytes.
inline std::string printable(std::string_view text, std::size_t longest = 200) {
    const auto character =
        [&](std::size_t at) -> std::size_t {  // bytes of the UTF-8 character there; 0: none, or control
        const auto lead = static_cast<unsigned char>(text[at]);
        if (lead < 0x80) return lead >= 0x20 && lead != 0x7f ? 1 : 0;
        const std::size_t size = lead >= 0xc2 && lead < 0xe0   ? 2
                                 : lead >= 0xe0 && lead < 0xf0 ? 3
                                 : lead >= 0xf0 && lead < 0xf5 ? 4
                                                               : 0;
        if (size == 0 || at + size > text.size()) return 0;
        for (std::size_t i = 1; i < size; ++i)
            if ((static_cast<unsigned char>(text[at + i]) & 0xc0) != 0x80) return 0;
        const auto second = static_cast<unsigned char>(text[at + 1]);
        const bool overlong = (lead == 0xe0 && second < 0xa0) || (lead == 0xf0 && second < 0x90);
        const bool outside = (lead == 0xed && second >= 0xa0) || (lead == 0xf4 && second >= 0x90);
        const bool control = lead == 0xc2 && second < 0xa0;
        return overlong || outside || control ? 0 : size;
    };
    constexpr std::string_view digits = "0123456789abcdef";
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        if (at >= longest) return out + "…";
        if (const std::size_t size = character(at); size != 0) {
            out += text.substr(at, size);
            at += size;
        } else {
            const auto byte = static_cast<unsigned char>(text[at++]);
            out += {'\\', 'x', digits[byte >> 4], digits[byte & 15]};
        }
    }
    return out;
}

/// The same in single quotes.
inline std::string in_quotes(std::string_view text) { return '\'' + printable(text) + '\''; }

}  // namespace tessera
