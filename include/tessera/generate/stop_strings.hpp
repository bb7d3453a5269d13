// Text that ends a text.
#pragma once
#include <algorithm>
#include <span>
#include <string>
#include <tessera/text/tokenizer.hpp>
#include <vector>

namespace tessera::inline TESSERA_ISA {

/// Whether the last of `ids` completes one of `stops`, which may have begun anywhere before, in the prompt too, and may end
/// within the token. Special tokens count as they are spelled.
/// source  transformers StopStringCriteria
inline bool completes_stop(const Tokenizer& tokenizer, std::span<const Token> ids, std::span<const std::string> stops) {
    if (stops.empty() || ids.empty()) return false;
    const auto bytes_of = [&](Token id, std::string& out) {
        if (!tokenizer.has(id)) return;
        if (tokenizer.is_special(id))
            out += tokenizer.piece(id);
        else
            tokenizer.detokenize(id, false, out);
    };
    std::string last;
    bytes_of(ids.back(), last);
    std::size_t longest = 0;
    for (const std::string& stop : stops) longest = std::max(longest, stop.size());
    std::string before, piece;
    for (std::size_t i = ids.size() - 1; i > 0 && before.size() + 1 < longest; --i) {
        piece.clear();
        bytes_of(ids[i - 1], piece);
        before.insert(0, piece);
    }
    const std::string text = before + last;
    return std::any_of(stops.begin(), stops.end(), [&](const std::string& stop) {
        const std::size_t from = before.size() + 1 > stop.size() ? before.size() + 1 - stop.size() : 0;
        return text.find(stop, from) != text.npos;
    });
}

/// `text` up to the first of `stops` in it.
inline void cut_at_stop(std::string& text, std::span<const std::string> stops) {
    std::size_t first = text.size();
    for (const std::string& stop : stops) first = std::min(first, text.find(stop));
    text.resize(first);
}

/// The text of tokens as they come; what may be the beginning of a stop string is held back until that is known.
class TextStream {
  public:
    /// `tokenizer` and `stops` must outlive it.
    TextStream(const Tokenizer& tokenizer, std::span<const std::string> stops)
        : decode_(tokenizer, SkipSpecials::yes, OutOfVocabulary::skip), stops_(stops) {}

    /// What `token` makes certain.
    std::string push(Token token) {
        held_ += decode_.push(token);
        std::size_t keep = 0;
        for (const std::string& stop : stops_) {
            if (const auto at = held_.find(stop); at != held_.npos) keep = std::max(keep, held_.size() - at);
            for (std::size_t n = std::min(stop.size() - 1, held_.size()); n > keep; --n)
                if (held_.ends_with(std::string_view(stop).substr(0, n))) keep = n;
        }
        std::string out = held_.substr(0, held_.size() - keep);
        held_.erase(0, out.size());
        return out;
    }
    /// The rest, when no more tokens come.
    std::string flush(bool stopped) {
        held_ += decode_.flush();
        if (stopped) cut_at_stop(held_, stops_);
        return std::exchange(held_, {});
    }

  private:
    DecodeStream decode_;
    std::span<const std::string> stops_;
    std::string held_;
};

}  // namespace tessera::inline TESSERA_ISA
