// UTF-8 by hand: checking, reading, writing, and repairing bytes that arrive in pieces.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <tessera/core/error.hpp>

namespace tessera::inline TESSERA_ISA {

/// What stands at the front of some bytes: a character, a beginning that more bytes may complete, or neither.
struct Utf8Front {
    enum class State { whole, cut, wrong } state;
    std::size_t length;  // bytes of the character; if wrong, of what one U+FFFD stands for (a "maximal subpart")
};

/// Looks at the front of `bytes`, which must not be empty.
/// source  Unicode 15, table 3-7 and "U+FFFD Substitution of Maximal Subparts"
constexpr Utf8Front utf8_front(std::string_view bytes) {
    using enum Utf8Front::State;
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
    const unsigned char lead = byte(0);
    if (lead < 0x80) return {whole, 1};
    if (lead < 0xC2 || lead > 0xF4) return {wrong, 1};
    const std::size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    unsigned char least = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;  // no overlong forms
    unsigned char most = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;   // no surrogates, nothing past U+10FFFF
    for (std::size_t i = 1; i < length; ++i) {
        if (i == bytes.size()) return {cut, i};
        if (byte(i) < least || byte(i) > most) return {wrong, i};
        least = 0x80;
        most = 0xBF;
    }
    return {whole, length};
}

/// The first byte that is not UTF-8, or npos.
constexpr std::size_t find_invalid_utf8(std::string_view text) {
    for (std::size_t i = 0; i < text.size();) {
        const Utf8Front front = utf8_front(text.substr(i));
        if (front.state != Utf8Front::State::whole) return i;
        i += front.length;
    }
    return std::string_view::npos;
}

/// Throws Error(`code`) if `text`, which came from `where`, is not UTF-8.
inline void expect_utf8(std::string_view text, std::string_view where, Errc code) {
    const std::size_t place = find_invalid_utf8(text);
    if (place == std::string_view::npos) return;
    constexpr char digits[] = "0123456789abcdef";
    const auto byte = static_cast<unsigned char>(text[place]);
    throw Error(code, where, ": expected UTF-8, found the byte 0x", digits[byte >> 4], digits[byte & 15],
                " at position ", place);
}

/// The character at `text[at]`; moves `at` after it. `text` must be UTF-8 and `at` the beginning of a character.
constexpr char32_t next_character(std::string_view text, std::size_t& at) {
    const auto byte = [&](std::size_t i) { return static_cast<char32_t>(static_cast<unsigned char>(text[i])); };
    const char32_t lead = byte(at);
    if (lead < 0x80) return ++at, lead;
    const std::size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    TESSERA_EXPECTS(at + length <= text.size());
    char32_t character = lead & (0x7Fu >> length);
    for (std::size_t i = 1; i < length; ++i) character = character << 6 | (byte(at + i) & 0x3F);
    at += length;
    return character;
}

/// Appends `character`, which must be below 0x110000.
constexpr void append_utf8(std::string& out, char32_t character) {
    const auto put = [&](char32_t byte) { out.push_back(static_cast<char>(static_cast<unsigned char>(byte))); };
    if (character < 0x80) {
        put(character);
    } else if (character < 0x800) {
        put(0xC0 | character >> 6);
        put(0x80 | (character & 0x3F));
    } else if (character < 0x10000) {
        put(0xE0 | character >> 12);
        put(0x80 | (character >> 6 & 0x3F));
        put(0x80 | (character & 0x3F));
    } else {
        put(0xF0 | character >> 18);
        put(0x80 | (character >> 12 & 0x3F));
        put(0x80 | (character >> 6 & 0x3F));
        put(0x80 | (character & 0x3F));
    }
}

/// Moves whole characters from `bytes` to `out`, with U+FFFD where there are none. A character that breaks off at the
/// end stays in `bytes`, unless these are the `last` ones.
inline void repair_utf8(std::string& bytes, std::string& out, bool last) {
    using enum Utf8Front::State;
    std::size_t done = 0;
    while (done < bytes.size()) {
        const Utf8Front front = utf8_front(std::string_view(bytes).substr(done));
        if (front.state == cut && !last) break;
        if (front.state == whole)
            out.append(bytes, done, front.length);
        else
            append_utf8(out, 0xFFFD);
        done += front.length;
    }
    bytes.erase(0, done);
}

}  // namespace tessera::inline TESSERA_ISA
