// Texts as the tokens that models learn from, made once before training.
#pragma once
#include <algorithm>
#include <span>
#include <string>
#include <tessera/model/qformer/text_batch.hpp>
#include <tessera/text/tokenizer.hpp>
#include <vector>

namespace tessera::inline TESSERA_ISA {

/// Tokens of a text with what the model expects around it ([CLS] … [SEP], </s> in front or at the end), at most `most` of them:
/// words are cut at the end, never what stands around them.
/// errors  Errc::text_encoding; Errc::option_value where `most` leaves no room for a word
/// source  `truncation=True, max_length=most` of transformers
inline std::vector<Token> encode_cut(const Tokenizer& tokenizer, std::string_view text, Index most) {
    std::vector<Token> ids = tokenizer.encode(text);
    const auto limit = static_cast<std::size_t>(std::max<Index>(most, 0));
    if (ids.size() <= limit) return ids;
    const std::vector<Token> words = tokenizer.encode(text, Specials::omit);
    const std::size_t around = ids.size() - words.size();
    if (limit <= around)
        throw Error(Errc::option_value, "most tokens of a text: expected more than ", around, ", found ", most);
    std::size_t front = 0;  // tokens before the words
    while (front < around && !std::equal(words.begin(), words.end(), ids.begin() + static_cast<std::ptrdiff_t>(front)))
        ++front;
    const std::size_t back = around - front;
    std::copy(ids.end() - static_cast<std::ptrdiff_t>(back), ids.end(),
              ids.begin() + static_cast<std::ptrdiff_t>(limit - back));
    ids.resize(limit);
    return ids;
}

/// A caption as LAVIS gives it to the Q-Former: [CLS] … [SEP].
inline std::vector<Token> encode_for_qformer(const Tokenizer& bert, std::string_view caption, Index most = 32) {
    return encode_cut(bert, caption, most);
}
/// A caption as LAVIS gives it to OPT: </s>, the caption, a newline, which ends it unless it is cut.
inline std::vector<Token> encode_for_opt(const Tokenizer& opt, std::string_view caption, Index most = 32) {
    return encode_cut(opt, std::string(caption) + '\n', most);
}
/// A text as LAVIS gives it to T5, encoder and decoder alike: with </s> at the end.
inline std::vector<Token> encode_for_t5(const Tokenizer& t5, std::string_view text, Index most = 32) {
    return encode_cut(t5, text, most);
}

/// Texts one after another, without padding; what a TextBatch is a view of.
class TokenizedTexts {
  public:
    TokenizedTexts() = default;
    /// What `encode(text)` makes of each.
    template <class Encode>
    TokenizedTexts(std::span<const std::string> texts, Encode&& encode) {
        starts_.reserve(texts.size() + 1);
        for (const std::string& text : texts) push_back(encode(text));
    }

    operator TextBatch() const { return {ids_, starts_}; }
    Index count() const { return TextBatch(*this).count(); }
    std::span<const Token> operator[](Index i) const { return TextBatch(*this)[i]; }
    /// Of the longest text.
    Index most_tokens() const {
        Index most = 0;
        for (Index i = 0; i < count(); ++i) most = std::max(most, TextBatch(*this).length(i));
        return most;
    }

    /// Adds a text, of which `end` is the end.
    void push_back(std::span<const Token> ids, std::span<const Token> end = {}) {
        ids_.insert(ids_.end(), ids.begin(), ids.end());
        ids_.insert(ids_.end(), end.begin(), end.end());
        starts_.push_back(static_cast<Index>(ids_.size()));
    }
    /// Removes all texts; their memory stays.
    void clear() {
        ids_.clear();
        starts_.resize(1);
    }
    /// Memory for so many texts and tokens.
    void reserve(Index texts, Index tokens) {
        starts_.reserve(static_cast<std::size_t>(texts) + 1);
        ids_.reserve(static_cast<std::size_t>(tokens));
    }

  private:
    std::vector<Token> ids_;
    std::vector<Index> starts_{0};
};

}  // namespace tessera::inline TESSERA_ISA
