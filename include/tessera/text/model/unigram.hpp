// Unigram: SentencePiece's, and T5's. Of all ways to cut a word into pieces, the one whose scores add up to the most.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <tessera/text/model/charsmap.hpp>
#include <tessera/text/model/piece_trie.hpp>
#include <tessera/text/piece_tokenizer.hpp>
#include <tessera/text/unicode.hpp>
#include <utility>
#include <variant>
#include <vector>

namespace tessera::inline TESSERA_ISA {

/// Takes white space off the ends.
struct StripEnds {
    bool left = true, right = true;
};
/// Replaces `from` by `to`; with `runs`, two or more of it in a row.
struct ReplaceText {
    std::string from, to;
    bool runs = false;
};
using UnigramNormalizer = std::variant<Charsmap, StripEnds, ReplaceText>;

struct UnigramOptions {
    enum class Prepend { always, first, never };
    std::vector<UnigramNormalizer> normalizers{};  // one after another
    bool split_white_space = true;                 // and leave it out
    std::string mark = "▁";                        // what spaces become; not empty
    Prepend prepend = Prepend::always;  // a mark before every word (or the first one of the text) that has none
    bool split_marks = true;            // a mark begins a word
    bool decode_prepended = true;       // decoding drops the marks of the first piece
};

/// Of ways that are equally good the first one stays. Where only rounding decides, as in long runs of one character,
/// other libraries may take another way: SentencePiece adds up floats, and the tokenizers library reads the scores of a
/// tokenizer.json inexactly (T5: "-------").
class Unigram final : public PieceModel {
  public:
    struct Piece {
        std::string text;
        double score;  // log probability
    };

    /// The id of a piece is its place in `pieces`; of a piece that is there twice (UMT5 has two that are empty), encoding
    /// gives the last one. `unknown` is the id for characters that no piece has.
    /// errors  tokenizer_format, headed by `where`: no pieces
    Unigram(const std::vector<Piece>& pieces, Token unknown, UnigramOptions options, std::string_view where)
        : PieceModel(vocabulary_of(pieces)),
          trie_(trie_of(vocabulary_)),
          unknown_(unknown),
          options_(std::move(options)),
          where_(where) {
        if (pieces.empty()) throw Error(Errc::tokenizer_format, where, ": the vocabulary is empty");
        TESSERA_EXPECTS(unknown >= 0 && unknown < vocabulary_.size());
        for (const Piece& piece : pieces) scores_.push_back(piece.score);
        constexpr double penalty = 10;
        unknown_score_ = *std::min_element(scores_.begin(), scores_.end()) - penalty;
    }

    /// errors  tokenizer_format where the normalizers make more than 64 bytes of each: steps that replace what others put
    ///         in would soon take all memory there is
    std::string normalize(std::string_view text) const override {
        constexpr std::size_t most = 64;  // Unicode's own rules make 11 at most
        std::string out(text);
        for (const UnigramNormalizer& step : options_.normalizers) {
            std::visit([&](const auto& how) { out = apply(how, std::move(out)); }, step);
            if (out.size() / most > text.size() + most)
                throw Error(Errc::tokenizer_format, where_, ": the normalizers make ", out.size(),
                            " bytes of a text of ", text.size());
        }
        return out;
    }

    /// cost    O(n · L) for n bytes and pieces of L bytes
    void encode(std::string_view text, bool first, std::vector<Token>& ids) const override {
        Workspace work;
        if (!options_.split_white_space) return encode_section(text, first, work, ids);
        std::size_t begin = 0;
        const auto end_section = [&](std::size_t end) {
            if (begin < end) encode_section(text.substr(begin, end - begin), first && begin == 0, work, ids);
        };
        for (std::size_t at = 0; at < text.size();) {
            const std::size_t here = at;
            if (!is_white_space(next_character(text, at))) continue;
            end_section(here);
            begin = at;
        }
        end_section(text.size());
    }

    void detokenize(std::string_view piece, bool first, std::string& bytes) const override {
        std::string text(piece);
        replace_all(text, options_.mark, first && options_.decode_prepended ? "" : " ");
        bytes += text;
    }

  private:
    // The best way to a place in a word.
    struct Way {
        double score;
        std::uint32_t length;  // of the last piece
        Token last;
    };
    struct Workspace {
        std::string text;
        std::vector<Way> ways;
    };

