// What Unicode says of a character: its category, its decomposition, its lower case. The only place for utf8proc.
#pragma once
#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <tessera/core/utf8.hpp>
#include <utility>
#include <vector>

namespace tessera::inline TESSERA_ISA {

/// Whether the category of `c` is one of those from `first` to `last`, in utf8proc's order: L, M, N, P, S, Z, C.
inline bool is_in_category(char32_t c, utf8proc_category_t first, utf8proc_category_t last) {
    const auto category = utf8proc_category(static_cast<utf8proc_int32_t>(c));
    return category >= first && category <= last;
}

/// The property White_Space: `\s` of regular expressions.
constexpr bool is_white_space(char32_t c) {
    return (c >= 0x9 && c <= 0xD) || c == ' ' || c == 0x85 || c == 0xA0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

/// `\p{L}`
inline bool is_letter(char32_t c) { return is_in_category(c, UTF8PROC_CATEGORY_LU, UTF8PROC_CATEGORY_LO); }
/// `\p{N}`
inline bool is_number(char32_t c) { return is_in_category(c, UTF8PROC_CATEGORY_ND, UTF8PROC_CATEGORY_NO); }
/// `\p{P}`
inline bool is_punctuation(char32_t c) { return is_in_category(c, UTF8PROC_CATEGORY_PC, UTF8PROC_CATEGORY_PO); }
/// An accent that takes no room of its own.
inline bool is_nonspacing_mark(char32_t c) { return is_in_category(c, UTF8PROC_CATEGORY_MN, UTF8PROC_CATEGORY_MN); }
/// A control, format or private-use character.
inline bool is_control(char32_t c) {
    return is_in_category(c, UTF8PROC_CATEGORY_CC, UTF8PROC_CATEGORY_CO) &&
           !is_in_category(c, UTF8PROC_CATEGORY_CS, UTF8PROC_CATEGORY_CS);
}
/// `\w`: alphabetic, a mark, a decimal digit, connecting punctuation or a joiner.
inline bool is_word_character(char32_t c) {
    const bool circled = (c >= 0x24B6 && c <= 0x24E9) || (c >= 0x1F130 && c <= 0x1F149) ||
                         (c >= 0x1F150 && c <= 0x1F169) || (c >= 0x1F170 && c <= 0x1F189);  // alphabetic symbols
    return is_in_category(c, UTF8PROC_CATEGORY_LU, UTF8PROC_CATEGORY_NL) || c == 0x200C || c == 0x200D || circled ||
           is_in_category(c, UTF8PROC_CATEGORY_PC, UTF8PROC_CATEGORY_PC);
}

/// Appends `c` in lower case, without regard to its neighbours.
inline void append_lower(std::string& out, char32_t c) {
    if (c == 0x130) {  // İ, the only one whose lower case is two characters
        out += "i\xCC\x87";
    } else {
        append_utf8(out, static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(c))));
    }
}

/// The canonical decomposition of `text` (NFD), as characters.
/// cost    O(n log n) however many marks stand on one letter
inline std::vector<char32_t> decompose(std::string_view text) {
    std::vector<char32_t> out;
    out.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
        std::array<utf8proc_int32_t, 32> parts;
        int boundary = 0;
        const auto count =
            utf8proc_decompose_char(static_cast<utf8proc_int32_t>(next_character(text, at)), parts.data(),
                                    static_cast<utf8proc_ssize_t>(parts.size()), UTF8PROC_DECOMPOSE, &boundary);
        for (utf8proc_ssize_t i = 0; i < count; ++i)
            out.push_back(static_cast<char32_t>(parts[static_cast<std::size_t>(i)]));
    }
    const auto order = [](char32_t c) {
        return utf8proc_get_property(static_cast<utf8proc_int32_t>(c))->combining_class;
    };
    for (auto begin = out.begin(); begin != out.end();) {  // marks on one letter are sorted, where sorting is invisible
        auto end = begin;
        while (end != out.end() && order(*end) != 0) ++end;
        if (end - begin > 1) std::stable_sort(begin, end, [&](char32_t a, char32_t b) { return order(a) < order(b); });
        begin = end == out.end() ? end : end + 1;
    }
    return out;
}

/// Calls `f(cluster)` for every extended grapheme cluster (what a reader takes for one character) of `text`.
template <class F>
void for_each_grapheme(std::string_view text, F&& f) {
    std::size_t begin = 0, at = 0;
    utf8proc_int32_t state = 0;
    char32_t before = 0;
    while (at < text.size()) {
        const std::size_t here = at;
        const char32_t c = next_character(text, at);
        const bool ascii = before < 0x80 && c < 0x80;  // there only "\r\n" is one
        if (ascii) state = 0;
        if (here > 0 && (ascii ? before != '\r' || c != '\n'
                               : utf8proc_grapheme_break_stateful(static_cast<utf8proc_int32_t>(before),
                                                                  static_cast<utf8proc_int32_t>(c), &state) != 0)) {
            f(text.substr(begin, here - begin));
            begin = here;
        }
        before = c;
    }
    if (begin < text.size()) f(text.substr(begin));
}

}  // namespace tessera::inline TESSERA_ISA
