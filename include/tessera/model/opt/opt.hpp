// OPT, a decoder-only language model.
#pragma once
#include <numeric>
#include <tessera/model/language_model.hpp>
#include <tessera/model/opt/config.hpp>
#include <tessera/model/opt/names.hpp>
#include <tessera/nn/block.hpp>
#include <tessera/nn/embedding.hpp>
#include <vector>

namespace tessera::inline TESSERA_ISA {

/// OPT. What it reads is rows of word embeddings, so that a picture's soft prompt can stand among them.
/// shape   embeddings [T, Embedding] → states [T, Embedding] → logits [T, Vocabulary]
/// errors  Errc::weight_unset; Errc::token_id; Errc::sequence_length beyond `positions`
/// cost    2·parameters flops a token
/// source  Zhang 2022; position p of a sequence uses row p + 2 of the table
template <OptConfig C>
struct Opt {
    static constexpr OptConfig config = C;
    static NameMap names() { return opt_names(); }
    static NameMap names_in_blip2() { return opt_names_in_blip2(); }
    static constexpr Index width = C.width, embedding_width = C.embedding, vocabulary = C.vocabulary;
    static constexpr Index most_positions = C.positions;
    static constexpr bool projects = C.embedding != C.width;
    static constexpr Index position_offset = 2;
    using Cache = KeyValueCache<C.width>;

    Embedding<C.vocabulary, C.embedding> embedding;
    Parameter<C.positions + position_offset, C.width> position;
    Linear<C.embedding, C.width, HasBias::no> project_in;  // only where the widths differ
    Linear<C.width, C.embedding, HasBias::no> project_out;
    using Layer = std::conditional_t<C.pre_norm, Block<C.width, C.heads, C.hidden, C.activation, PreNorm>,
                                     Block<C.width, C.heads, C.hidden, C.activation, PostNorm>>;
    std::vector<Layer> layers;
    LayerNorm<C.width> norm{C.eps};  // only with norms before the parts

    Opt() {
        layers.reserve(std::size_t(C.layers));
        for (Index i = 0; i < C.layers; ++i) layers.emplace_back(C.eps);
    }

    Cache cache(Index capacity, DType stored = DType::f32) const { return Cache(C.layers, capacity, stored); }

    /// Reads rows that follow what the caches hold, one text after another, and adds them to the caches.
    /// shape   embedded [T, Embedding] → states [T, Embedding]
    Rows<C.embedding> append(ConstRows<C.embedding> embedded, std::span<const Continuation<Cache>> texts,
                             Scratch& s) const {
        auto y = s.rows<C.embedding>(embedded.extent(0));
        const auto frame = s.frame();
        const auto x = enter(embedded, s);
        Index first = 0;
        for (const Continuation<Cache>& text : texts) {
            if (const Index length = text.cache->length + text.rows; length > text.cache->capacity())
                throw Error(Errc::sequence_length, "Opt: the cache holds ", text.cache->capacity(),
                            " positions, found ", length);
            TESSERA_EXPECTS(static_cast<Index>(text.positions.size()) == text.rows);
            add_positions(x.slice(first, text.rows), text.positions, s);
            first += text.rows;
        }
        run(x, y, s, [&](Rows<C.width> to, ConstRows<C.width> in, Index layer) {
            layers[static_cast<std::size_t>(layer)].into(to, in, texts, layer, s);
        });
        for (const Continuation<Cache>& text : texts) text.cache->advance(text.positions);
        return y;
    }
    /// The same for one text, in order.
    Rows<C.embedding> append(ConstRows<C.embedding> embedded, Cache& cache, Scratch& s) const {
        const Index count = embedded.extent(0);
        const std::span positions(s.take<Index>(count), static_cast<std::size_t>(count));
        std::iota(positions.begin(), positions.end(), cache.length);
        const Causal causal = Causal::after(cache.length);
        const Continuation<Cache> text{&cache, count, causal, positions};
        return append(embedded, {&text, 1}, s);
    }

