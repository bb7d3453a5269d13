// Byte-level byte-pair encoding: GPT-2's and OPT's. A word starts as bytes; neighbours are merged by a list of pairs.
#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <tessera/core/error.hpp>
#include <tessera/core/printable.hpp>
#include <tessera/text/byte_level.hpp>
#include <tessera/text/tokenizer.hpp>
#include <tessera/text/vocabulary.hpp>
#include <unordered_map>
#include <utility>
#include <vector>

namespace tessera::inline TESSERA_ISA {

struct BpeOptions {
    bool add_prefix_space = false;   // in front of a text that does not begin with one
    bool split_words = true;         // by GPT-2's pattern; merges do not cross words
    bool whole_words_first = false;  // a word that is in the vocabulary is not merged from bytes
};

/// The model of a PieceTokenizer.
class Bpe {
  public:
    /// errors  tokenizer_format, headed by `where`, if one of the 256 bytes has no token
    Bpe(Vocabulary vocabulary, BpeOptions options, std::string_view where)
        : vocabulary_(std::move(vocabulary)), options_(options) {
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
    /// errors  tokenizer_format, headed by `where()`, if one of the three is not in the vocabulary
    void add_merge(std::string_view left, std::string_view right, auto&& where) {
        const auto known = [&](std::string_view piece) {
            const auto token = vocabulary_.find(piece);
            if (!token)
                throw Error(Errc::tokenizer_format, where(), ": the merge of ", in_quotes(left), " and ",
                            in_quotes(right), " needs ", in_quotes(piece), ", which is not in the vocabulary");
            return *token;
        };
        const Token a = known(left), b = known(right);
        const Rule rule{next_rank_++, known(std::string(left) += right)};
        rules_.insert_or_assign(key(a, b), rule);
    }

    const Vocabulary& vocabulary() const { return vocabulary_; }
    std::string normalize(std::string_view text) const { return std::string(text); }

    /// cost    O(n log n) for a word of n bytes
    void encode(std::string_view text, bool, std::vector<Token>& ids) const {
        std::string spaced;
        if (options_.add_prefix_space && !text.starts_with(' ')) text = (spaced = ' ') += text;
        Workspace work;
        if (options_.split_words)
            for_each_gpt2_word(text, [&](std::string_view word) { encode_word(word, work, ids); });
        else
            encode_word(text, work, ids);
    }

    void spell(std::string_view piece, bool, std::string& bytes) const { append_bytes(bytes, piece); }

  private:
    struct Rule {
        std::uint32_t rank;  // the lowest is applied first
        Token merged;
    };
    struct Symbol {
        Token token;
        std::int32_t before, next;  // -1 at the ends; a symbol that was merged into its left neighbour has token -1
    };
    struct Candidate {
        std::uint32_t rank;
        std::int32_t left;
        Token merged;
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

    static std::uint64_t key(Token left, Token right) {
        return static_cast<std::uint64_t>(left) << 32 | static_cast<std::uint32_t>(right);
    }
    const Rule* rule(Token left, Token right) const {
        const auto entry = rules_.find(key(left, right));
        return entry == rules_.end() ? nullptr : &entry->second;
    }

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
            const Rule* found = rule(symbol(left).token, symbol(symbol(left).next).token);
            if (found == nullptr) return;
            heap.push_back({found->rank, left, found->merged});
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
            const Rule* still = rule(left.token, right.token);
            if (still == nullptr || still->merged != best.merged) continue;  // one of the two has grown since
            left.token = best.merged;
            left.next = right.next;
            right.token = -1;
            if (left.next >= 0) symbol(left.next).before = best.left;
            consider(left.before);
            consider(best.left);
        }
        for (std::int32_t i = 0; i >= 0 && i < count; i = symbol(i).next) ids.push_back(symbol(i).token);
    }

    Vocabulary vocabulary_;
    BpeOptions options_;
    std::array<Token, 256> bytes_{};
    std::uint32_t next_rank_ = 0;
    std::unordered_map<std::uint64_t, Rule> rules_;
};

}  // namespace tessera::inline TESSERA_ISA
