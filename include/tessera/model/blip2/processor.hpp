// What a BLIP-2 needs beside its weights: how pictures, prompts and answers are made of what the model reads and writes.
#pragma once
#include <algorithm>
#include <memory>
#include <tessera/core/printable.hpp>
#include <tessera/image/preprocess.hpp>
#include <tessera/text/tokenizer.hpp>
#include <utility>

namespace tessera::inline TESSERA_ISA {

/// Tokens with a meaning of their own.
struct Blip2Tokens {
    Token image = 50265;            // stands for a query's place in the ids; never embedded
    Token begin = 2;                // before every prompt
    std::vector<Token> end{50118};  // any of them ends a caption: the newline
    Token padding = 1;
};

/// The files of a checkpoint folder that are not weights. Immutable: one object may serve many threads.
struct Blip2Processor {
    Preprocess preprocess;
    std::shared_ptr<const Tokenizer> tokenizer;
    Blip2Tokens tokens;

    /// What the language model reads: a placeholder for each query, the beginning, the prompt.
    /// errors  Errc::text_encoding for a prompt that is not UTF-8; Errc::option_value for one with special tokens
    std::vector<Token> prompt_ids(std::string_view prompt, Index queries) const {
        std::vector<Token> ids(static_cast<std::size_t>(queries), tokens.image);
        if (prompt.empty()) {
            ids.push_back(tokens.begin);
            return ids;
        }
        for (const Token id : tokenizer->encode(prompt, Specials::omit))
            if (tokenizer->is_special(id))
                throw Error(Errc::option_value, "prompt: expected text, found the special token ",
                            in_quotes(tokenizer->piece(id)));
        const auto words = tokenizer->encode(prompt);
        ids.insert(ids.end(), words.begin(), words.end());
        return ids;
    }
    bool is_end(Token id) const { return std::ranges::find(tokens.end, id) != tokens.end.end(); }
    /// The text of generated tokens, without special tokens and surrounding blanks.
    std::string text(std::span<const Token> generated) const {
        const std::string text = tokenizer->decode(generated, SkipSpecials::yes, OutOfVocabulary::skip);
        const auto first = text.find_first_not_of(" \t\r\n");
        return first == text.npos ? "" : text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
    }
};

/// A model, and what prepares its pictures and prompts.
template <class Model>
struct Pipeline {
    Model model;
    typename Model::Processor processor;
};

}  // namespace tessera::inline TESSERA_ISA
