// Every mask of the catalogue, and compositions of them by lot, for tests that must hold for all masks.
#pragma once
#include <string>
#include <tessera/core/tensor.hpp>
#include <tessera/masks.hpp>
#include <vector>

namespace tessera::test {

struct NamedMask {
    std::string name;
    AnyMask mask;
    Index heads = 1;  // how many heads it tells apart
};

/// One or more of each kind for `queries` × `keys`, some of them with nothing to see in places. Keeps what they borrow.
class Catalogue {
  public:
    Catalogue(Index queries, Index keys) {
        const Index past = keys - queries;
        const auto numbers = [](Index count, Index step, Index first) {
            std::vector<Index> list;
            for (Index i = 0; i < count; ++i) list.push_back(first + i / step);
            return list;
        };
        query_ids_ = numbers(queries, 3, 0), key_ids_ = numbers(keys, 4, 1);
        query_starts_ = {0, queries / 3, queries / 3, queries / 2, queries};
        key_starts_ = {0, keys / 4, keys / 2, keys / 2, keys};
        for (Index i = 0; i < std::max(queries, keys); ++i) parents_.push_back(i % 7 == 6 ? -1 : (i - 1) / 2 * 2 - 1);
        for (Index& parent : parents_) parent = std::max<Index>(parent, -1);
        lengths_ = {(keys + 1) / 2, 0};
        words_ = bits_of(Random{0.3, 9}, queries, keys);
        blocks_ = Tensor<std::uint8_t, dyn, dyn>({queries / 5 + 1, keys / 6 + 1});
        for (Index i = 0; i < blocks_.size(); ++i) blocks_.data()[i] = i % 3 != 1;
        windows_ = {{.left = 2, .offset = past}, {.left = 9, .right = 1, .offset = past}};
        const Index side = std::max<Index>(1, std::min(queries, keys) / 6);

        add("full", Full{});
        add("nothing", ~Full{});
        add("causal top left", Causal::top_left());
        add("causal bottom right", Causal::bottom_right(queries, keys));
        add("keys below", KeysBelow{keys / 2});
        add("queries below", QueriesBelow{queries / 2});
        add("segments", SameSegment{5});
        add("uni-modal", masks::uni_modal(keys / 3));
        add("bidirectional", masks::bidirectional());
        add("multimodal causal", KeysBelow{keys / 3} | Causal::bottom_right(queries, keys));
        add("prefix", masks::prefix_lm(4, Causal::after(past)));
        add("window", Window{4, 0, past});
        add("window both ways", Window{3, 6, 0});
        add("dilated", Dilated{12, 12, 3, past});
        add("strided", Strided{4, 1});
        add("sparse strided", Window{3, 0, past} | Dilated{unbounded, 0, 4, past});
        add("global and window", masks::global_window(2, {3, 3, past}));
        add("documents", Documents{query_ids_, key_ids_});
        add("packed", Packed{query_starts_, key_starts_, Full{}});
        add("packed causal", Packed{query_starts_, key_starts_, CausalAtEnd{}});
        add("padded", Padded{lengths_, (queries + 1) / 2, (keys + 1) / 2});
        add("padded left", Padded{lengths_, (queries + 1) / 2, (keys + 1) / 2, Padded::Side::left});
        add("neighbourhood", Neighbourhood{6, side, 1, 2});
        add("bitmap", Bitmap{words_, queries, keys});
        add("block sparse", BlockSparse{blocks_, 5, 6});
        add("tree", Tree{parents_});
        add("random", Random{0.2, 5});
        add("random blocks", Random{0.4, 5, 4, 8});
        add("random by head", Random{.density = 0.4, .seed = 6, .rows = 4, .columns = 8, .by_head = true}, 3);
        add("choice by head", Choose{HeadsBelow{1}, windows_[0], Causal::after(past)}, 2);
        add("choice by place", Choose{QueriesBelow{3}, KeysBelow{3}, windows_[1]});
        add("per head", PerHead<Window>{windows_}, 3);
        add("shifted", Shifted{Window{3, 3, past}, -2, 1});
        add("lambda", Where{[](Site at) { return (at.query ^ at.key) % 3 != 0; }});
        add("lambda and causal", Where{[](Index query, Index key) { return (query + key) % 4 != 0; }} & Causal{past});
    }
    Catalogue(const Catalogue&) = delete;  // masks borrow from it

    auto begin() const { return masks_.begin(); }
    auto end() const { return masks_.end(); }
    const NamedMask& operator[](std::size_t i) const { return masks_[i]; }
    std::size_t size() const { return masks_.size(); }

  private:
    void add(const char* name, AnyMask mask, Index heads = 1) { masks_.push_back({name, std::move(mask), heads}); }

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

/// Composes by lot; `lot(n)` gives 0, …, n − 1.
template <class Lot>
Composition compose_by_lot(const Catalogue& catalogue, Lot& lot, int depth) {
    const auto choice = depth == 0 ? 0 : lot(8);
    if (choice == 0) return {catalogue[lot(catalogue.size())], 0, {}};
    Composition a = compose_by_lot(catalogue, lot, depth - 1);
    if (choice == 1) return {{"~" + a.whole.name, ~a.whole.mask, a.whole.heads}, '~', {a}};
    if (choice == 2) {
        const Index queries_by = static_cast<Index>(lot(7)) - 3, keys_by = static_cast<Index>(lot(7)) - 3;
        const std::string by = std::to_string(queries_by) + ", " + std::to_string(keys_by);
        return {
            {"shifted(" + a.whole.name + ", " + by + ")", Shifted{a.whole.mask, queries_by, keys_by}, a.whole.heads},
            's',
            {a}};
    }
    Composition b = compose_by_lot(catalogue, lot, depth - 1);
    const bool both = choice % 2 == 0;
    const std::string name = "(" + a.whole.name + (both ? " & " : " | ") + b.whole.name + ")";
    const AnyMask mask = both ? AnyMask(a.whole.mask & b.whole.mask) : AnyMask(a.whole.mask | b.whole.mask);
    return {{name, mask, std::max(a.whole.heads, b.whole.heads)}, both ? '&' : '|', {a, b}};
}

}  // namespace tessera::test
