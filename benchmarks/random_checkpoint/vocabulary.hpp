// A made-up byte-level BPE of OPT's size and order of ids: any text can be encoded, any id decoded.
#pragma once
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "settings.hpp"

namespace tessera::random_checkpoint {

/// Tokens in the order of their ids, merges in the order in which they were made up.
struct Vocabulary {
    std::vector<std::string> tokens;
    std::vector<std::pair<std::string, std::string>> merges;
};

/// GPT-2's printable stand-in for each byte: itself where it is visible, otherwise U+0100 and following.
inline std::array<std::string, 256> byte_symbols() {
    const auto utf8 = [](unsigned code) {
        if (code < 0x80) return std::string(1, static_cast<char>(code));
        return std::string{static_cast<char>(0xc0 | code >> 6), static_cast<char>(0x80 | (code & 0x3f))};
    };
    std::array<std::string, 256> symbols;
    unsigned replaced = 0;
    for (unsigned byte = 0; byte < 256; ++byte) {
        const bool visible = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte != 0xad);
        symbols[byte] = utf8(visible ? byte : 0x100 + replaced++);
    }
    return symbols;
}

/// Ids as in OPT: four special tokens, the bytes and merges by turns of frequency (here: bytes first), the newline at
/// 50118, and five that no text contains.
/// Merges are made of lower-case letters, frequent ones first, so that words of English fall into a few pieces each.
inline Vocabulary made_up_vocabulary() {
    constexpr std::size_t size = 50265, never_used = 5;
    constexpr std::string_view letters = "etaoinshrdlcumwfgypbvkjxqz";
    const auto symbols = byte_symbols();
    const std::string& blank = symbols[' '];
    const std::string& newline = symbols['\n'];

    Vocabulary v{{"<s>", "<pad>", "</s>", "<unk>"}, {}};
    for (unsigned byte = 0; byte < 256; ++byte)
        if (symbols[byte] != newline) v.tokens.push_back(symbols[byte]);
    const auto merge = [&](const std::string& left, const std::string& right) {
        if (v.tokens.size() == static_cast<std::size_t>(newline_id)) v.tokens.push_back(newline);
        if (v.tokens.size() == size - never_used) return;
        v.tokens.push_back(left + right);
        v.merges.emplace_back(left, right);
    };
    const auto word = [&](std::size_t a, std::size_t b) { return std::string{letters[a], letters[b]}; };
    for (const char a : letters) merge(blank, {a});
    for (std::size_t a = 0; a < 26; ++a)
        for (std::size_t b = 0; b < 26; ++b) merge({letters[a]}, {letters[b]});
    for (std::size_t a = 0; a < 26; ++a)
        for (std::size_t b = 0; b < 26; ++b) merge(blank + letters[a], {letters[b]});
    for (std::size_t a = 0; a < 26; ++a)
        for (std::size_t b = 0; b < 26; ++b)
            for (const char c : letters) {
                merge(word(a, b), {c});
                merge(blank + letters[a], word(b, letters.find(c)));
            }
    for (std::size_t a = 0; a < 26; ++a)
        for (std::size_t b = 0; b < 26; ++b)
            for (std::size_t c = 0; c < 26; ++c)
                for (std::size_t d = 0; d < 26; ++d) merge(word(a, b), word(c, d));
    for (std::size_t i = 0; i < never_used; ++i) v.tokens.push_back("madeupword000" + std::to_string(i));
    return v;
}

}  // namespace tessera::random_checkpoint
