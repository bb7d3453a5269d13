// Tokens that are looked for in the text before anything else: </s>, <image>, <extra_id_0>, …
#pragma once
#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <tessera/text/tokenizer.hpp>
#include <tessera/text/unicode.hpp>
#include <vector>

namespace tessera::inline TESSERA_ISA {

/// One of them, with the rules by which it is found.
struct AddedToken {
    std::string content;
    Token id = 0;
    bool single_word = false;  // not inside a word
    bool lstrip = false;       // takes the white space before it along
    bool rstrip = false;       // and after it
    bool normalized = false;   // looked for in the normalized text, in its own normalized form
    bool special = false;      // stands for no text
    std::string source = {};   // the file that names it, for messages
};

/// A part of a text: a token that was found, or text between tokens.
struct TextPart {
    std::string_view text;
    std::optional<Token> token;
};

/// Finds a set of tokens in text: the leftmost one, and of those the longest.
class TokenFinder {
  public:
    /// `spelling` is what is looked for; an empty one is never found.
    void add(std::string spelling, const AddedToken& token) {
        if (spelling.empty()) return;
        auto& candidates = by_first_byte_[static_cast<unsigned char>(spelling.front())];
        const auto longer = [&](const Candidate& other) { return other.spelling.size() >= spelling.size(); };
        const auto place = std::partition_point(candidates.begin(), candidates.end(), longer);
        candidates.insert(place, Candidate{std::move(spelling), token});
    }

    /// Calls `f(TextPart)` for the parts of `text` (UTF-8) in order; parts of text are not empty.
    /// source  tokenizers, AddedVocabulary::find_matches
    template <class F>
    void split(std::string_view text, F&& f) const {
        std::size_t done = 0;
        for (std::size_t at = 0; at < text.size();) {
            const Candidate* found = front(text.substr(at));
            if (found == nullptr) {
                ++at;
                continue;
            }
            std::size_t begin = at, end = at + found->spelling.size();
            at = end;
            const AddedToken& token = found->token;
            if (token.single_word && (word_before(text, begin) || word_at(text, end))) continue;
            if (token.lstrip) begin = std::max(done, begin - white_space_before(text.substr(0, begin)));
            if (token.rstrip) end += white_space_at(text.substr(end));
            if (done < begin) f(TextPart{text.substr(done, begin - done), {}});
            f(TextPart{text.substr(begin, end - begin), token.id});
            done = end;
        }
        if (done < text.size()) f(TextPart{text.substr(done), {}});
    }

  private:
    struct Candidate {
        std::string spelling;
        AddedToken token;
    };

    const Candidate* front(std::string_view text) const {
        for (const Candidate& candidate : by_first_byte_[static_cast<unsigned char>(text.front())])
            if (text.starts_with(candidate.spelling)) return &candidate;
        return nullptr;
    }
    static std::size_t last_character(std::string_view text) {
        std::size_t at = text.size() - 1;
        while (at > 0 && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) --at;
        return at;
    }
    static bool word_before(std::string_view text, std::size_t end) {
        if (end == 0) return false;
        std::size_t at = last_character(text.substr(0, end));
        return is_word_character(next_character(text, at));
    }
    static bool word_at(std::string_view text, std::size_t at) {
        return at < text.size() && is_word_character(next_character(text, at));
    }
    static std::size_t white_space_before(std::string_view text) {
        const std::size_t size = text.size();
        while (!text.empty()) {
            std::size_t at = last_character(text);
            const std::size_t begin = at;
            if (!is_white_space(next_character(text, at))) break;
            text = text.substr(0, begin);
        }
        return size - text.size();
    }
    static std::size_t white_space_at(std::string_view text) {
        std::size_t end = 0;
        for (std::size_t at = 0; at < text.size() && is_white_space(next_character(text, at));) end = at;
        return end;
    }

    std::array<std::vector<Candidate>, 256> by_first_byte_;  // the longest first
};

/// All added tokens of a tokenizer.
class AddedTokens {
  public:
    /// `spelling` is what is looked for; in normalized text, the normalized content.
    void add(const AddedToken& token, std::string spelling) {
        (token.normalized ? in_normalized_text : in_text).add(std::move(spelling), token);
        const auto id = static_cast<std::size_t>(token.id);
        if (id >= places_.size()) places_.resize(id + 1, nowhere);
        places_[id] = tokens_.size();
        tokens_.push_back(token);
    }

    const AddedToken* find(Token id) const {
        const bool there = id >= 0 && id < size() && places_[static_cast<std::size_t>(id)] != nowhere;
        return there ? &tokens_[places_[static_cast<std::size_t>(id)]] : nullptr;
    }
    std::optional<Token> find(std::string_view content) const {
        for (const AddedToken& token : tokens_)
            if (token.content == content) return token.id;
        return {};
    }
    /// One more than the highest id.
    Token size() const { return static_cast<Token>(places_.size()); }

    TokenFinder in_text, in_normalized_text;

  private:
    static constexpr std::size_t nowhere = static_cast<std::size_t>(-1);
    std::vector<AddedToken> tokens_;
    std::vector<std::size_t> places_;  // of ids in tokens_
};

}  // namespace tessera::inline TESSERA_ISA
