// WordPiece: BERT's. A word is cut, from the left, into the longest pieces that the vocabulary has.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <tessera/core/error.hpp>
#include <tessera/core/printable.hpp>
#include <tessera/text/bert_text.hpp>
#include <tessera/text/clean_up.hpp>
#include <tessera/text/tokenizer.hpp>
#include <tessera/text/vocabulary.hpp>
#include <utility>
#include <vector>

namespace tessera::inline TESSERA_ISA {

struct WordPieceOptions {
    BertText text{};
    std::string unknown = "[UNK]";  // for a word that cannot be cut
    std::string prefix = "##";      // of pieces that continue a word
    std::size_t longest = 100;      // characters; longer words are unknown
    bool clean_up = true;           // of decoded pieces
};

/// The model of a PieceTokenizer.
class WordPiece {
  public:
    /// errors  tokenizer_format, headed by `where`, if the vocabulary has no token for unknown words
    WordPiece(Vocabulary vocabulary, WordPieceOptions options, std::string_view where)
        : vocabulary_(std::move(vocabulary)), options_(std::move(options)) {
        const auto unknown = vocabulary_.find(options_.unknown);
        if (!unknown)
            throw Error(Errc::tokenizer_format, where, ": expected the token ", in_quotes(options_.unknown),
                        " for unknown words, found none");
        unknown_ = *unknown;
    }

    const Vocabulary& vocabulary() const { return vocabulary_; }
    std::string normalize(std::string_view text) const { return options_.text.normalize(text); }

    void encode(std::string_view text, bool, std::vector<Token>& ids) const {
        BertText::for_each_word(text, [&](std::string_view word) { encode_word(word, ids); });
    }

    void spell(std::string_view piece, bool first, std::string& bytes) const {
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

    Vocabulary vocabulary_;
    WordPieceOptions options_;
    Token unknown_ = 0;
};

}  // namespace tessera::inline TESSERA_ISA
