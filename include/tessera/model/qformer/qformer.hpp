// The bridge: a small BERT whose learned queries read the picture.
#pragma once
#include <tessera/mask/packed.hpp>
#include <tessera/model/qformer/config.hpp>
#include <tessera/model/qformer/names.hpp>
#include <tessera/nn/block.hpp>
#include <tessera/nn/embedding.hpp>
#include <tessera/nn/folded_attention.hpp>
#include <vector>

namespace tessera::inline TESSERA_ISA {

/// One layer of the Q-Former. Query rows come first, text rows behind them; only queries attend to the picture, and
/// queries and text have feed-forward parts of their own.
/// shape   x [queries + T, Width] in place; patches [P, Context]
template <QFormerConfig C>
struct QFormerLayer {
    using Norm = LayerNorm<C.width>;
    using Feed = Mlp<C.width, C.hidden, C.activation>;

    bool has_cross;
    Attention<C.width, C.heads> self;
    Norm self_norm{.eps = C.eps, .weight = {}, .bias = {}};
    // Without weights where there is no cross-attention. Which order is cheaper hangs on how many patches there are, and
    // that is known at run time only; BLIP-2 has 257 or 677 of them to 32 queries, so eight to one are reckoned with.
    CrossAttention<C.width, C.heads, C.context, C.queries, 8 * C.queries> cross;
    Norm cross_norm{.eps = C.eps, .weight = {}, .bias = {}};
    Feed query_mlp;
    Norm query_norm{.eps = C.eps, .weight = {}, .bias = {}};
    Feed text_mlp;  // without weights where there is no text path
    Norm text_norm{.eps = C.eps, .weight = {}, .bias = {}};

    explicit QFormerLayer(bool with_cross) : has_cross(with_cross) {}

    template <Mask SelfMask, Mask CrossMask>
    void operator()(Rows<C.width> x, Index queries, ConstRows<C.context> patches, const SelfMask& self_mask,
                    const CrossMask& cross_mask, Scratch& s) const {
        self.into(x, x, x, self_mask, s, NoBias{}, x.data());
        self_norm.into(x, x, s);
        if (queries > 0) {
            const auto q = x.slice(0, queries);
            if (has_cross) {
                cross.into(q, q, patches, cross_mask, s, NoBias{}, q.data());
                cross_norm.into(q, q, s);
            }
            query_mlp.into(q, q, s, q.data());
            query_norm.into(q, q, s);
        }
        if (const Index text = x.extent(0) - queries; text > 0) {
            const auto t = x.slice(queries, text);
            text_mlp.into(t, t, s, t.data());
            text_norm.into(t, t, s);
        }
    }

    static void visit(auto& layer, auto&& f) {
        f("self", layer.self);
        f("self_norm", layer.self_norm);
        if (layer.has_cross) {
            f("cross", layer.cross);
            f("cross_norm", layer.cross_norm);
        }
        f("query_mlp", layer.query_mlp);
        f("query_norm", layer.query_norm);
        if constexpr (C.has_text()) {
            f("text_mlp", layer.text_mlp);
            f("text_norm", layer.text_norm);
        }
    }
};

/// The Q-Former: learned queries, which see each other, text where there is some, and the picture.
/// shape   patches [n·P, Context] of n pictures → [n·Queries, Width]
/// errors  Errc::weight_unset; Errc::token_id; Errc::sequence_length
/// cost    32 queries and one ViT-g picture: 10 Gflop
/// source  Li 2023 (BLIP-2) §3.1; post-norm BERT with one embedding norm over queries and text
template <QFormerConfig C>
struct QFormer {
    static constexpr QFormerConfig config = C;
    static NameMap names() { return qformer_names(); }
    static constexpr Index width = C.width, context = C.context;

    Parameter<C.queries, C.width> queries;
    LayerNorm<C.width> norm{.eps = C.eps, .weight = {}, .bias = {}};
    Embedding<C.vocabulary, C.width> word;     // only with text
    Parameter<C.positions, C.width> position;  // of text: queries have none
    std::vector<QFormerLayer<C>> layers;