    /// What each prompt begins with: its soft rows and its words, embedded.
    std::vector<Beginning<Opt>> begin(std::span<const Prompt<C.embedding>> prompts, Index more, Scratch& s,
                                      DType stored = DType::f32) const {
        std::vector<Beginning<Opt>> out;
        out.reserve(prompts.size());
        for (const Prompt<C.embedding>& prompt : prompts) {
            const Index count = static_cast<Index>(prompt.ids.size()), soft = prompt.soft.extent(0);
            const auto rows = s.rows<C.embedding>(count);
            copy_rows(rows.slice(0, soft), prompt.soft, s);
            embedding.into(rows.slice(soft, count - soft), prompt.ids.subspan(static_cast<std::size_t>(soft)), s);
            out.push_back({cache(count + more, stored), rows, {prompt.ids.begin(), prompt.ids.end()}});
        }
        return out;
    }

    /// Reads whole sequences, rows one after another: sequence i is rows starts[i] … starts[i + 1] − 1.
    /// shape   embedded [T, Embedding], starts [n + 1] → states [T, Embedding]
    Rows<C.embedding> operator()(ConstRows<C.embedding> embedded, std::span<const Index> starts, Scratch& s) const {
        return (*this)(embedded, starts, Packed(starts, Causal{}), s);
    }
    /// The same under a mask over all rows.
    Rows<C.embedding> operator()(ConstRows<C.embedding> embedded, std::span<const Index> starts, MaskRef mask,
                                 Scratch& s) const {
        TESSERA_EXPECTS(!starts.empty() && starts.front() == 0 && starts.back() == embedded.extent(0));
        auto y = s.rows<C.embedding>(embedded.extent(0));
        const auto frame = s.frame();
        const auto x = enter(embedded, s);
        for (std::size_t i = 0; i + 1 < starts.size(); ++i)
            add_positions(x.slice(starts[i], starts[i + 1] - starts[i]), Index{0}, s);
        run(x, y, s, [&](Rows<C.width> to, ConstRows<C.width> in, Index layer) {
            layers[static_cast<std::size_t>(layer)].into(to, in, mask, s);
        });
        return y;
    }

    /// The scores of every word to follow each row of states.
    Rows<C.vocabulary> logits(ConstRows<C.embedding> states, Scratch& s) const { return embedding.logits(states, s); }

    static void visit(auto& self, auto&& f) {
        f("embedding", self.embedding);
        f("position", self.position);
        if constexpr (projects) {
            f("project_in", self.project_in);
            f("project_out", self.project_out);
        }
        visit_list("layers", self.layers, f);
        if constexpr (C.output_norm()) f("norm", self.norm);
    }

  private:
    Rows<C.width> enter(ConstRows<C.embedding> embedded, Scratch& s) const {
        if constexpr (projects) {
            return project_in(embedded, s);
        } else {
            auto x = s.rows<C.width>(embedded.extent(0));
            copy_rows(x, embedded, s);
            return x;
        }
    }
    void add_positions(Rows<C.width> x, std::span<const Index> positions, Scratch& s) const {
        for (std::size_t i = 0, end = 0; i < positions.size(); i = end) {
            while (++end < positions.size() && positions[end] == positions[end - 1] + 1) continue;
            add_positions(x.slice(static_cast<Index>(i), static_cast<Index>(end - i)), positions[i], s);
        }
    }
    void add_positions(Rows<C.width> x, Index first, Scratch& s) const {
        if (!position.is_set()) throw Error(Errc::weight_unset, "Opt: called before its weights were set");
        if (first + x.extent(0) > C.positions)
            throw Error(Errc::sequence_length, "Opt: expected at most ", C.positions, " positions, found ",
                        first + x.extent(0));
        add_rows(x, x, position, first + position_offset, s);
    }
    void run(Rows<C.width> x, Rows<C.embedding> y, Scratch& s, auto&& layer) const {
        StackRows<C.width> rows(x, s);
        for (Index i = 0; i < C.layers; ++i) {
            rows.step([&](Rows<C.width> to, ConstRows<C.width> in) { layer(to, in, i); });
            s.name("decoder.layer", i, rows.now());
        }
        if constexpr (projects && C.output_norm())
            project_out.into(y, norm(rows.now(), s), s);
        else if constexpr (projects)
            project_out.into(y, rows.now(), s);
        else if constexpr (C.output_norm())
            norm.into(y, rows.now(), s);
        else
            copy_rows(y, rows.now(), s);
        s.name("decoder.last_hidden_state", -1, y);
    }
};

}  // namespace tessera::inline TESSERA_ISA
