// WordPiece: BERT's. Text loses controls, accents and case as the options say and falls into words; a word is cut, from the
// left, into the longest pieces that the vocabulary has.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <tessera/text/piece_tokenizer.hpp>
#include <tessera/text/unicode.hpp>
#include <utility>
#include <vector>

namespace tessera::inline TESSERA_ISA {

/// What is done to text before it is cut. Characters that are newer than Unicode 8 (2015) differ from the tokenizers
/// library: its tables for BERT do not know them, those of utf8proc do.
/// source  tokenizers, BertNormalizer and BertPreTokenizer
struct BertText {
    bool clean = true;          // controls out, all white space becomes ' '
    bool split_cjk = true;      // a space on either side of every ideograph
    bool strip_accents = true;  // and so also Hangul into its letters
    bool lower = true;

    std::string normalize(std::string_view text) const {
        std::string out;
        for (std::size_t at = 0; at < text.size();) {
            const char32_t c = next_character(text, at);
            if (clean && is_removed(c)) continue;
            if (clean && is_white_space(c)) {
                out.push_back(' ');
            } else if (split_cjk && is_ideograph(c)) {
                out.push_back(' ');
                append_utf8(out, c);
                out.push_back(' ');
            } else {
                append_utf8(out, c);
            }
        }
        if (strip_accents) {
            const auto characters = decompose(out);
            out.clear();
            for (const char32_t c : characters)
                if (!is_nonspacing_mark(c)) append_utf8(out, c);
        }
        if (lower) {
            std::string lowered;
            for (std::size_t at = 0; at < out.size();) append_lower(lowered, next_character(out, at));
            out = std::move(lowered);
        }
        return out;
    }

    /// Calls `f(word)` for what stands between white space; a punctuation mark is a word.
    template <class F>
    static void for_each_word(std::string_view text, F&& f) {
        std::size_t begin = 0;
        const auto end_word = [&](std::size_t end) {
            if (begin < end) f(text.substr(begin, end - begin));
        };
        for (std::size_t at = 0; at < text.size();) {
            const std::size_t here = at;
            const char32_t c = next_character(text, at);
            const bool white = is_white_space(c);
            if (!white && !is_mark(c)) continue;
            end_word(here);
            begin = white ? at : here;
            end_word(at);
            begin = at;
        }
        end_word(text.size());
    }

  private:
    static bool is_removed(char32_t c) {
        return c == 0 || c == 0xFFFD || (c != '\t' && c != '\n' && c != '\r' && is_control(c));
    }
    // The last range but two begins at 2B920, not at 2B820 where the block does; so do the tokenizers of the
    // checkpoints.
    static constexpr bool is_ideograph(char32_t c) {
        return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) || (c >= 0x20000 && c <= 0x2A6DF) ||
               (c >= 0x2A700 && c <= 0x2B73F) || (c >= 0x2B740 && c <= 0x2B81F) || (c >= 0x2B920 && c <= 0x2CEAF) ||
               (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x2F800 && c <= 0x2FA1F);
    }
    // ASCII has symbols ($ + < = > ^ ` | ~) that BERT takes for punctuation and Unicode does not.
    static bool is_mark(char32_t c) {
        const bool ascii =
            (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') || (c >= '{' && c <= '~');
        return ascii || (c >= 0x80 && is_punctuation(c));
    }
};

struct WordPieceOptions {
    BertText text{};
    std::string unknown = "[UNK]";  // for a word that cannot be cut
    std::string prefix = "##";      // of pieces that continue a word
    std::size_t longest = 100;      // characters; longer words are unknown
    bool clean_up = true;           // of decoded pieces
};

class WordPiece final : public PieceModel {
  public:
    /// errors  tokenizer_format, headed by `where`, if the vocabulary has no token for unknown words
    WordPiece(Vocabulary vocabulary, WordPieceOptions options, std::string_view where)
        : PieceModel(std::move(vocabulary)), options_(std::move(options)) {
        const auto unknown = vocabulary_.find(options_.unknown);
        if (!unknown)
            throw Error(Errc::tokenizer_format, where, ": expected the token ", in_quotes(options_.unknown),
                        " for unknown words, found none");
        unknown_ = *unknown;
    }

    std::string normalize(std::string_view text) const override { return options_.text.normalize(text); }

    void encode(std::string_view text, bool, std::vector<Token>& ids) const override {
        BertText::for_each_word(text, [&](std::string_view word) { encode_word(word, ids); });
    }

    void detokenize(std::string_view piece, bool first, std::string& bytes) const override {
        std::string text;
        if (first)
            text = piece;
        else if (piece.starts_with(options_.prefix))
            text = piece.substr(options_.prefix.size());
        else
            (text = ' ') += piece;
        if (options_.clean_up) {
            clean_up_spaces(text);
            replace_all(text, " do not", " don't");
        }
        bytes += text;
    }

  private:
    void encode_word(std::string_view word, std::vector<Token>& ids) const {
        std::vector<std::size_t> ends;  // where its characters end
        for (std::size_t at = 0; at < word.size() && ends.size() <= options_.longest;) {
            next_character(word, at);
            ends.push_back(at);
        }
        if (ends.size() > options_.longest) return ids.push_back(unknown_);
        const std::size_t before = ids.size();
        std::string piece;
        for (std::size_t begin = 0, first = 0; begin < word.size();) {
            std::size_t end = ends.size();  // characters, one more than the last of the piece
            for (; end > first; --end) {
                piece = begin > 0 ? options_.prefix : "";
                piece += word.substr(begin, ends[end - 1] - begin);
                if (const auto token = vocabulary_.find(piece)) {
                    ids.push_back(*token);
                    break;
                }
            }
            if (end == first) {  // one piece that is not there makes the whole word unknown
                ids.resize(before);
                return ids.push_back(unknown_);
            }
            first = end;
            begin = ends[end - 1];
        }
    }

    WordPieceOptions options_;
    Token unknown_ = 0;
};

}  // namespace tessera::inline TESSERA_ISA
