// Every mask of the catalogue, and random compositions of them, for tests that must hold for all masks.
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

/// A composition, and the parts it was made of, so that a failure can be traced to the smallest.
struct Composition {
    NamedMask whole;
    char operation = 0;  // &, |, ~, s (shifted), or 0 for a mask of the catalogue
    std::vector<Composition> parts{};
    Index queries_by = 0, keys_by = 0;  // of s
};

/// What `operation` makes of `parts`.
Composition composed(char operation, std::vector<Composition> parts, Index queries_by = 0, Index keys_by = 0);

/// Compositions that are smaller by one step: a part alone, a part made smaller, `simplest` instead of a mask.
std::vector<Composition> smaller(const Composition& whole, const NamedMask& simplest);

/// Composes up to 2^depth random masks; `random_below(n)` gives 0, …, n − 1.
template <class RandomBelow>
Composition compose_randomly(const Catalogue& catalogue, RandomBelow& random_below, int depth) {
    const auto choice = depth == 0 ? 0 : random_below(8);
    if (choice == 0) return {catalogue[random_below(catalogue.size())]};
    Composition a = compose_randomly(catalogue, random_below, depth - 1);
    if (choice == 1) return composed('~', {std::move(a)});
    if (choice == 2) {
        const Index queries_by = static_cast<Index>(random_below(7)) - 3,
                    keys_by = static_cast<Index>(random_below(7)) - 3;
        return composed('s', {std::move(a)}, queries_by, keys_by);
    }
    Composition b = compose_randomly(catalogue, random_below, depth - 1);
    return composed(choice % 2 == 0 ? '&' : '|', {std::move(a), std::move(b)});
}

}  // namespace tessera::test