    QFormer() {
        layers.reserve(std::size_t(C.layers));
        for (Index i = 0; i < C.layers; ++i) layers.emplace_back(i % C.cross_every == 0);
    }

    /// The queries' view of `pictures` pictures, without text.
    Rows<C.width> operator()(ConstRows<C.context> patches, Scratch& s, Index pictures = 1) const {
        if (pictures <= 0 || patches.extent(0) % pictures != 0)
            throw Error(Errc::option_value, "QFormer: expected ", pictures, " pictures of equal size, found ",
                        patches.extent(0), " patches");
        auto x = s.rows<C.width>(pictures * C.queries);
        const auto frame = s.frame();
        for (Index i = 0; i < pictures; ++i) embed_queries(x.slice(i * C.queries, C.queries));
        const std::size_t ends = static_cast<std::size_t>(pictures) + 1;
        auto* query_starts = s.take<Index>(pictures + 1);
        auto* patch_starts = s.take<Index>(pictures + 1);
        for (Index i = 0; i <= pictures; ++i) {
            query_starts[i] = i * C.queries;
            patch_starts[i] = i * (patches.extent(0) / pictures);
        }
        run(x, x.extent(0), patches, Packed({query_starts, ends}, Full{}),
            Packed({query_starts, ends}, {patch_starts, ends}, Full{}), s);
        return x;
    }

    /// Queries and one text together, under a mask over both: masks::uni_modal, bidirectional, multimodal_causal.
    /// shape   patches [P, Context], ids [T] → [Queries + T, Width]
    template <Mask M>
    Rows<C.width> operator()(ConstRows<C.context> patches, std::span<const Token> ids, const M& mask, Scratch& s) const
        requires(C.has_text()) {
        auto x = s.rows<C.width>(C.queries + static_cast<Index>(ids.size()));
        const auto frame = s.frame();
        embed_queries(x.slice(0, C.queries));
        embed_text(x.slice(C.queries, static_cast<Index>(ids.size())), ids, s);
        run(x, C.queries, patches, mask, Full{}, s);
        return x;
    }

    /// Text alone.
    /// shape   ids [T] → [T, Width]
    template <Mask M = Full>
    Rows<C.width> text(std::span<const Token> ids, Scratch& s, const M& mask = {}) const requires(C.has_text()) {
        auto x = s.rows<C.width>(static_cast<Index>(ids.size()));
        const auto frame = s.frame();
        embed_text(x, ids, s);
        run(x, 0, {nullptr, {0, C.context}}, mask, Full{}, s);
        return x;
    }

    static void visit(auto& self, auto&& f) {
        f("queries", self.queries);
        f("norm", self.norm);
        if constexpr (C.has_text()) {
            f("word", self.word);
            f("position", self.position);
        }
        visit_list("layers", self.layers, f);
    }

  private:
    void embed_queries(Rows<C.width> x) const {
        if (!queries.is_set()) throw Error(Errc::weight_unset, "QFormer: called before its weights were set");
        std::copy_n(queries.data(), queries.size, x.data());
    }
    void embed_text(Rows<C.width> x, std::span<const Token> ids, Scratch& s) const {
        if (static_cast<Index>(ids.size()) > C.positions)
            throw Error(Errc::sequence_length, "QFormer: expected at most ", C.positions, " text tokens, found ",
                        ids.size());
        word.into(x, ids, s);
        for (Index i = 0; i < x.size(); ++i) x.data()[i] += position.data()[i];
    }
    template <Mask SelfMask, Mask CrossMask>
    void run(Rows<C.width> x, Index query_rows, ConstRows<C.context> patches, const SelfMask& self_mask,
             const CrossMask& cross_mask, Scratch& s) const {
        norm.into(x, x, s);
        s.name("qformer.embeddings", -1, x);
        for (std::size_t i = 0; i < layers.size(); ++i) {
            layers[i](x, query_rows, patches, self_mask, cross_mask, s);
            s.name("qformer.layer", static_cast<Index>(i), x);
        }
    }
};

}  // namespace tessera::inline TESSERA_ISA
