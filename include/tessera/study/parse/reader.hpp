// The characters of a mask's expression: words, numbers, quotations, and what is said when they are wrong.
#pragma once
#include <charconv>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tessera/core/printable.hpp>
#include <tessera/mask/mask.hpp>
#include <vector>

namespace tessera::inline TESSERA_ISA::parsing {

/// A place in a text. Each function that takes something also takes the spaces in front of it.
class Reader {
  public:
    explicit Reader(std::string_view text) : text_(text) {}

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
    /// What stands between two ' or two ".
    std::string quoted() {
        const std::string_view text = rest();
        const std::size_t end =
            text.starts_with('\'') || text.starts_with('"') ? text.find(text.front(), 1) : text.npos;
        if (end == text.npos) wrong("a picture in quotation marks, such as '#.|##'");
        at_ += end + 1;
        return std::string(text.substr(1, end - 1));
    }
    std::string_view word() {
        const std::string_view text = rest();
        const std::string_view found = text.substr(0, text.find_first_not_of("abcdefghijklmnopqrstuvwxyz_"));
        at_ += found.size();
        return found;
    }
    /// Takes `what`, a sign or a whole word, if it comes next.
    bool take(std::string_view what) {
        const bool sign = what.find_first_not_of("~&|()") == what.npos;
        const std::size_t before = at_;
        if (sign ? rest().starts_with(what) : word() == what) {
            at_ += sign ? what.size() : 0;
            return true;
        }
        at_ = before;
        return false;
    }
    bool at_end() { return rest().empty(); }

    std::size_t place() {
        rest();
        return at_;
    }
    void go_back(std::size_t place) { at_ = place; }

    [[noreturn]] void wrong(const std::string& expected) {
        const std::string_view found = rest();
        fail(at_, "expected ", expected, ", found ", found.empty() ? "the end" : "'" + printable(found, 20) + "'");
    }
    /// What `make` returns; an Error of its own is told with its place.
    template <class Make>
    auto made(std::size_t place, const Make& make) {
        try {
            return make();
        } catch (const Error& error) {
            const std::string_view sentence = error.what();
            fail(place, sentence.substr(sentence.find("] ") + 2));
        }
    }

  private:
    bool number_follows() {
        const std::string_view text = rest();
        return !text.empty() && (text.front() == '-' || (text.front() >= '0' && text.front() <= '9'));
    }
    /// What is left to read, from the next character that is no space.
    std::string_view rest() {
        at_ = std::min(text_.find_first_not_of(" \t\n", at_), text_.size());
        return text_.substr(at_);
    }
    template <class... Parts>
    [[noreturn]] void fail(std::size_t place, const Parts&... parts) {
        throw Error(Errc::option_value, "mask ", in_quotes(text_), ", character ", place + 1, ": ", parts...);
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

/// How many letters have to be changed, put in or left out to make `b` of `a`.
/// source  Wagner & Fischer 1974
inline std::size_t edits(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
    for (std::size_t i = 0; i < a.size(); ++i) {
        std::size_t corner = row[0];
        row[0] = i + 1;
        for (std::size_t j = 0; j < b.size(); ++j) {
            const std::size_t changed = corner + (a[i] != b[j]);
            corner = row[j + 1];
            row[j + 1] = std::min({changed, row[j] + 1, corner + 1});
        }
    }
    return row.back();
}

}  // namespace tessera::inline TESSERA_ISA::parsing
