// One layer of the Q-Former.
#pragma once
#include <tessera/model/qformer/config.hpp>
#include <tessera/nn/block.hpp>
#include <tessera/nn/dropout.hpp>
#include <tessera/nn/embedding.hpp>
#include <tessera/nn/folded_attention.hpp>

namespace tessera::inline TESSERA_ISA {

/// Where the rows of a batch lie: sequence i is rows starts[i], …, starts[i + 1] − 1, first `queries` rows of queries (all of
/// them, or none), then its text.
/// shape   starts [sequences + 1]
struct QFormerRows {
    Index queries;
    std::span<const Index> starts;

    Index count() const { return static_cast<Index>(starts.size()) - 1; }
    Index start(Index i) const { return starts[static_cast<std::size_t>(i)]; }
    Index text(Index i) const { return start(i + 1) - start(i) - queries; }

    /// y = the queries of all sequences, then their texts.
    template <Index Width>
    void part(Rows<Width> y, std::type_identity_t<ConstRows<Width>> x, Scratch& s) const {
        for_each([&](Index apart, Index together, Index rows) {
            copy_rows(y.slice(apart, rows), x.slice(together, rows), s);
        });
    }
    /// The way back.
    template <Index Width>
    void join(Rows<Width> y, std::type_identity_t<ConstRows<Width>> x, Scratch& s) const {
        for_each([&](Index apart, Index together, Index rows) {
            copy_rows(y.slice(together, rows), x.slice(apart, rows), s);
        });
    }

  private:
    void for_each(const auto& f) const {
        for (Index i = 0, text_row = count() * queries; i < count(); text_row += text(i), ++i) {
            f(i * queries, start(i), queries);
            f(text_row, start(i) + queries, text(i));
        }
    }
};

/// Only queries attend to the picture, and queries and text have feed-forward parts of their own.
/// shape   x [rows, Width] → y, which must not be x
template <QFormerConfig C>
struct QFormerLayer {
    using Norm = LayerNorm<C.width>;
    using Self = Attention<C.width, C.heads>;
    using Feed = Mlp<C.width, C.hidden, C.activation>;
    // With text, many texts read a picture whose keys and values are there already. Without, its queries are all that ever
    // read it: then which order is cheaper depends on how many patches there are, which is known at run time only; BLIP-2 has
    // 257 or 677 of them to 32 queries, so eight to one are reckoned with.
    using Cross = std::conditional_t<C.has_text(), Attention<C.width, C.heads, C.context>,
                                     CrossAttention<C.width, C.heads, C.context, C.queries, 8 * C.queries>>;

    bool has_cross;
    PostNorm<Norm, Self> self{{C.eps}};
    PostNorm<Norm, Cross> cross{{C.eps}};  // without weights where there is no cross-attention
    PostNorm<Norm, Feed> query_mlp{{C.eps}};
    PostNorm<Norm, Feed> text_mlp{{C.eps}};  // without weights where there is no text path

    explicit QFormerLayer(bool with_cross) : has_cross(with_cross) {}

    /// `attend(self, y, x, residual)` runs the self-attention of all rows, `read(cross, y, x, residual)` lets all queries read
    /// their pictures.
    void into(Rows<C.width> y, ConstRows<C.width> x, const QFormerRows& rows, Scratch& s, const auto& attend,
              const auto& read) const {
        const auto frame = s.frame();
        const auto seen = s.rows<C.width>(x.extent(0));
        self.into(seen, x, s, [&](Rows<C.width> to, ConstRows<C.width> in, ConstRows<C.width> residual) {
            attend(self.part, to, in, residual);
        });
        const Index queries = rows.count() * rows.queries;
        if (rows.count() <= 1 || queries == 0 || queries == x.extent(0)) return feed(y, seen, queries, s, read);
        const auto apart = s.rows<C.width>(x.extent(0)), fed = s.rows<C.width>(x.extent(0));
        rows.part(apart, seen, s);
        feed(fed, apart, queries, s, read);
        rows.join(y, fed, s);
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

  private:
    /// The rest of the layer, for rows of queries and then rows of text.
    void feed(Rows<C.width> y, ConstRows<C.width> x, Index queries, Scratch& s, const auto& read) const {
        if (queries > 0) {
            auto q = x.slice(0, queries);
            if (has_cross) {
                const auto crossed = s.rows<C.width>(queries);
                cross.into(crossed, q, s, [&](Rows<C.width> to, ConstRows<C.width> in, ConstRows<C.width> residual) {
                    read(cross.part, to, in, residual);
                });
                q = crossed;
            }
            query_mlp.into(y.slice(0, queries), q, s);
        }
        const Index text = x.extent(0) - queries;
        if (text > 0) text_mlp.into(y.slice(queries, text), x.slice(queries, text), s);
    }
};

}  // namespace tessera::inline TESSERA_ISA
