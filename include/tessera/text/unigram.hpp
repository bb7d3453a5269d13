// Unigram: SentencePiece's, and T5's. Of all ways to cut a word into pieces, the one whose scores add up to the most.
#pragma once
#include <algorithm>
#include <cstddef>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <tessera/core/error.hpp>
#include <tessera/text/charsmap.hpp>
#include <tessera/text/clean_up.hpp>
#include <tessera/text/tokenizer.hpp>
#include <tessera/text/vocabulary.hpp>
#include <utility>
#include <variant>
#include <vector>

namespace tessera::inline TESSERA_ISA {

/// Takes white space off the ends.
struct StripEnds {
    bool left = true, right = true;
};
/// Replaces `from` by `to`; with `runs`, two or more of it, one behind the other.
struct ReplaceText {
    std::string from, to;
    bool runs = false;
};
using UnigramNormalizer = std::variant<Charsmap, StripEnds, ReplaceText>;

struct UnigramOptions {
    enum class Prepend { always, first, never };
    std::vector<UnigramNormalizer> normalizers{};  // one behind the other
    bool split_white_space = true;                 // and leave it out
    std::string mark = "▁";                        // what spaces become; not empty
    Prepend prepend = Prepend::always;  // a mark before every word (or the first one of the text) that has none
    bool split_marks = true;            // a mark begins a word
    bool decode_prepended = true;       // decoding drops the marks of the first piece
};

/// The model of a PieceTokenizer.
class Unigram {
  public:
    struct Piece {
        std::string text;
        double score;  // log probability
    };

    /// The id of a piece is its place in `pieces`; `unknown` is the id for characters that no piece has.
    /// errors  tokenizer_format, headed by `where`: no pieces, one that is there twice
    Unigram(const std::vector<Piece>& pieces, Token unknown, UnigramOptions options, std::string_view where)
        : unknown_(unknown), options_(std::move(options)), where_(where) {
        if (pieces.empty()) throw Error(Errc::tokenizer_format, where, ": the vocabulary is empty");
        TESSERA_EXPECTS(unknown >= 0 && static_cast<std::size_t>(unknown) < pieces.size());
        double lowest = std::numeric_limits<double>::infinity();
        for (const Piece& piece : pieces) {
            vocabulary_.add(piece.text, vocabulary_.size(), where);
            lowest = std::min(lowest, piece.score);
        }
        constexpr double penalty = 10;
        unknown_score_ = lowest - penalty;
        for (Token id = 0; id < vocabulary_.size(); ++id)
            if (!vocabulary_.piece(id)->empty())
                sorted_.push_back({*vocabulary_.piece(id), id, pieces[static_cast<std::size_t>(id)].score});
        std::sort(sorted_.begin(), sorted_.end(), [](const Entry& a, const Entry& b) { return a.text < b.text; });
    }

    const Vocabulary& vocabulary() const { return vocabulary_; }

    /// errors  tokenizer_format where the normalizers make more than 64 bytes of each: steps that replace what others put
    ///         in would soon take all memory there is
    std::string normalize(std::string_view text) const {
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

    /// cost    O(n · L log V) for n bytes, pieces of L bytes and V pieces
    void encode(std::string_view text, bool first, std::vector<Token>& ids) const {
        if (!options_.split_white_space) return encode_section(text, first, ids);
        std::size_t begin = 0;
        const auto end_section = [&](std::size_t end) {
            if (begin < end) encode_section(text.substr(begin, end - begin), first && begin == 0, ids);
        };
        for (std::size_t at = 0; at < text.size();) {
            const std::size_t here = at;
            if (!is_white_space(next_character(text, at))) continue;
            end_section(here);
            begin = at;
        }
        end_section(text.size());
    }

    void spell(std::string_view piece, bool first, std::string& bytes) const {
        std::string text(piece);
        replace_all(text, options_.mark, first && options_.decode_prepended ? "" : " ");
        bytes += text;
    }

  private:
    struct Entry {
        std::string_view text;
        Token id;
        double score;
    };

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
    void encode_section(std::string_view section, bool first, std::vector<Token>& ids) const {
        std::string text(section);
        replace_all(text, " ", options_.mark);
        const bool prepend = options_.prepend == UnigramOptions::Prepend::always ||
                             (options_.prepend == UnigramOptions::Prepend::first && first);
        if (prepend && !text.starts_with(options_.mark)) text.insert(0, options_.mark);
        if (!options_.split_marks) return encode_word(text, ids);
        for (std::size_t begin = 0; begin < text.size();) {
            const std::size_t end = std::min(text.find(options_.mark, begin + 1), text.size());
            encode_word(std::string_view(text).substr(begin, end - begin), ids);
            begin = end;
        }
    }

    // The best way to each place, from left to right; then back along it. Of equally good ways the first one found
    // stays.
    void encode_word(std::string_view word, std::vector<Token>& ids) const {
        struct Way {
            double score = 0;
            std::size_t from = std::string_view::npos;
            Token last = 0;
        };
        std::vector<Way> ways(word.size() + 1);
        for (std::size_t begin = 0; begin < word.size();) {
            std::size_t next = begin;
            next_character(word, next);
            const double score = ways[begin].score;
            const auto offer = [&](std::size_t end, double more, Token token) {
                Way& way = ways[end];
                if (way.from == std::string_view::npos || score + more > way.score) way = {score + more, begin, token};
            };
            bool character_known = false;
            for_each_piece(word.substr(begin), [&](const Entry& entry) {
                offer(begin + entry.text.size(), entry.score, entry.id);
                character_known |= entry.text.size() == next - begin;
            });
            if (!character_known) offer(next, unknown_score_, unknown_);
            begin = next;
        }
        const std::size_t before = ids.size();
        bool last_unknown = false;
        for (std::size_t end = word.size(); end > 0; end = ways[end].from) {
            const bool unknown = ways[end].last == unknown_;  // several in a row are one
            if (!unknown || !last_unknown) ids.push_back(ways[end].last);
            last_unknown = unknown;
        }
        std::reverse(ids.begin() + static_cast<std::ptrdiff_t>(before), ids.end());
    }

    // Calls `f` for the pieces that `text` begins with, the shortest first.
    template <class F>
    void for_each_piece(std::string_view text, F&& f) const {
        auto begin = sorted_.begin(), end = sorted_.end();
        for (std::size_t length = 0; length < text.size(); ++length) {  // all from `begin` on begin with `length` of it
            const auto byte = static_cast<unsigned char>(text[length]);
            const auto at = [&](const Entry& entry) { return static_cast<unsigned char>(entry.text[length]); };
            begin = std::partition_point(begin, end,
                                         [&](const Entry& e) { return e.text.size() <= length || at(e) < byte; });
            end = std::partition_point(begin, end, [&](const Entry& e) { return at(e) == byte; });
            if (begin == end) return;
            if (begin->text.size() == length + 1) f(*begin);
        }
    }

    Vocabulary vocabulary_;
    Token unknown_;
    double unknown_score_ = 0;
    UnigramOptions options_;
    std::string where_;
    std::vector<Entry> sorted_;  // by bytes
};

}  // namespace tessera::inline TESSERA_ISA
