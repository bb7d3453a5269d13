// The way of every tokenizer from text to ids: added tokens are cut out, the text between them is normalized, cut into
// words and given to the model, and what the model expects around a text is put around it.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tessera/text/added_tokens.hpp>
#include <tessera/text/vocabulary.hpp>
#include <utility>
#include <vector>

namespace tessera::inline TESSERA_ISA {

/// What one kind of tokenizer has of its own.
class PieceModel {
  public:
    virtual ~PieceModel() = default;
    const Vocabulary& vocabulary() const { return vocabulary_; }

    /// `text` is UTF-8.
    virtual std::string normalize(std::string_view text) const { return std::string(text); }
    /// Appends the ids of normalized text; `first`: no text stands before it.
    virtual void encode(std::string_view text, bool first, std::vector<Token>& ids) const = 0;
    /// Appends the bytes of a piece; `first`: no piece stands before it.
    virtual void detokenize(std::string_view piece, bool first, std::string& bytes) const = 0;

  protected:
    explicit PieceModel(Vocabulary vocabulary) : vocabulary_(std::move(vocabulary)) {}
    Vocabulary vocabulary_;
};

/// What surrounds the model.
struct TokenizerRules {
    std::vector<AddedToken> added;
    std::vector<Token> prefix_ids, suffix_ids;  // of every text, with Specials::add
    SpecialTokens special_tokens;
    bool clean_up_spaces = false;
};

class PieceTokenizer final : public Tokenizer {
  public:
    PieceTokenizer(std::unique_ptr<const PieceModel> model, TokenizerRules rules)
        : model_(std::move(model)), rules_(std::move(rules)) {
        for (const AddedToken& token : rules_.added)
            added_.add(token, token.normalized ? model_->normalize(token.content) : token.content);
    }

    std::vector<Token> encode(std::string_view text, Specials specials = Specials::add) const override {
        expect_utf8(text, "the text to encode", Errc::text_encoding);
        constexpr std::size_t longest = std::numeric_limits<std::int32_t>::max();
        if (text.size() > longest)
            throw Error(Errc::sequence_length, "the text to encode has ", text.size(), " bytes, expected at most ",
                        longest);
        std::vector<Token> ids;
        if (specials == Specials::add) ids = rules_.prefix_ids;
        added_.in_text.split(text, [&](TextPart part) {
            if (part.token) return ids.push_back(*part.token);
            const bool front = part.text.data() == text.data();
            const std::string normal = model_->normalize(part.text);
            added_.in_normalized_text.split(normal, [&](TextPart inner) {
                if (inner.token) return ids.push_back(*inner.token);
                model_->encode(inner.text, front && inner.text.data() == normal.data(), ids);
            });
        });
        if (specials == Specials::add) ids.insert(ids.end(), rules_.suffix_ids.begin(), rules_.suffix_ids.end());
        return ids;
    }

    std::string piece(Token token) const override {
        if (const AddedToken* added = added_.find(token)) return added->content;
        if (const auto piece = model_->vocabulary().piece(token)) return std::string(*piece);
        throw Error(Errc::token_id, "token ", token, " is not in the vocabulary of ", size(), " tokens");
    }
    std::optional<Token> find(std::string_view piece) const override {
        const auto added = added_.find(piece);
        return added ? added : model_->vocabulary().find(piece);
    }
    Token size() const override { return std::max(model_->vocabulary().size(), added_.size()); }
    bool has(Token token) const override {
        return added_.find(token) != nullptr || model_->vocabulary().piece(token).has_value();
    }
    SpecialTokens special_tokens() const override { return rules_.special_tokens; }
    bool is_special(Token token) const override {
        const AddedToken* added = added_.find(token);
        return added && added->special;
    }
    void detokenize(Token token, bool first, std::string& bytes) const override {
        model_->detokenize(piece(token), first, bytes);
    }
    bool cleans_up_spaces() const override { return rules_.clean_up_spaces; }

  private:
    std::unique_ptr<const PieceModel> model_;
    AddedTokens added_;
    TokenizerRules rules_;
};

}  // namespace tessera::inline TESSERA_ISA
