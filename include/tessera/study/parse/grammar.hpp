// Expressions of masks: what binds how.
#pragma once
#include <tessera/mask/algebra.hpp>
#include <tessera/mask/any.hpp>
#include <tessera/mask/catalog/per_head.hpp>
#include <tessera/study/parse/reader.hpp>
#include <utility>

namespace tessera::inline TESSERA_ISA::parsing {

/// Reads one expression for so many queries and keys.
class MaskReader : public Reader {
  public:
    MaskReader(std::string_view text, Index queries, Index keys) : Reader(text), queries_(queries), keys_(keys) {}

    AnyMask whole() {
        AnyMask mask = any_of();
        if (!at_end()) wrong("&, | or the end");
        return mask;
    }

    AnyMask any_of() {
        AnyMask mask = all_of();
        while (take("|")) mask = mask | all_of();
        return mask;
    }
    AnyMask all_of() {
        AnyMask mask = one();
        while (take("&")) mask = mask & one();
        return mask;
    }
    AnyMask one() {
        if (++depth_ > 100) wrong("at most 100 brackets and ~ within each other");
        AnyMask mask = take("~") ? AnyMask(~one()) : take("(") ? bracketed() : named();
        --depth_;
        return mask;
    }
    /// What comes behind an opening bracket.
    AnyMask bracketed() {
        AnyMask mask = any_of();
        if (!take(")")) wrong(")");
        return mask;
    }
    void expect(std::string_view word) {
        if (!take(word)) wrong(std::string(word));
    }

    /// Where the diagonal begins.
    std::optional<Index> alignment() {
        if (take("top_left")) return 0;
        if (take("bottom_right")) return keys_ - queries_;
        if (take("after")) return integer(-largest);
        return std::nullopt;
    }
    Index queries() const { return queries_; }
    Index keys() const { return keys_; }
    /// What `read` returns, reading for other lengths.
    template <class Read>
    AnyMask resized(Index queries, Index keys, const Read& read) {
        const std::pair outside{std::exchange(queries_, queries), std::exchange(keys_, keys)};
        AnyMask mask = read();
        queries_ = outside.first, keys_ = outside.second;
        return mask;
    }

  private:
    AnyMask named();  // mask/parse/words.hpp

    Index queries_, keys_;
    int depth_ = 0;
};

}  // namespace tessera::inline TESSERA_ISA::parsing