    static Vocabulary vocabulary_of(const std::vector<Piece>& pieces) {
        Vocabulary out;
        for (const Piece& piece : pieces) out.set(piece.text, out.size());
        return out;
    }
    static PieceTrie trie_of(const Vocabulary& vocabulary) {
        std::vector<PieceTrie::Entry> entries;
        for (Token id = 0; id < vocabulary.size(); ++id) {
            const std::string_view piece = *vocabulary.piece(id);
            if (!piece.empty() && vocabulary.find(piece) == id) entries.push_back({piece, id});
        }
        std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.piece < b.piece; });
        return PieceTrie(entries);
    }

    static std::string apply(const Charsmap& map, std::string text) { return map.normalize(text); }
    static std::string apply(const StripEnds& strip, std::string text) {
        std::size_t begin = std::string::npos, end = 0;  // of what is not white space
        for (std::size_t at = 0; at < text.size();) {
            const std::size_t here = at;
            if (is_white_space(next_character(text, at))) continue;
            begin = std::min(begin, here);
            end = at;
        }
        if (begin == std::string::npos) begin = end = strip.left ? text.size() : 0;
        if (!strip.left) begin = 0;
        if (!strip.right) end = text.size();
        return text.substr(begin, end - begin);
    }
    static std::string apply(const ReplaceText& replace, std::string text) {
        if (!replace.runs) {
            replace_all(text, replace.from, replace.to);
            return text;
        }
        std::string out;
        for (std::size_t at = 0; at < text.size();) {
            std::size_t end = at;
            while (std::string_view(text).substr(end).starts_with(replace.from)) end += replace.from.size();
            if (end - at >= 2 * replace.from.size()) {
                out += replace.to;
                at = end;
            } else {
                out.push_back(text[at++]);
            }
        }
        return out;
    }

    // Marks the words of a text without white space to leave out.
    void encode_section(std::string_view section, bool first, Workspace& work, std::vector<Token>& ids) const {
        std::string& text = work.text;
        text = section;
        replace_all(text, " ", options_.mark);
        const bool prepend = options_.prepend == UnigramOptions::Prepend::always ||
                             (options_.prepend == UnigramOptions::Prepend::first && first);
        if (prepend && !text.starts_with(options_.mark)) text.insert(0, options_.mark);
        if (!options_.split_marks) return encode_word(text, work.ways, ids);
        for (std::size_t begin = 0; begin < text.size();) {
            const std::size_t end = std::min(text.find(options_.mark, begin + 1), text.size());
            encode_word(std::string_view(text).substr(begin, end - begin), work.ways, ids);
            begin = end;
        }
    }

    // The best way to each place, from left to right; then back along it. Of equally good ways the first one found
    // stays.
    void encode_word(std::string_view word, std::vector<Way>& ways, std::vector<Token>& ids) const {
        ways.assign(word.size() + 1, {-std::numeric_limits<double>::infinity(), 1, unknown_});
        ways[0].score = 0;
        for (std::size_t begin = 0; begin < word.size();) {
            std::size_t next = begin;
            next_character(word, next);
            const double score = ways[begin].score;
            const auto offer = [&](std::size_t length, double more, Token token) {
                Way& way = ways[begin + length];
                if (score + more > way.score) way = {score + more, static_cast<std::uint32_t>(length), token};
            };
            bool character_known = false;
            trie_.for_each_prefix(word.substr(begin), [&](std::size_t length, Token id) {
                offer(length, scores_[static_cast<std::size_t>(id)], id);
                character_known |= length == next - begin;
            });
            if (!character_known) offer(next - begin, unknown_score_, unknown_);
            begin = next;
        }
        const std::size_t before = ids.size();
        bool last_unknown = false;
        for (std::size_t end = word.size(); end > 0; end -= ways[end].length) {
            const bool unknown = ways[end].last == unknown_;  // several in a row are one
            if (!unknown || !last_unknown) ids.push_back(ways[end].last);
            last_unknown = unknown;
        }
        std::reverse(ids.begin() + static_cast<std::ptrdiff_t>(before), ids.end());
    }

    PieceTrie trie_;
    std::vector<double> scores_;
    Token unknown_;
    double unknown_score_ = 0;
    UnigramOptions options_;
    std::string where_;
};

}  // namespace tessera::inline TESSERA_ISA
