// Text to the ids a model reads, and back: what every tokenizer can do, whole and as a stream.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tessera/core/error.hpp>
#include <tessera/core/token.hpp>
#include <tessera/core/utf8.hpp>
#include <tessera/text/clean_up.hpp>
#include <utility>
#include <vector>

namespace tessera::inline TESSERA_ISA {

/// Whether encode() adds what the model expects around a text ([CLS] … [SEP], </s> in front).
enum class Specials { add, omit };
/// Whether decode() leaves out tokens that stand for no text (</s>, <pad>, <image>).
enum class SkipSpecials { no, yes };
/// What decode() does with an id that the vocabulary has not. Models have more rows than their tokenizer has tokens
/// (OPT 50272, or 50304 in BLIP-2, against 50265), so generated ids are decoded with `skip`; a negative id is always an
/// error.
enum class OutOfVocabulary { error, skip };

/// The tokens with a role; one that the vocabulary has not, or that no file names, is empty.
struct SpecialTokens {
    std::optional<Token> bos, eos, pad, unknown, cls, sep, mask;
};

/// One vocabulary with its rules. Immutable: one object may serve many threads.
class Tokenizer {
  public:
    virtual ~Tokenizer() = default;

    /// errors  text_encoding if `text` is not UTF-8; sequence_length if it has 2 GiB or more
    virtual std::vector<Token> encode(std::string_view text, Specials specials = Specials::add) const = 0;

    /// The text of `tokens`; bytes that are not UTF-8 come out as U+FFFD.
    /// errors  token_id
    std::string decode(std::span<const Token> tokens, SkipSpecials skip,
                       OutOfVocabulary beyond = OutOfVocabulary::error) const;

    /// A token as the vocabulary spells it ("Ġphoto", "##ing", "▁the"), for showing.
    /// errors  token_id
    virtual std::string piece(Token token) const = 0;

    /// The token that the vocabulary spells like this.
    virtual std::optional<Token> find(std::string_view piece) const = 0;

    /// One more than the highest id. There may be holes below: has() tells.
    virtual Token size() const = 0;
    virtual bool has(Token token) const = 0;

    virtual SpecialTokens special_tokens() const = 0;
    virtual bool is_special(Token token) const = 0;

    /// Appends the bytes of `token` in running text, where `first` says that no text stands before it. They may be a
    /// part of a character. DecodeStream calls this for tokens that has() accepts.
    virtual void detokenize(Token token, bool first, std::string& bytes) const = 0;
    /// Whether the decoded text is passed through clean_up_spaces().
    virtual bool cleans_up_spaces() const { return false; }
};

/// Decodes one token at a time. The pieces that push() and flush() return, put together, are what decode() makes of
/// all.
class DecodeStream {
  public:
    /// `tokenizer` must outlive the stream.
    explicit DecodeStream(const Tokenizer& tokenizer, SkipSpecials skip = SkipSpecials::yes,
                          OutOfVocabulary beyond = OutOfVocabulary::error)
        : tokenizer_(&tokenizer), skip_(skip), beyond_(beyond) {}

    /// The text that `token` makes final: whole characters, possibly none yet.
    /// errors  token_id
    std::string push(Token token) {
        if (!tokenizer_->has(token)) {
            if (token >= 0 && beyond_ == OutOfVocabulary::skip) return {};
            throw Error(Errc::token_id, "token ", token, " is not in the vocabulary of ", tokenizer_->size(),
                        " tokens");
        }
        if (skip_ == SkipSpecials::yes && tokenizer_->is_special(token)) return {};
        tokenizer_->detokenize(token, std::exchange(first_, false), bytes_);
        repair_utf8(bytes_, text_, false);
        return take(tokenizer_->cleans_up_spaces() ? settled_spaces(text_) : text_.size());
    }

    /// The rest, when no more tokens come; the stream is as new after it.
    std::string flush() {
        repair_utf8(bytes_, text_, true);
        first_ = true;
        return take(text_.size());
    }

  private:
    std::string take(std::size_t length) {
        std::string out = text_.substr(0, length);
        text_.erase(0, length);
        if (tokenizer_->cleans_up_spaces()) clean_up_spaces(out);
        return out;
    }

    const Tokenizer* tokenizer_;
    SkipSpecials skip_;
    OutOfVocabulary beyond_;
    bool first_ = true;
    std::string bytes_;  // of a character that is not complete
    std::string text_;   // whose spaces are not settled
};

inline std::string Tokenizer::decode(std::span<const Token> tokens, SkipSpecials skip, OutOfVocabulary beyond) const {
    DecodeStream stream(*this, skip, beyond);
    std::string text;
    for (const Token token : tokens) text += stream.push(token);
    return text += stream.flush();
}

}  // namespace tessera::inline TESSERA_ISA
