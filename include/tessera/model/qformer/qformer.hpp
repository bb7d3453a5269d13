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

/// One layer of the Q-Former. Query rows come first, text rows after them; only queries attend to the picture, and
/// queries and text have feed-forward parts of their own.
/// shape   x [queries + T, Width] → y, which must not be x; patches [P, Context]
template <QFormerConfig C>
struct QFormerLayer {
    using Norm = LayerNorm<C.width>;
    using Feed = Mlp<C.width, C.hidden, C.activation>;
    // Which order is cheaper depends on how many patches there are, which is known at run time only; BLIP-2 has 257 or 677
    // of them to 32 queries, so eight to one are reckoned with.
    using Cross = CrossAttention<C.width, C.heads, C.context, C.queries, 8 * C.queries>;

    bool has_cross;
    PostNorm<Norm, Attention<C.width, C.heads>> self{{C.eps}};
    PostNorm<Norm, Cross> cross{{C.eps}};  // without weights where there is no cross-attention
    PostNorm<Norm, Feed> query_mlp{{C.eps}};
    PostNorm<Norm, Feed> text_mlp{{C.eps}};  // without weights where there is no text path

    explicit QFormerLayer(bool with_cross) : has_cross(with_cross) {}

    void into(Rows<C.width> y, ConstRows<C.width> x, Index queries, ConstRows<C.context> patches, MaskRef self_mask,
              MaskRef cross_mask, Scratch& s) const {
        const auto frame = s.frame();
        const Index text = x.extent(0) - queries;
        const auto seen = s.rows<C.width>(x.extent(0));
        self.into(seen, x, s, [&](Rows<C.width> to, ConstRows<C.width> in, ConstRows<C.width> residual) {
            self.part.into(to, in, in, self_mask, s, {.residual = residual});
        });
        if (queries > 0) {
            auto q = seen.slice(0, queries);
            if (has_cross) {
                const auto crossed = s.rows<C.width>(queries);
                cross.into(crossed, q, s, [&](Rows<C.width> to, ConstRows<C.width> in, ConstRows<C.width> residual) {
                    cross.part.into(to, in, patches, cross_mask, s, {.residual = residual});
                });
                q = crossed;
            }
            query_mlp.into(y.slice(0, queries), q, s);
        }
        if (text > 0) text_mlp.into(y.slice(queries, text), seen.slice(queries, text), s);
    }

    static void visit(auto& layer, auto&& f) {
        f("self", layer.self.part);
        f("self_norm", layer.self.norm);
        if (layer.has_cross) {
            f("cross", layer.cross.part);
            f("cross_norm", layer.cross.norm);
        }
        f("query_mlp", layer.query_mlp.part);
        f("query_norm", layer.query_mlp.norm);
        if constexpr (C.has_text()) {
            f("text_mlp", layer.text_mlp.part);
            f("text_norm", layer.text_mlp.norm);
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
    LayerNorm<C.width> norm{C.eps};
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
        auto y = s.rows<C.width>(pictures * C.queries);
        const auto frame = s.frame();
        const auto x = s.rows<C.width>(pictures * C.queries);
        for (Index i = 0; i < pictures; ++i) embed_rows(x.slice(i * C.queries, C.queries), queries, 0, s);
        const std::size_t ends = static_cast<std::size_t>(pictures) + 1;
        auto* query_starts = s.take<Index>(pictures + 1);
        auto* patch_starts = s.take<Index>(pictures + 1);
        for (Index i = 0; i <= pictures; ++i) {
            query_starts[i] = i * C.queries;
            patch_starts[i] = i * (patches.extent(0) / pictures);
        }
        run(y, x, x.extent(0), patches, Packed(std::span<const Index>(query_starts, ends), Full{}),
            Packed(std::span<const Index>(query_starts, ends), std::span<const Index>(patch_starts, ends), Full{}), s);
        return y;
    }

    /// Queries and one text together, under a mask over both: masks::uni_modal, bidirectional, multimodal_causal.
    /// shape   patches [P, Context], ids [T] → [Queries + T, Width]
    Rows<C.width> operator()(ConstRows<C.context> patches, std::span<const Token> ids, MaskRef mask, Scratch& s) const
        requires(C.has_text()) {
        const Index text = static_cast<Index>(ids.size());
        auto y = s.rows<C.width>(C.queries + text);
        const auto frame = s.frame();
        const auto x = s.rows<C.width>(C.queries + text);
        embed_rows(x.slice(0, C.queries), queries, 0, s);
        embed_text(x.slice(C.queries, text), ids, s);
        run(y, x, C.queries, patches, mask, Full{}, s);
        return y;
    }

    /// Text alone.
    /// shape   ids [T] → [T, Width]
    Rows<C.width> text(std::span<const Token> ids, Scratch& s, MaskRef mask = Full{}) const requires(C.has_text()) {
        auto y = s.rows<C.width>(static_cast<Index>(ids.size()));
        const auto frame = s.frame();
        const auto x = s.rows<C.width>(y.extent(0));
        embed_text(x, ids, s);
        run(y, x, 0, {nullptr, {0, C.context}}, mask, Full{}, s);
        return y;
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
    void embed_text(Rows<C.width> x, std::span<const Token> ids, Scratch& s) const {
        if (static_cast<Index>(ids.size()) > C.positions)
            throw Error(Errc::sequence_length, "QFormer: expected at most ", C.positions, " text tokens, found ",
                        ids.size());
        word.into(x, ids, s);
        add_rows(x, x, position, 0, s);
    }
    void run(Rows<C.width> y, ConstRows<C.width> x, Index query_rows, ConstRows<C.context> patches, MaskRef self_mask,
             MaskRef cross_mask, Scratch& s) const {
        StackRows<C.width> rows(norm(x, s), s);
        s.name("qformer.embeddings", -1, rows.now());
        for (std::size_t i = 0; i < layers.size(); ++i) {
            rows.step([&](Rows<C.width> to, ConstRows<C.width> in) {
                layers[i].into(to, in, query_rows, patches, self_mask, cross_mask, s);
            });
            s.name("qformer.layer", static_cast<Index>(i), rows.now());
        }
        copy_rows(y, rows.now(), s);
    }
};

}  // namespace tessera::inline TESSERA_ISA
