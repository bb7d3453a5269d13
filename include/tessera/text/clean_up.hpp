// The removal of spaces before punctuation that some checkpoints want after decoding (`clean_up_tokenization_spaces`).
#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <tessera/core/compiler.hpp>

namespace tessera::inline TESSERA_ISA {

/// Replaces every `from` (not empty), left to right, by `to`.
inline void replace_all(std::string& text, std::string_view from, std::string_view to) {
    std::size_t at = text.find(from);
    if (at == std::string::npos) return;
    std::string out;
    std::size_t done = 0;
    for (; at != std::string::npos; at = text.find(from, done)) {
        out.append(text, done, at - done).append(to);
        done = at + from.size();
    }
    text = out.append(text, done);
}

/// "it 's here ." → "it's here."
/// source  transformers, `clean_up_tokenization`
inline void clean_up_spaces(std::string& text) {
    for (const std::string_view from : {" .", " ?", " !", " ,", " ' ", " n't", " 'm", " 's", " 've", " 're"}) {
        const bool quote = from == " ' ";
        replace_all(text, from, quote ? "'" : from.substr(1));
    }
}

/// How much of the front of `text` can be cleaned up now, whatever will be appended: up to the last place that no
/// pattern can reach across. Patterns begin with a space, go on for at most three more characters, and only spaces are
/// removed; so three others in a row keep what lies before them from what comes, and so does one character that is in
/// no pattern.
constexpr std::size_t settled_spaces(std::string_view text) {
    constexpr std::string_view inside = " .?!,'ntmsver";
    for (std::size_t end = text.size(); end > 0; --end) {
        if (inside.find(text[end - 1]) == std::string_view::npos) return end;
        if (end >= 3 && text.substr(end - 3, 3).find(' ') == std::string_view::npos) return end;
    }
    return 0;
}

}  // namespace tessera::inline TESSERA_ISA
