// Every mask of the catalogue, and compositions of them by lot, for tests that must hold for all masks.
#pragma once
#include <string>
#include <tessera/core/tensor.hpp>
#include <tessera/mask/any.hpp>
#include <tessera/mask/catalog.hpp>
#include <vector>

namespace tessera::test {

struct NamedMask {
    std::string name;
    std::string text;  // its expression in the language of parse_mask; empty for a lambda, which has none
    AnyMask mask;
    Index heads = 1;  // how many heads it tells apart
};

/// One or more of each kind for `queries` × `keys`, some of them with nothing to see in places. Keeps what they borrow.
class Catalogue {
  public:
    Catalogue(Index queries, Index keys);  // support/catalogue.cpp
    Catalogue(const Catalogue&) = delete;  // masks borrow from it

    auto begin() const { return masks_.begin(); }
    auto end() const { return masks_.end(); }
    const NamedMask& operator[](std::size_t i) const { return masks_[i]; }
    std::size_t size() const { return masks_.size(); }

  private:
    void add(std::string name, std::string text, AnyMask mask, Index heads = 1) {
        masks_.push_back({std::move(name), std::move(text), std::move(mask), heads});
    }

    std::vector<Index> query_ids_, key_ids_, query_starts_, key_starts_, parents_, lengths_;
    std::vector<std::uint64_t> words_;
    Tensor<std::uint8_t, dyn, dyn> blocks_;
    std::vector<Window> windows_;
    std::vector<NamedMask> masks_;
};

/// A composition of up to 2^depth masks, and the parts it was made of, so that a failure can be traced to the smallest.
struct Composition {
    NamedMask whole;
    char operation = 0;  // &, |, ~, s (shifted), or 0 for a mask of the catalogue
    std::vector<Composition> parts;
};

/// Composes by lot; `lot(n)` gives 0, …, n − 1, smaller ones for simpler compositions.
template <class Lot>
Composition compose_by_lot(const Catalogue& catalogue, Lot& lot, int depth) {
    const auto choice = depth == 0 ? 0 : lot(8);
    if (choice == 0) return {catalogue[lot(catalogue.size())], 0, {}};
    const Composition a = compose_by_lot(catalogue, lot, depth - 1);
    const NamedMask& first = a.whole;
    const auto text = [](bool known, const std::string& expression) { return known ? expression : std::string(); };
    if (choice == 1)
        return {
            {"~" + first.name, text(!first.text.empty(), "~(" + first.text + ")"), ~first.mask, first.heads}, '~', {a}};
    if (choice == 2) {
        const Index queries_by = static_cast<Index>(lot(7)) - 3, keys_by = static_cast<Index>(lot(7)) - 3;
        const std::string by = std::to_string(queries_by) + ' ' + std::to_string(keys_by);
        return {{"shifted " + by + " (" + first.name + ")",
                 text(!first.text.empty(), "shifted " + by + " (" + first.text + ")"),
                 Shifted{first.mask, queries_by, keys_by}, first.heads},
                's',
                {a}};
    }
    const Composition b = compose_by_lot(catalogue, lot, depth - 1);
    const NamedMask& second = b.whole;
    const char sign = choice % 2 == 0 ? '&' : '|';
    const auto joined = [&](const std::string& x, const std::string& y) {
        return '(' + x + ' ' + sign + ' ' + y + ')';
    };
    const AnyMask mask = sign == '&' ? AnyMask(first.mask & second.mask) : AnyMask(first.mask | second.mask);
    return {{joined(first.name, second.name),
             text(!first.text.empty() && !second.text.empty(), joined(first.text, second.text)), mask,
             std::max(first.heads, second.heads)},
            sign,
            {a, b}};
}

}  // namespace tessera::test
