// What BERT does to text before it is cut into pieces: controls out, CJK apart, accents off, lower case; then words.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <tessera/core/utf8.hpp>
#include <tessera/text/unicode.hpp>

namespace tessera::inline TESSERA_ISA {

/// source  tokenizers, BertNormalizer and BertPreTokenizer
struct BertText {
    bool clean = true;          // controls out, all white space becomes ' '
    bool split_cjk = true;      // a space on either side of every ideograph
    bool strip_accents = true;  // and so also Hangul into its letters
    bool lower = true;

    std::string normalize(std::string_view text) const {
        std::string out;
        for (std::size_t at = 0; at < text.size();) {
            const char32_t c = next_character(text, at);
            if (clean && is_removed(c)) continue;
            if (clean && is_white_space(c)) {
                out.push_back(' ');
            } else if (split_cjk && is_ideograph(c)) {
                out.push_back(' ');
                append_utf8(out, c);
                out.push_back(' ');
            } else {
                append_utf8(out, c);
            }
        }
        if (strip_accents) {
            const auto characters = decompose(out);
            out.clear();
            for (const char32_t c : characters)
                if (!is_nonspacing_mark(c)) append_utf8(out, c);
        }
        if (lower) {
            std::string lowered;
            for (std::size_t at = 0; at < out.size();) append_lower(lowered, next_character(out, at));
            out = std::move(lowered);
        }
        return out;
    }

    /// Calls `f(word)` for what stands between white space; a punctuation mark is a word.
    template <class F>
    static void for_each_word(std::string_view text, F&& f) {
        std::size_t begin = 0;
        const auto end_word = [&](std::size_t end) {
            if (begin < end) f(text.substr(begin, end - begin));
        };
        for (std::size_t at = 0; at < text.size();) {
            const std::size_t here = at;
            const char32_t c = next_character(text, at);
            const bool white = is_white_space(c);
            if (!white && !is_mark(c)) continue;
            end_word(here);
            begin = white ? at : here;
            end_word(at);
            begin = at;
        }
        end_word(text.size());
    }

  private:
    static bool is_removed(char32_t c) {
        return c == 0 || c == 0xFFFD || (c != '\t' && c != '\n' && c != '\r' && is_control(c));
    }
    // The last range but two begins at 2B920, not at 2B820 where the block does; so do the tokenizers of the
    // checkpoints.
    static constexpr bool is_ideograph(char32_t c) {
        return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) || (c >= 0x20000 && c <= 0x2A6DF) ||
               (c >= 0x2A700 && c <= 0x2B73F) || (c >= 0x2B740 && c <= 0x2B81F) || (c >= 0x2B920 && c <= 0x2CEAF) ||
               (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x2F800 && c <= 0x2FA1F);
    }
    // ASCII has symbols ($ + < = > ^ ` | ~) that BERT takes for punctuation and Unicode does not.
    static bool is_mark(char32_t c) {
        const bool ascii =
            (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') || (c >= '{' && c <= '~');
        return ascii || (c >= 0x80 && is_punctuation(c));
    }
};

}  // namespace tessera::inline TESSERA_ISA
