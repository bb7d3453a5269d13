// Byte-level byte-pair encoding: GPT-2's and OPT's. Every byte has a printable character, so that any text can be spelled.
// Text falls into words with the space before them; a word starts as bytes, and neighbours are merged by a list of pairs.
#pragma once
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tessera/text/piece_tokenizer.hpp>
#include <tessera/text/unicode.hpp>
#include <utility>
#include <vector>

namespace tessera::inline TESSERA_ISA {

/// Whether `byte` stands for itself, as Latin-1; the others are U+0100, U+0101, … in order.
constexpr bool stands_for_itself(unsigned char byte) {
    return (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte != 0xAD);
}

/// The character that stands for each byte: ' ' is Ġ (U+0120), '\n' is Ċ (U+010A).
constexpr std::array<char32_t, 256> byte_characters() {
    std::array<char32_t, 256> characters{};
    char32_t next = 0x100;
    for (unsigned byte = 0; byte < 256; ++byte)
        characters[byte] = stands_for_itself(static_cast<unsigned char>(byte)) ? byte : next++;
    return characters;
}

/// The byte that `character` stands for.
constexpr std::optional<unsigned char> character_byte(char32_t character) {
    constexpr auto bytes = [] {
        std::array<unsigned char, 0x144> inverse{};
        constexpr auto characters = byte_characters();
        for (unsigned byte = 0; byte < 256; ++byte) inverse[characters[byte]] = static_cast<unsigned char>(byte);
        return inverse;
    }();
    if (character >= bytes.size()) return {};
    if (character < 0x100 && !stands_for_itself(static_cast<unsigned char>(character))) return {};
    return bytes[character];
}

/// Appends the bytes that `piece` stands for; a piece with any other character stands for itself.
inline void append_bytes(std::string& out, std::string_view piece) {
    const std::size_t size = out.size();
    for (std::size_t at = 0; at < piece.size();) {
        const auto byte = character_byte(next_character(piece, at));
        if (!byte) {
            out.resize(size);
            out += piece;
            return;
        }
        out.push_back(static_cast<char>(*byte));
    }
}

/// Calls `f(word)` for the words of `text` (UTF-8), which together are all of it.
/// source  GPT-2's pattern 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
template <class F>
void for_each_gpt2_word(std::string_view text, F&& f) {
    enum class Kind { space, letter, number, other };
    const auto kind = [](char32_t c) {
        if (c < 0x80) {
            if ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') return Kind::letter;
            if (c >= '0' && c <= '9') return Kind::number;
            return is_white_space(c) ? Kind::space : Kind::other;
        }
        return is_white_space(c) ? Kind::space
               : is_letter(c)    ? Kind::letter
               : is_number(c)    ? Kind::number
                                 : Kind::other;
    };
    // The end of the run of characters of one kind from `at` on; `last` becomes where its last character begins.
    const auto run = [&](Kind wanted, std::size_t at, std::size_t& last) {
        for (std::size_t next = at; next < text.size(); at = next) {
            if (kind(next_character(text, next)) != wanted) break;
            last = at;
        }
        return at;
    };
    const auto suffix = [](std::string_view rest) -> std::size_t {  // 's and so on
        for (const std::string_view ending : {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"})
            if (rest.starts_with(ending)) return ending.size();
        return 0;
    };
    for (std::size_t begin = 0, end = 0; begin < text.size(); begin = end) {
        std::size_t last = begin;
        if (text[begin] == '\'' && suffix(text.substr(begin)) > 0) {
            end = begin + suffix(text.substr(begin));
        } else {
            std::size_t next = begin + (text[begin] == ' ' ? 1 : 0);  // a word may take one space along
            const std::size_t word = next;
            const Kind what = next < text.size() ? kind(next_character(text, next)) : Kind::space;
            if (what != Kind::space) {
                end = run(what, word, last);
            } else {  // the last of several spaces is left for the word after them, if there is one
                end = run(Kind::space, begin, last);
                if (end < text.size() && last > begin) end = last;
            }
        }
        f(text.substr(begin, end - begin));
    }
}

struct BpeOptions {
    bool add_prefix_space = false;   // before a text that does not begin with one
    bool split_words = true;         // by GPT-2's pattern; merges do not cross words
    bool whole_words_first = false;  // a word that is in the vocabulary is not merged from bytes
};

class Bpe final : public PieceModel {
  public:
    /// errors  tokenizer_format, headed by `where`, if one of the 256 bytes has no token
    Bpe(Vocabulary vocabulary, BpeOptions options, std::string_view where)
        : PieceModel(std::move(vocabulary)), options_(options) {
        constexpr auto characters = byte_characters();
        for (std::size_t byte = 0; byte < 256; ++byte) {
            std::string spelling;
            append_utf8(spelling, characters[byte]);
            const auto token = vocabulary_.find(spelling);
            if (!token)
                throw Error(Errc::tokenizer_format, where, ": the byte ", byte, " has no token; expected ",
                            in_quotes(spelling), ", as in every byte-level vocabulary");
            bytes_[byte] = *token;
        }
    }

    /// Adds the next rule: `left` and `right` side by side become one. Rules are applied in the order they are added.
    /// Returns what is wrong with the rule, or nothing.
    [[nodiscard]] std::string add_merge(std::string_view left, std::string_view right) {
        const std::string both = std::string(left) += right;
        Token ids[3];
        for (int i = 0; const std::string_view piece : {left, right, std::string_view(both)}) {
            const auto id = vocabulary_.find(piece);
            if (!id)
                return "the merge of " + in_quotes(left) + " and " + in_quotes(right) + " needs " + in_quotes(piece) +
                       ", which is not in the vocabulary";
            ids[i++] = *id;
        }
        const auto rank = static_cast<std::int32_t>(rules_.size());
        rules_.push_back({ids[0], ids[1], ids[2]});
        index_.set(
            hash(ids[0], ids[1]), [&](std::int32_t other) { return is_rule(other, ids[0], ids[1]); }, rank);
        return {};
    }
    /// The same for "Ġ a", as lists of merges spell it.
    [[nodiscard]] std::string add_merge(std::string_view line) {
        const std::size_t space = line.find(' ');
        if (space == 0 || space >= line.size() - 1 || line.find(' ', space + 1) != line.npos)
            return "expected a merge of two parts, found " + in_quotes(line);
        return add_merge(line.substr(0, space), line.substr(space + 1));
    }

    /// cost    O(n log n) for a word of n bytes
    void encode(std::string_view text, bool, std::vector<Token>& ids) const override {
        std::string spaced;
        if (options_.add_prefix_space && !text.starts_with(' ')) text = (spaced = ' ') += text;
        Workspace work;
        if (options_.split_words)
            for_each_gpt2_word(text, [&](std::string_view word) { encode_word(word, work, ids); });
        else
            encode_word(text, work, ids);
    }

    void detokenize(std::string_view piece, bool, std::string& bytes) const override { append_bytes(bytes, piece); }

  private:
    struct Rule {
        Token left, right, merged;
    };
    struct Symbol {
        Token token;
        std::int32_t before, next;  // -1 at the ends; a symbol that was merged into its left neighbour has token -1
    };
    struct Candidate {
        std::int32_t rank, left;
        // As a heap takes it: the lowest rank on top, and of several the leftmost.
        friend bool operator<(const Candidate& a, const Candidate& b) {
            return a.rank != b.rank ? a.rank > b.rank : a.left > b.left;
        }
    };
    struct Workspace {
        std::vector<Symbol> symbols;
        std::vector<Candidate> heap;
        std::string spelling;
    };

    static std::uint64_t hash(Token left, Token right) {
        return static_cast<std::uint64_t>(left) << 32 | static_cast<std::uint32_t>(right);
    }
    bool is_rule(std::int32_t rank, Token left, Token right) const {
        const Rule& rule = rules_[static_cast<std::size_t>(rank)];
        return rule.left == left && rule.right == right;
    }
    // The rank of the rule for two neighbours, or none.
    std::int32_t find_rule(Token left, Token right) const {
        return index_.find(hash(left, right), [&](std::int32_t rank) { return is_rule(rank, left, right); });
    }
    Token merged(std::int32_t rank) const { return rules_[static_cast<std::size_t>(rank)].merged; }

    void encode_word(std::string_view word, Workspace& work, std::vector<Token>& ids) const {
        if (options_.whole_words_first) {
            constexpr auto characters = byte_characters();
            work.spelling.clear();
            for (const char c : word) append_utf8(work.spelling, characters[static_cast<unsigned char>(c)]);
            if (const auto token = vocabulary_.find(work.spelling)) return ids.push_back(*token);
        }
        auto& symbols = work.symbols;
        auto& heap = work.heap;
        const auto symbol = [&](std::int32_t i) -> Symbol& { return symbols[static_cast<std::size_t>(i)]; };
        const auto consider = [&](std::int32_t left) {
            if (left < 0 || symbol(left).next < 0) return;
            const std::int32_t rank = find_rule(symbol(left).token, symbol(symbol(left).next).token);
            if (rank == HashIndex::none) return;
            heap.push_back({rank, left});
            std::push_heap(heap.begin(), heap.end());
        };

        const auto count = static_cast<std::int32_t>(word.size());
        symbols.clear();
        for (std::int32_t i = 0; i < count; ++i) {
            const auto byte = static_cast<unsigned char>(word[static_cast<std::size_t>(i)]);
            symbols.push_back({bytes_[byte], i - 1, i + 1 < count ? i + 1 : -1});
        }
        for (std::int32_t i = 0; i + 1 < count; ++i) consider(i);
        while (!heap.empty()) {
            const Candidate best = heap.front();
            std::pop_heap(heap.begin(), heap.end());
            heap.pop_back();
            Symbol& left = symbol(best.left);
            if (left.token < 0 || left.next < 0) continue;  // merged away since, or nothing to its right any more
            Symbol& right = symbol(left.next);
            const std::int32_t now = find_rule(left.token, right.token);  // another one if one of the two has grown
            if (now == HashIndex::none || merged(now) != merged(best.rank)) continue;
            left.token = merged(now);
            left.next = right.next;
            right.token = -1;
            if (left.next >= 0) symbol(left.next).before = best.left;
            consider(left.before);
            consider(best.left);
        }
        for (std::int32_t i = 0; i >= 0 && i < count; i = symbol(i).next) ids.push_back(symbol(i).token);
    }

    BpeOptions options_;
    std::array<Token, 256> bytes_{};
    std::vector<Rule> rules_;  // the first is applied first
    HashIndex index_;
};

}  // namespace tessera::inline TESSERA_ISA
