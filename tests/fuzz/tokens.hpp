// What every tokenizer promises, whatever file it came from.
#pragma once
#include <fuzz/fuzz.hpp>
#include <numeric>
#include <tessera/text/tokenizer.hpp>
#include <vector>

namespace tessera::fuzz {

/// Encodes `text`, and decodes that and every other token there is, at once and piece by piece.
inline void use(const Tokenizer& tokenizer, std::string_view text) {
    const auto decoded = [&](const std::vector<Token>& tokens) {
        DecodeStream stream(tokenizer, SkipSpecials::no, OutOfVocabulary::skip);
        std::string piecewise;
        for (const Token token : tokens) piecewise += stream.push(token);
        piecewise += stream.flush();
        expect(find_invalid_utf8(piecewise) == std::string::npos, "UTF-8", piecewise);
        return piecewise;
    };
    const std::vector<Token> tokens = tokenizer.encode(text);
    for (const Token token : tokens) expect(tokenizer.has(token), "a token that the tokenizer has");
    expect(tokenizer.decode(tokens, SkipSpecials::no) == decoded(tokens), "the pieces of a text to be the text");
    std::vector<Token> all(static_cast<std::size_t>(std::min<Token>(tokenizer.size(), 1000)));
    std::iota(all.begin(), all.end(), 0);
    decoded(all);
}

/// A text with something for each rule of a tokenizer.
inline constexpr std::string_view some_text =
    "A photo  of 12 cats, it's\n 'Stra\xc3\x9f"
    "e' \xe6\x97\xa5\xe6\x9c\xac [MASK]</s> <image>x\xcc\x81 \xf0\x9f\x98\x80!";

}  // namespace tessera::fuzz
