// A generated text.
#pragma once
#include <string>
#include <tessera/core/token.hpp>
#include <vector>

namespace tessera::inline TESSERA_ISA {

/// Why a text ends where it does.
enum class Finish : char {
    end,          // with a token that ends texts
    stop_string,  // with a stop string
    length,       // at max_tokens
    cancelled,    // because on_text said so
};

/// One text, as any kind of search returns it.
struct Generation {
    std::vector<Token> tokens = {};  // new tokens, the end or the stop string included
    float score = 0;                 // Σ log p / length^length_penalty, of probabilities after all rules
    Finish finish = Finish::length;
    std::string text = {};  // of these tokens, without end, stop string and surrounding blanks
};

}  // namespace tessera::inline TESSERA_ISA
