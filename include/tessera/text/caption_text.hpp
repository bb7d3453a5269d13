// Captions and questions as LAVIS prepares them before they become tokens.
#pragma once
#include <algorithm>
#include <string>
#include <string_view>
#include <tessera/core/view.hpp>
#include <tessera/text/unicode.hpp>

namespace tessera::inline TESSERA_ISA {

namespace detail {

/// In lower case, each of `. ! " ( ) * # : ; ~` replaced.
inline std::string lower_without_marks(std::string_view text, std::string_view replacement) {
    constexpr std::string_view marks = ".!\"()*#:;~";
    expect_utf8(text, "caption or question", Errc::text_encoding);
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        const char32_t c = next_character(text, at);
        if (c < 0x80 && marks.find(static_cast<char>(c)) != marks.npos)
            out += replacement;
        else
            append_lower(out, c);
    }
    return out;
}

/// Runs of two and more blanks become a space; a single blank stays what it is.
inline std::string collapse_blanks(std::string_view text) {
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t begin = at;
        std::size_t blanks = 0, end = at;
        for (; at < text.size(); end = at, ++blanks) {
            const char32_t c = next_character(text, at);
            if (!is_white_space(c) && !(c >= 0x1C && c <= 0x1F)) break;  // as \s of Python's re
        }
        if (blanks > 1)
            out += ' ';
        else
            out += text.substr(begin, end - begin);
        out += text.substr(end, at - end);
    }
    return out;
}

/// The first `count` words, where a space ends a word.
inline std::string_view first_words(std::string_view text, Index count) {
    if (count <= 0) return {};
    for (std::size_t at = 0; (at = text.find(' ', at)) != text.npos; ++at)
        if (--count == 0) return text.substr(0, at);
    return text;
}

inline void strip_right(std::string& text, char blank) { text.erase(text.find_last_not_of(blank) + 1); }

}  // namespace detail

/// A caption in lower case, without most marks and without runs of blanks, cut after `max_words`, behind `prompt`.
/// errors  Errc::text_encoding where it is not UTF-8
/// source  LAVIS, processors/blip_processors.py, `blip_caption`. (Greek Σ becomes σ at the end of a word, too.)
inline std::string caption_text(std::string_view caption, std::string_view prompt = {}, Index max_words = 50) {
    std::string text = detail::collapse_blanks(detail::lower_without_marks(caption, " "));
    detail::strip_right(text, '\n');
    detail::strip_right(text, ' ');
    text.erase(0, std::min(text.find_first_not_of(' '), text.size()));
    return std::string(prompt) += detail::first_words(text, max_words);
}

/// A question in lower case, without most marks (but with `?`), cut after `max_words`.
/// errors  Errc::text_encoding where it is not UTF-8
/// source  LAVIS, `blip_question`
inline std::string question_text(std::string_view question, Index max_words = 50) {
    std::string text = detail::lower_without_marks(question, "");
    detail::strip_right(text, ' ');
    return std::string(detail::first_words(text, max_words));
}

}  // namespace tessera::inline TESSERA_ISA
