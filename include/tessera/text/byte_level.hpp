// GPT-2's two ideas: every byte has a printable character, so that any text can be spelled; and text falls into words
// with the space in front of them.
#pragma once
#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <tessera/core/utf8.hpp>
#include <tessera/text/unicode.hpp>

namespace tessera::inline TESSERA_ISA {

/// Whether `byte` stands for itself, as Latin-1; the others are U+0100, U+0101, … in order.
constexpr bool stands_for_itself(unsigned char byte) {
    return (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte != 0xAD);
}

/// The character that stands for each byte: ' ' is Ġ (U+0120), '\n' is Ċ (U+010A).
constexpr std::array<char32_t, 256> byte_characters() {
    std::array<char32_t, 256> characters{};
    char32_t next = 0x100;
    for (unsigned byte = 0; byte < 256; ++byte)
        characters[byte] = stands_for_itself(static_cast<unsigned char>(byte)) ? byte : next++;
    return characters;
}

/// The byte that `character` stands for.
constexpr std::optional<unsigned char> character_byte(char32_t character) {
    constexpr auto bytes = [] {
        std::array<unsigned char, 0x144> inverse{};
        constexpr auto characters = byte_characters();
        for (unsigned byte = 0; byte < 256; ++byte) inverse[characters[byte]] = static_cast<unsigned char>(byte);
        return inverse;
    }();
    if (character >= bytes.size()) return {};
    if (character < 0x100 && !stands_for_itself(static_cast<unsigned char>(character))) return {};
    return bytes[character];
}

/// Appends the bytes that `piece` stands for; a piece with any other character stands for itself.
inline void append_bytes(std::string& out, std::string_view piece) {
    const std::size_t size = out.size();
    for (std::size_t at = 0; at < piece.size();) {
        const auto byte = character_byte(next_character(piece, at));
        if (!byte) {
            out.resize(size);
            out += piece;
            return;
        }
        out.push_back(static_cast<char>(*byte));
    }
}

/// Calls `f(word)` for the words of `text` (UTF-8), which together are all of it.
/// source  GPT-2's pattern 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
template <class F>
void for_each_gpt2_word(std::string_view text, F&& f) {
    enum class Kind { space, letter, number, other };
    const auto kind = [](char32_t c) {
        if (c < 0x80) {
            if ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') return Kind::letter;
            if (c >= '0' && c <= '9') return Kind::number;
            return is_white_space(c) ? Kind::space : Kind::other;
        }
        return is_white_space(c) ? Kind::space
               : is_letter(c)    ? Kind::letter
               : is_number(c)    ? Kind::number
                                 : Kind::other;
    };
    // The end of the run of characters of one kind from `at` on; `last` becomes where its last character begins.
    const auto run = [&](Kind wanted, std::size_t at, std::size_t& last) {
        for (std::size_t next = at; next < text.size(); at = next) {
            if (kind(next_character(text, next)) != wanted) break;
            last = at;
        }
        return at;
    };
    const auto suffix = [](std::string_view rest) -> std::size_t {  // 's and so on
        for (const std::string_view ending : {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"})
            if (rest.starts_with(ending)) return ending.size();
        return 0;
    };
    for (std::size_t begin = 0, end = 0; begin < text.size(); begin = end) {
        std::size_t last = begin;
        if (text[begin] == '\'' && suffix(text.substr(begin)) > 0) {
            end = begin + suffix(text.substr(begin));
        } else {
            std::size_t next = begin + (text[begin] == ' ' ? 1 : 0);  // a word may take one space along
            const std::size_t word = next;
            const Kind what = next < text.size() ? kind(next_character(text, next)) : Kind::space;
            if (what != Kind::space) {
                end = run(what, word, last);
            } else {  // the last of several spaces is left for the word behind them, if there is one
                end = run(Kind::space, begin, last);
                if (end < text.size() && last > begin) end = last;
            }
        }
        f(text.substr(begin, end - begin));
    }
}

}  // namespace tessera::inline TESSERA_ISA
