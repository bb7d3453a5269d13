// How text is generated.
#pragma once
#include <functional>
#include <string>
#include <string_view>
#include <tessera/core/error.hpp>
#include <tessera/core/view.hpp>
#include <tessera/nn/embedding.hpp>
#include <vector>

namespace tessera::inline TESSERA_ISA {

struct GenerateOptions {
    std::string prompt = {};  // what the caption begins with, or "Question: … Answer:"
    Index max_tokens = 30;    // new tokens at most, the end included
    Index min_tokens = 0;     // before that many new tokens no end is chosen
    // Scores s of tokens that occurred, prompt and placeholders included, become s > 0 ? s / p : s·p.
    float repetition_penalty = 1.0f;
    Index no_repeat_ngram = 0;                           // no sequence of that many tokens occurs twice; 0: any may
    std::vector<Token> stop = {};                        // tokens that end the text, beside the model's own
    std::function<void(std::string_view)> on_text = {};  // called with new text, whole characters at a time
};

/// errors  Errc::option_value names the option that is out of range
inline void require_valid(const GenerateOptions& options) {
    const auto reject = [](const char* what, auto expected, auto found) {
        throw Error(Errc::option_value, what, ": expected ", expected, ", found ", found);
    };
    if (options.max_tokens < 0) reject("max_tokens", "0 or more", options.max_tokens);
    if (options.min_tokens < 0) reject("min_tokens", "0 or more", options.min_tokens);
    if (options.min_tokens > options.max_tokens)
        reject("min_tokens", "at most max_tokens = " + std::to_string(options.max_tokens), options.min_tokens);
    if (!(options.repetition_penalty >= 0.01f && options.repetition_penalty <= 100.0f))
        reject("repetition_penalty", "a number from 0.01 to 100", options.repetition_penalty);
    if (options.no_repeat_ngram < 0) reject("no_repeat_ngram", "0 or more", options.no_repeat_ngram);
}

}  // namespace tessera::inline TESSERA_ISA
