#include "support/catalogue.hpp"

#include "support/mask.hpp"

namespace tessera::test {

namespace {

std::string list(const std::vector<Index>& numbers) {
    std::string text;
    for (const Index number : numbers) text += ' ' + std::to_string(number);
    return text;
}
std::vector<Index> lengths_of(const std::vector<Index>& starts) {
    std::vector<Index> lengths;
    for (std::size_t i = 1; i < starts.size(); ++i) lengths.push_back(starts[i] - starts[i - 1]);
    return lengths;
}

}  // namespace

Catalogue::Catalogue(Index queries, Index keys) {
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

    const auto n = [](Index number) { return std::to_string(number); };
    const std::string corner = " after " + n(past), shares = " to " + n((queries + 1) / 2) + ' ' + n((keys + 1) / 2);
    const std::string sequences = "sequences" + list(lengths_of(query_starts_)) + " by" + list(lengths_of(key_starts_));
    add("full", "full", Full{});
    add("nothing", "~full", ~Full{});
    add("causal top left", "causal top_left", Causal::top_left());
    add("causal bottom right", "causal" + corner, Causal::bottom_right(queries, keys));
    add("keys below", "keys " + n(keys / 2), FirstKeys{keys / 2});
    add("queries below", "queries " + n(queries / 2), FirstQueries{queries / 2});
    add("segments", "segments 5", SameSegment{5});
    add("uni-modal", "uni_modal " + n(keys / 3), masks::uni_modal(keys / 3));
    add("bidirectional", "bidirectional", masks::bidirectional());
    add("multimodal causal", "multimodal_causal " + n(keys / 3) + corner,
        FirstKeys{keys / 3} | Causal::bottom_right(queries, keys));
    add("prefix", "prefix_lm 4" + corner, masks::prefix_lm(4, Causal::after(past)));
    add("window", "window 4" + corner, Window{4, 0, past});
    add("window both ways", "window 3 6 top_left", Window{3, 6, 0});
    add("dilated", "dilated 3 12 12" + corner, Dilated{12, 12, 3, past});
    add("strided", "strided 4 1", Strided{4, 1});
    add("sparse strided", "(window 3" + corner + " | dilated 4" + corner + ")",
        Window{3, 0, past} | Dilated{Window::unbounded, 0, 4, past});
    add("global and window", "global_window 2 3 3" + corner, masks::global_window(2, {3, 3, past}));
    add("documents", "documents" + list(query_ids_) + " by" + list(key_ids_), Documents{query_ids_, key_ids_});
    add("packed", sequences, Packed{query_starts_, key_starts_, Full{}});
    add("packed causal", sequences + " causal", Packed{query_starts_, key_starts_, CausalBottomRight{}});
    add("padded", "padded" + list(lengths_) + shares, Padded{lengths_, (queries + 1) / 2, (keys + 1) / 2});
    add("padded left", "padded" + list(lengths_) + shares + " left",
        Padded{lengths_, (queries + 1) / 2, (keys + 1) / 2, Padded::Side::left});
    add("neighborhood", "neighborhood 6 " + n(side) + " 1 2", Neighborhood{6, side, 1, 2});
    add("bitmap", "pattern '" + picture(Random{0.3, 9}, queries, keys) + "'", Bitmap{words_, queries, keys});
    add("block sparse",
        "blocks 5 6 '" + picture(BlockSparse{blocks_, 1, 1}, blocks_.extent(0), blocks_.extent(1)) + "'",
        BlockSparse{blocks_, 5, 6});
    add("tree", "tree" + list(parents_), Tree{parents_});
    add("random", "random 0.2 5", Random{0.2, 5});
    add("random blocks", "random 0.4 5 4 8", Random{0.4, 5, 4, 8});
    add("random by head", "random 0.4 6 4 8 by_head",
        Random{.density = 0.4, .seed = 6, .rows = 4, .columns = 8, .by_head = true}, 3);
    add("choice by head", "(if heads 1 then window 2" + corner + " else causal" + corner + ")",
        Choose{FirstHeads{1}, windows_[0], Causal::after(past)}, 2);
    add("choice by place", "(if queries 3 then keys 3 else window 9 1" + corner + ")",
        Choose{FirstQueries{3}, FirstKeys{3}, windows_[1]});
    add("per head", "per_head (window 2" + corner + ") (window 9 1" + corner + ")", PerHead<Window>{windows_}, 3);
    add("shifted", "shifted -2 1 (window 3 3" + corner + ")", Shifted{Window{3, 3, past}, -2, 1});
    add("lambda", "", Predicate{[](Site at) { return (at.query ^ at.key) % 3 != 0; }});
    add("lambda and causal", "",
        Predicate{[](Index query, Index key) { return (query + key) % 4 != 0; }} & Causal{past});
}

Composition composed(char operation, std::vector<Composition> parts, Index queries_by, Index keys_by) {
    const NamedMask &a = parts.front().whole, &b = parts.back().whole;
    // Their names put together, and their expressions if they have any.
    const auto written = [&](const auto& write) {
        const bool known = !a.text.empty() && !b.text.empty();
        return std::pair{write(a.name, b.name), known ? write(a.text, b.text) : std::string()};
    };
    const auto make = [&](AnyMask mask, const auto& write) {
        auto [name, text] = written(write);
        NamedMask whole{std::move(name), std::move(text), std::move(mask), std::max(a.heads, b.heads)};
        return Composition{std::move(whole), operation, std::move(parts), queries_by, keys_by};
    };
    if (operation == '~') return make(~a.mask, [](const auto& x, const auto&) { return "~(" + x + ')'; });
    if (operation == 's')
        return make(Shifted{a.mask, queries_by, keys_by}, [&](const auto& x, const auto&) {
            return "shifted " + std::to_string(queries_by) + ' ' + std::to_string(keys_by) + " (" + x + ')';
        });
    return make(operation == '&' ? AnyMask(a.mask & b.mask) : AnyMask(a.mask | b.mask),
                [&](const auto& x, const auto& y) { return '(' + x + ' ' + operation + ' ' + y + ')'; });
}

std::vector<Composition> smaller(const Composition& whole, const NamedMask& simplest) {
    std::vector<Composition> found = whole.parts;
    if (whole.operation == 0 && whole.whole.name != simplest.name) found.push_back({simplest});
    for (std::size_t i = 0; i < whole.parts.size(); ++i)
        for (const Composition& less : smaller(whole.parts[i], simplest)) {
            std::vector<Composition> parts = whole.parts;
            parts[i] = less;
            found.push_back(composed(whole.operation, std::move(parts), whole.queries_by, whole.keys_by));
        }
    return found;
}

}  // namespace tessera::test
