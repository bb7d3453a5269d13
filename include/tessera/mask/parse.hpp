// Masks from text: a small language over the catalogue, for command lines.
#pragma once
#include <charconv>
#include <string>
#include <string_view>
#include <tessera/mask/any.hpp>
#include <tessera/mask/catalog.hpp>
#include <vector>

namespace tessera {

namespace parsing {

/// Reads one expression for so many queries and keys.
class MaskReader {
  public:
    MaskReader(std::string_view text, Index queries, Index keys) : text_(text), queries_(queries), keys_(keys) {}

    AnyMask whole() {
        AnyMask mask = any_of();
        if (!rest().empty()) wrong("&, | or the end");
        return mask;
    }

  private:
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
    AnyMask bracketed() {
        AnyMask mask = any_of();
        if (!take(")")) wrong(")");
        return mask;
    }

    AnyMask named() {
        const std::string_view name = word();
        if (name == "full" || name == "bidirectional") return Full{};
        if (name == "causal") return Causal{alignment()};
        if (name == "prefix" || name == "keys") return KeysBelow{integer()};
        if (name == "queries") return QueriesBelow{integer()};
        if (name == "heads") return HeadsBelow{integer()};
        if (name == "segments" || name == "uni_modal") return SameSegment{integer()};
        if (name == "multimodal_causal") {
            const Index prefix = integer();
            return KeysBelow{prefix} | Causal{alignment()};
        }
        if (name == "window") {
            const Index left = integer(), right = integer_or(0);
            return Window{left, right, alignment()};
        }
        if (name == "dilated") {
            const Index step = integer(1), left = integer_or(unbounded), right = integer_or(0);
            return Dilated{left, right, step, alignment()};
        }
        if (name == "strided") {
            const Index step = integer(1);
            return Strided{step, integer_or(0)};
        }
        if (name == "sequences") return sequences();
        if (name == "padded") return padded();
        if (name == "tree") {
            const auto parents = list(-1);
            return {Tree{*parents}, parents};
        }
        if (name == "neighbourhood") {
            const Index height = integer(1), width = integer(1), down = integer_or(1);
            return Neighbourhood{height, width, down, integer_or(down)};
        }
        if (name == "random") {
            const double density = probability();
            const Index seed = integer_or(0), side = integer_or(1, 1);
            return Random{density, static_cast<std::uint64_t>(seed), side, side};
        }
        at_ -= name.size();
        wrong(
            "~, ( or one of full, causal, prefix, keys, queries, heads, segments, uni_modal, bidirectional, "
            "multimodal_causal, window, dilated, strided, sequences, padded, tree, neighbourhood, random");
    }

    /// Sequences of these lengths, one after another.
    AnyMask sequences() {
        const auto starts = list(0);
        starts->insert(starts->begin(), 0);
        for (std::size_t i = 1; i < starts->size(); ++i) (*starts)[i] += (*starts)[i - 1];
        return {Packed(std::span<const Index>(*starts), Full{}), starts};
    }
    /// Sequences of these lengths, each filled up to its share of the rows.
    AnyMask padded() {
        const auto lengths = list(0);
        const Index batch = static_cast<Index>(lengths->size());
        const auto share = [batch](Index rows) { return std::max<Index>(rows / batch, 1); };
        return {Padded(*lengths, share(queries_), share(keys_)), lengths};
    }
    std::optional<Index> alignment() {
        if (take("top_left")) return 0;
        if (take("bottom_right")) return keys_ - queries_;
        return std::nullopt;
    }

    static constexpr Index largest = 1000000000;

    Index integer(Index least = 0) {
        const std::string_view text = rest();
        Index value = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        if (error != std::errc{} || value < least || value > largest)
            wrong("a whole number from " + std::to_string(least) + " to " + std::to_string(largest));
        at_ += static_cast<std::size_t>(end - text.data());
        return value;
    }
    Index integer_or(Index otherwise, Index least = 0) { return number_follows() ? integer(least) : otherwise; }
    std::shared_ptr<std::vector<Index>> list(Index least) {
        auto numbers = std::make_shared<std::vector<Index>>();
        do numbers->push_back(integer(least));
        while (number_follows());
        return numbers;
    }
    double probability() {
        const std::string_view text = rest();
        double value = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        if (error != std::errc{} || !(value >= 0 && value <= 1)) wrong("a number from 0 to 1");
        at_ += static_cast<std::size_t>(end - text.data());
        return value;
    }
    bool number_follows() {
        const std::string_view text = rest();
        return !text.empty() && (text.front() == '-' || (text.front() >= '0' && text.front() <= '9'));
    }

    /// What is left to read, from the next character that is no space.
    std::string_view rest() {
        at_ = std::min(text_.find_first_not_of(" \t\n", at_), text_.size());
        return text_.substr(at_);
    }
    std::string_view word() {
        const std::string_view text = rest();
        const std::string_view found = text.substr(0, text.find_first_not_of("abcdefghijklmnopqrstuvwxyz_"));
        at_ += found.size();
        return found;
    }
    bool take(std::string_view what) {
        if (!rest().starts_with(what)) return false;
        at_ += what.size();
        return true;
    }
    [[noreturn]] void wrong(const std::string& expected) {
        const std::string_view found = rest().substr(0, 20);
        throw Error(Errc::option_value, "mask '", text_, "', character ", at_ + 1, ": expected ", expected, ", found ",
                    found.empty() ? "the end" : "'" + std::string(found) + "'");
    }

    std::string_view text_;
    Index queries_, keys_;
    std::size_t at_ = 0;
    int depth_ = 0;
};

}  // namespace parsing

/// A mask from an expression over the catalogue, such as "prefix 32 | causal" or "window 256 & ~(random 0.1 7 64)":
///     ~a      a & b      a | b      (a)                               in this order of binding
///     full, bidirectional              causal                         prefix N, keys N, queries N, heads N
///     segments N, uni_modal N          multimodal_causal N            window LEFT [RIGHT]
///     dilated STEP [LEFT [RIGHT]]      strided STEP [FIRST]           sequences LENGTH…, padded LENGTH…
///     tree PARENT…                     random DENSITY [SEED [SIDE]]   neighbourhood HEIGHT WIDTH [DOWN [ACROSS]]
/// Behind causal, multimodal_causal, window and dilated may stand top_left or bottom_right; one of these has to where
/// there are not as many queries as keys.
/// errors  Errc::option_value, with the place in the text; or if the mask is not for so many queries and keys
inline AnyMask parse_mask(std::string_view text, Index queries, Index keys) {
    AnyMask mask = parsing::MaskReader(text, queries, keys).whole();
    if (!fits(mask, queries, keys))
        throw Error(Errc::option_value, "mask '", text, "': is not for ", queries, " queries and ", keys,
                    " keys: lengths have to add up, and where there are not as many of both, top_left or bottom_right "
                    "has to say which corner the diagonal begins in");
    return mask;
}

}  // namespace tessera
