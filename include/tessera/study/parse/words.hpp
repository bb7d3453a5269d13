// The words of the language of masks, one for each mask of the catalogue.
#pragma once
#include <algorithm>
#include <iterator>
#include <tessera/core/tensor.hpp>
#include <tessera/mask/catalog.hpp>
#include <tessera/study/parse/grammar.hpp>

namespace tessera::inline TESSERA_ISA::parsing {

/// A word, what may stand behind it, what it means, and how to make a mask of it.
struct Word {
    std::string_view name, parameters, meaning;
    AnyMask (*make)(MaskReader& in);
};

/// Two lists of numbers, for queries and for keys; the same one if there is no `by` between them.
inline auto two_lists(MaskReader& in) {
    const auto first = in.list(0);
    return std::pair{first, in.take("by") ? in.list(0) : first};
}
/// Where sequences of these lengths begin, one behind another, and where the last one ends.
inline std::vector<Index> starts_of(const std::vector<Index>& lengths) {
    std::vector<Index> starts{0};
    for (const Index length : lengths) starts.push_back(starts.back() + length);
    return starts;
}

inline AnyMask sequences(MaskReader& in) {
    const std::size_t place = in.place();
    const auto [queries, keys] = two_lists(in);
    const auto starts = std::make_shared<const std::pair<std::vector<Index>, std::vector<Index>>>(starts_of(*queries),
                                                                                                  starts_of(*keys));
    const std::span<const Index> first = starts->first, second = starts->second;
    const bool causal = in.take("causal");
    return in.made(place, [&]() -> AnyMask {
        if (causal) return {Packed{first, second, CausalBottomRight{}}, starts};
        return {Packed{first, second, Full{}}, starts};
    });
}
inline AnyMask documents(MaskReader& in) {
    const std::size_t place = in.place();
    const auto ids = std::make_shared<const decltype(two_lists(in))>(two_lists(in));
    return in.made(place, [&] { return AnyMask(Documents{*ids->first, *ids->second}, ids); });
}
inline AnyMask padded(MaskReader& in) {
    const std::size_t place = in.place();
    const auto lengths = in.list(0);
    const auto share = [&](Index rows) { return std::max<Index>(rows / static_cast<Index>(lengths->size()), 1); };
    Index queries = share(in.queries()), keys = share(in.keys());
    if (in.take("to")) queries = in.integer(1), keys = in.integer_or(queries);
    const auto side = in.take("left") ? Padded::Side::left : Padded::Side::right;
    return in.made(place, [&] { return AnyMask(Padded{*lengths, queries, keys, side}, lengths); });
}
inline AnyMask pattern(MaskReader& in) {
    const std::size_t place = in.place();
    const auto picture = std::make_shared<const std::string>(in.quoted());
    return in.made(place, [&] { return AnyMask(Pattern{*picture}, picture); });
}
inline AnyMask blocks(MaskReader& in) {
    const Index rows = in.integer(1), columns = in.integer(1);
    const std::size_t place = in.place();
    const std::string text = in.quoted();
    const Pattern picture = in.made(place, [&] { return Pattern{text}; });
    auto cells = std::make_shared<Tensor<std::uint8_t, dyn, dyn>>(std::array{picture.queries(), picture.keys()});
    for (Index y = 0; y < picture.queries(); ++y)
        for (Index x = 0; x < picture.keys(); ++x) (*cells)(y, x) = picture.allows({0, y, x});
    const Tensor<std::uint8_t, dyn, dyn>& kept = *cells;
    return {BlockSparse{kept.view(), rows, columns}, cells};
}
inline AnyMask tree(MaskReader& in) {
    const std::size_t place = in.place();
    const auto parents = in.list(-1);
    return in.made(place, [&] { return AnyMask(Tree{*parents}, parents); });
}
inline AnyMask random(MaskReader& in) {
    const double density = in.probability();
    const Index seed = in.integer_or(0), rows = in.integer_or(1, 1), columns = in.integer_or(rows, 1);
    return Random{density, static_cast<std::uint64_t>(seed), rows, columns, in.take("by_head")};
}
inline AnyMask prefix_lm(MaskReader& in) {
    const Index prefix = in.integer();
    return masks::prefix_lm(prefix, Causal{in.alignment()});
}
inline AnyMask per_head(MaskReader& in) {
    auto masks = std::make_shared<std::vector<AnyMask>>();
    while (in.take("(")) masks->push_back(in.bracketed());
    if (masks->empty()) in.wrong("( and the mask of the first head");
    return {PerHead<AnyMask>{*masks}, masks};
}
inline AnyMask choice(MaskReader& in) {
    AnyMask when = in.any_of();
    in.expect("then");
    AnyMask a = in.any_of();
    in.expect("else");
    return Choose{std::move(when), std::move(a), in.any_of()};
}
inline AnyMask shifted(MaskReader& in) {
    const Index queries_by = in.integer(-Reader::largest), keys_by = in.integer(-Reader::largest);
    return in.resized(in.queries() + queries_by, in.keys() + keys_by, [&]() -> AnyMask {
        return Shifted{in.one(), queries_by, keys_by};
    });
}

inline constexpr Word words[] = {
    {"full", "", "everything", [](MaskReader&) -> AnyMask { return Full{}; }},
    {"causal", "[CORNER]", "keys up to the query's own position",
     [](MaskReader& in) -> AnyMask { return Causal{in.alignment()}; }},
    {"prefix", "N", "the first N keys", [](MaskReader& in) -> AnyMask { return FirstKeys{in.integer()}; }},
    {"keys", "N", "the same", [](MaskReader& in) -> AnyMask { return FirstKeys{in.integer()}; }},
    {"queries", "N", "all keys, for the first N queries",
     [](MaskReader& in) -> AnyMask { return FirstQueries{in.integer()}; }},
    {"segments", "N", "two segments, before position N and from it on",
     [](MaskReader& in) -> AnyMask { return SameSegment{in.integer()}; }},
    {"window", "LEFT [RIGHT] [CORNER]", "keys at most LEFT back and RIGHT ahead",
     [](MaskReader& in) -> AnyMask {
         const Index left = in.integer(), right = in.integer_or(0);
         return Window{left, right, in.alignment()};
     }},
    {"dilated", "STEP [LEFT [RIGHT]] [CORNER]", "every STEP-th key of such a window",
     [](MaskReader& in) -> AnyMask {
         const Index step = in.integer(1), left = in.integer_or(Window::unbounded), right = in.integer_or(0);
         return Dilated{left, right, step, in.alignment()};
     }},
    {"strided", "STEP [FIRST]", "every STEP-th key, the same for all queries",
     [](MaskReader& in) -> AnyMask {
         const Index step = in.integer(1);
         return Strided{step, in.integer_or(0)};
     }},
    {"sequences", "LENGTH… [by LENGTH…] [causal]", "a ragged batch; by: of keys, where they differ", sequences},
    {"documents", "ID… [by ID…]", "rows of the same id, which must not decrease", documents},
    {"padded", "LENGTH… [to QUERIES [KEYS]] [left]", "sequences filled up to one length", padded},
    {"neighborhood", "HEIGHT WIDTH [DOWN [ACROSS]]", "patches of a picture that are near",
     [](MaskReader& in) -> AnyMask {
         const Index height = in.integer(1), width = in.integer(1), down = in.integer_or(1);
         return Neighborhood{height, width, down, in.integer_or(down)};
     }},
    {"tree", "PARENT…", "a node's ancestors; -1: a root", tree},
    {"random", "DENSITY [SEED [ROWS [COLUMNS]]] [by_head]", "random blocks", random},
    {"blocks", "ROWS COLUMNS 'PICTURE'", "a choice for each block, as '#.|##' shows it", blocks},
    {"pattern", "'PICTURE'", "a choice for each score", pattern},
    {"heads", "N", "everything, in the first N heads",
     [](MaskReader& in) -> AnyMask { return FirstHeads{in.integer()}; }},
    {"per_head", "(MASK) (MASK)…", "a mask for each head", per_head},
    {"if", "MASK then MASK else MASK", "one mask where another is visible, elsewhere a third", choice},
    {"shifted", "QUERIES KEYS MASK", "query i and key j as i + QUERIES and j + KEYS of MASK", shifted},
    {"prefix_lm", "N [CORNER]", "the first N keys, the rest causal", prefix_lm},
    {"global_window", "N LEFT [RIGHT] [CORNER]", "N rows that see and are seen by all, beside a window",
     [](MaskReader& in) -> AnyMask {
         const Index count = in.integer(), left = in.integer(), right = in.integer_or(0);
         return masks::global_window(count, {left, right, in.alignment()});
     }},
    {"sparse_strided", "STRIDE", "the last STRIDE positions, before them every STRIDE-th",
     [](MaskReader& in) -> AnyMask { return masks::sparse_strided(in.integer(1)); }},
    {"uni_modal", "N", "BLIP-2's contrast: N queries and the text see only themselves",
     [](MaskReader& in) -> AnyMask { return masks::uni_modal(in.integer()); }},
    {"bidirectional", "", "BLIP-2's matching: everything",
     [](MaskReader&) -> AnyMask { return masks::bidirectional(); }},
    {"multimodal_causal", "N [CORNER]", "BLIP-2's captions: N queries, and text that sees them and its past",
     prefix_lm},
};

inline AnyMask MaskReader::named() {
    const std::size_t begin = place();
    const std::string_view name = word();
    const auto found = std::find_if(std::begin(words), std::end(words), [&](const Word& w) { return w.name == name; });
    if (found != std::end(words)) return found->make(*this);
    go_back(begin);
    const auto closest = std::min_element(std::begin(words), std::end(words), [&](const Word& a, const Word& b) {
        return edits(name, a.name) < edits(name, b.name);
    });
    if (edits(name, closest->name) * 2 < name.size()) wrong("a mask, perhaps " + std::string(closest->name));
    std::string all;
    for (const Word& one : words) all += (all.empty() ? "" : ", ") + std::string(one.name);
    wrong("~, ( or one of " + all);
}

}  // namespace tessera::inline TESSERA_ISA::parsing
