// The bridge: a small BERT whose learned queries read the picture.
#pragma once
#include <tessera/mask/packed.hpp>
#include <tessera/model/qformer/image_keys.hpp>
#include <tessera/model/qformer/layer.hpp>
#include <tessera/model/qformer/names.hpp>
#include <tessera/model/qformer/text_batch.hpp>
#include <vector>

namespace tessera::inline TESSERA_ISA {

/// The Q-Former: learned queries, which see each other, text where there is some, and the picture.
/// shape   patches [n·P, Context] of n pictures → [n·Queries, Width]
/// errors  Errc::weight_unset; Errc::token_id; Errc::sequence_length
/// cost    32 queries and one ViT-g picture: 10 Gflop; with text 13, and 0.17 for each row of queries or text of a pair
/// source  Li 2023 (BLIP-2) §3.1; post-norm BERT with one embedding norm over queries and text
template <QFormerConfig C>
struct QFormer {
    static constexpr QFormerConfig config = C;
    static NameMap names() { return qformer_names(); }
    static constexpr Index width = C.width, context = C.context;
    using Keys = ImageKeys<C.width>;

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
        require_pictures(patches, pictures);
        auto y = s.rows<C.width>(pictures * C.queries);
        const auto frame = s.frame();
        const auto query_starts = multiples(C.queries, pictures, s);
        const Packed self(query_starts, Full{});
        const Packed cross(query_starts, multiples(patches.extent(0) / pictures, pictures, s), Full{});
        run(y, embed_queries(pictures, s), {C.queries, query_starts}, s, attend_in(self, s),
            [&](Index, const auto& part, Rows<C.width> to, ConstRows<C.width> in, ConstRows<C.width> residual) {
                part.into(to, in, patches, cross, s, {.residual = residual});
            });
        return y;
    }

    /// What all texts read of `pictures` pictures: to be computed once, and kept as long as texts come.
    /// cost    4·layers with cross-attention·P·Context·Width flops a picture; allocates what it returns, or takes it from a tape
    Keys read(ConstRows<C.context> patches, Scratch& s, Index pictures = 1) const requires(C.has_text()) {
        require_pictures(patches, pictures);
        constexpr Index crossing = (C.layers + C.cross_every - 1) / C.cross_every;
        const Index each = patches.extent(0) / pictures;
        Keys keys = s.keeps() ? Keys(s.take<float>(Keys::size(crossing, pictures, each)), crossing, pictures, each)
                              : Keys(crossing, pictures, each);
        for (Index i = 0; i < C.layers; i += C.cross_every) {
            const auto& cross = layers[static_cast<std::size_t>(i)].cross.part;
            cross.key.into(keys.keys(i / C.cross_every), patches, s);
            cross.value.into(keys.values(i / C.cross_every), patches, s);
        }
        return keys;
    }

    /// The queries' view of each picture, without text. Where there is `kept`, for each layer, it gets the keys and values of
    /// the queries' self-attention.
    /// shape   keys of n pictures → [n·Queries, Width]
    Rows<C.width> operator()(const Keys& keys, Scratch& s, std::span<const QueryKeys<C.width>> kept = {}) const
        requires(C.has_text()) {
        TESSERA_EXPECTS(kept.empty() || static_cast<Index>(kept.size()) == C.layers);
        auto y = s.rows<C.width>(keys.images() * C.queries);
        const auto frame = s.frame();
        const auto query_starts = multiples(C.queries, keys.images(), s);
        const Packed self(query_starts, Full{});
        const Packed cross(query_starts, multiples(keys.patches(), keys.images(), s), Full{});
        const auto attend = [&](Index layer, const auto& part, Rows<C.width> to, ConstRows<C.width> in,
                                ConstRows<C.width> residual) {
            if (kept.empty()) return part.into(to, in, in, self, s, {.residual = residual});
            const auto& [own_keys, own_values] = kept[static_cast<std::size_t>(layer)];
            part.key.into(own_keys, in, s);
            part.value.into(own_values, in, s);
            part.into(to, in, KeyValues<C.width>{own_keys, own_values}, self, s, {.residual = residual});
        };
        run(y, embed_queries(keys.images(), s), {C.queries, query_starts}, s, attend,
            read_in(keys, 0, keys.images(), cross, s));
        return y;
    }
    /// Memory for what the queries of `pictures` pictures leave in each layer.
    static std::span<const QueryKeys<C.width>> query_keys(Index pictures, Scratch& s) {
        auto* const layers = s.take<QueryKeys<C.width>>(C.layers);
        for (Index i = 0; i < C.layers; ++i)
            std::construct_at(layers + i, QueryKeys<C.width>{s.rows<C.width>(pictures * C.queries),
                                                             s.rows<C.width>(pictures * C.queries)});
        return {layers, std::size_t(C.layers)};
    }

    /// Texts, one a picture, each row of which sees the queries of its picture and the text up to itself: the text's half of
    /// masks::multimodal_causal, where the queries have been there before.
    /// shape   ids [sum of T] → [sum of T, Width]
    Rows<C.width> text_after(std::span<const QueryKeys<C.width>> seen, const TextBatch& texts, Scratch& s) const
        requires(C.has_text()) {
        const Index count = texts.count(), total = static_cast<Index>(texts.ids.size());
        auto y = s.rows<C.width>(total);
        const auto frame = s.frame();
        auto* const key_starts = s.take<Index>(count + 1);
        for (Index i = 0; i <= count; ++i) key_starts[i] = i * C.queries + texts.starts[static_cast<std::size_t>(i)];
        const std::span<const Index> all_starts(key_starts, static_cast<std::size_t>(count) + 1);
        const Packed mask(texts.starts, all_starts, Causal::after(C.queries));
        const auto x = s.rows<C.width>(total);
        for (Index i = 0; i < count; ++i)
            embed_text(x.slice(texts.starts[static_cast<std::size_t>(i)], texts.length(i)), texts[i], s);
        const auto join = [&](ConstRows<C.width> queries_part, ConstRows<C.width> text_part) {
            const auto all = s.rows<C.width>(key_starts[count]);
            for (Index i = 0; i < count; ++i) {
                const Index start = texts.starts[static_cast<std::size_t>(i)], length = texts.length(i);
                copy_rows(all.slice(key_starts[i], C.queries), queries_part.slice(i * C.queries, C.queries), s);
                copy_rows(all.slice(key_starts[i] + C.queries, length), text_part.slice(start, length), s);
            }
            return all;
        };
        const auto attend = [&](Index layer, const auto& part, Rows<C.width> to, ConstRows<C.width> in,
                                ConstRows<C.width> residual) {
            const auto layer_frame = s.frame();
            const auto& [keys, values] = seen[static_cast<std::size_t>(layer)];
            const auto [own_keys, own_values] = part.project(in, s);
            const KeyValues<C.width> all{join(keys, own_keys), join(values, own_values)};
            part.into(to, in, all, mask, s, {.residual = residual});
        };
        run(y, x, {0, texts.starts}, s, attend, [](auto&&...) {});
        return y;
    }

    /// Queries and one text together, under a mask over both: masks::uni_modal, bidirectional, multimodal_causal.
    /// shape   patches [P, Context], ids [T] → [Queries + T, Width]
    Rows<C.width> operator()(ConstRows<C.context> patches, std::span<const Token> ids, MaskRef mask, Scratch& s) const
        requires(C.has_text()) {
        const Index starts[] = {0, C.queries + static_cast<Index>(ids.size())};
        auto y = s.rows<C.width>(starts[1]);
        const auto frame = s.frame();
        const auto x = s.rows<C.width>(starts[1]);
        embed_rows(x.slice(0, C.queries), queries, 0, s);
        embed_text(x.slice(C.queries, starts[1] - C.queries), ids, s);
        run(y, x, {C.queries, starts}, s, attend_in(mask, s),
            [&](Index, const auto& part, Rows<C.width> to, ConstRows<C.width> in, ConstRows<C.width> residual) {
                part.into(to, in, patches, Full{}, s, {.residual = residual});
            });
        return y;
    }

    /// The same for many pairs at once, which are in the order of their pictures; `rule` is one of these masks.
    /// shape   for each pair, one after another, [Queries + its T, Width]
    /// errors  Errc::option_value for a picture or a text that is not there, or pictures that are not in order
    template <Mask Rule>
    Rows<C.width> operator()(const Keys& keys, std::span<const ImageTextPair> pairs, const TextBatch& texts,
                             const Rule& rule, Scratch& s) const requires(C.has_text()) {
        require_pairs(keys, pairs, texts);
        const Index count = static_cast<Index>(pairs.size());
        Index total = count * C.queries;
        for (const ImageTextPair& pair : pairs) total += texts.length(pair.text);
        auto y = s.rows<C.width>(total);
        if (count == 0) return y;
        const auto frame = s.frame();
        const Index first = pairs.front().image, images = pairs.back().image + 1 - first;
        auto* const starts = s.take<Index>(count + 1);
        auto* const query_starts = s.take<Index>(images + 1);  // of all pairs of a picture
        const auto x = s.rows<C.width>(total);
        starts[0] = 0;
        std::fill_n(query_starts, images + 1, Index{0});
        for (Index i = 0; i < count; ++i) {
            const auto [image, text] = pairs[static_cast<std::size_t>(i)];
            embed_rows(x.slice(starts[i], C.queries), queries, 0, s);
            embed_text(x.slice(starts[i] + C.queries, texts.length(text)), texts[text], s);
            starts[i + 1] = starts[i] + C.queries + texts.length(text);
            query_starts[image - first + 1] += C.queries;
        }
        for (Index i = 0; i < images; ++i) query_starts[i + 1] += query_starts[i];
        const std::span<const Index> all(starts, static_cast<std::size_t>(count) + 1);
        const Packed self(all, rule);
        const Packed cross(std::span<const Index>(query_starts, static_cast<std::size_t>(images) + 1),
                           multiples(keys.patches(), images, s), Full{});
        run(y, x, {C.queries, all}, s, attend_in(self, s), read_in(keys, first, images, cross, s));
        return y;
    }

    /// Text alone.
    /// shape   ids [T] → [T, Width]
    Rows<C.width> text(std::span<const Token> ids, Scratch& s, MaskRef mask = Full{}) const requires(C.has_text()) {
        const Index starts[] = {0, static_cast<Index>(ids.size())};
        return text({ids, starts}, mask, s);
    }
    /// Texts of a batch, each alone.
    /// shape   ids [sum of T] → [sum of T, Width]
    Rows<C.width> text(const TextBatch& texts, Scratch& s) const requires(C.has_text()) {
        const Packed each(texts.starts, Full{});
        return text(texts, each, s);
    }

    /// errors  Errc::option_value for a picture or a text that is not there, or pictures that are not in order
    static void require_pairs(const Keys& keys, std::span<const ImageTextPair> pairs, const TextBatch& texts) {
        Index least = 0;
        for (std::size_t i = 0; i < pairs.size(); least = pairs[i++].image) {
            const auto [image, text] = pairs[i];
            if (image < least || image >= keys.images() || text < 0 || text >= texts.count())
                throw Error(Errc::option_value, "QFormer: pair ", i, ": expected a picture from ", least, " to ",
                            keys.images() - 1, " and a text from 0 to ", texts.count() - 1, ", found ", image, " and ",
                            text);
        }
    }

    /// Word and position of each token, before the first norm.
    /// errors  Errc::sequence_length for more tokens than there are positions
    void embed_text(Rows<C.width> x, std::span<const Token> ids, Scratch& s) const requires(C.has_text()) {
        if (static_cast<Index>(ids.size()) > C.positions)
            throw Error(Errc::sequence_length, "QFormer: expected at most ", C.positions, " text tokens, found ",
                        ids.size());
        word.into(x, ids, s);
        add_rows(x, x, position, 0, s);
    }

    /// All layers, over rows of words and positions. `attend(layer, self, y, x, residual)` is the self-attention of all rows,
    /// `read(layer, cross, y, x, residual)` the cross-attention of the queries.
    void run(Rows<C.width> y, ConstRows<C.width> x, const QFormerRows& at, Scratch& s, const auto& attend,
             const auto& read) const {
        using Out = Rows<C.width>;
        using In = ConstRows<C.width>;
        const auto dropping = s.dropping();
        StackRows<C.width> rows(drop_rows(norm(x, s), s), s);
        s.name("qformer.embeddings", -1, rows.now());
        for (Index i = 0; i < C.layers; ++i) {
            rows.step([&](Out to, In from) {
                layers[static_cast<std::size_t>(i)].into(
                    to, from, at, s,
                    [&](const auto& self, Out out, In in, In residual) { attend(i, self, out, in, residual); },
                    [&](const auto& cross, Out out, In in, In residual) { read(i, cross, out, in, residual); });
            });
            s.name("qformer.layer", i, rows.now());
        }
        copy_rows(y, rows.now(), s);
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
    static void require_pictures(ConstRows<C.context> patches, Index pictures) {
        if (pictures <= 0 || patches.extent(0) % pictures != 0)
            throw Error(Errc::option_value, "QFormer: expected ", pictures, " pictures of equal size, found ",
                        patches.extent(0), " patches");
    }
    /// 0, step, 2·step, …, count·step.
    static std::span<const Index> multiples(Index step, Index count, Scratch& s) {
        auto* const out = s.take<Index>(count + 1);
        for (Index i = 0; i <= count; ++i) out[i] = i * step;
        return {out, static_cast<std::size_t>(count) + 1};
    }
    Rows<C.width> embed_queries(Index pictures, Scratch& s) const {
        const auto x = s.rows<C.width>(pictures * C.queries);
        for (Index i = 0; i < pictures; ++i) embed_rows(x.slice(i * C.queries, C.queries), queries, 0, s);
        return x;
    }
    Rows<C.width> text(const TextBatch& texts, MaskRef mask, Scratch& s) const {
        auto y = s.rows<C.width>(static_cast<Index>(texts.ids.size()));
        const auto frame = s.frame();
        const auto x = s.rows<C.width>(y.extent(0));
        for (Index i = 0; i < texts.count(); ++i)
            embed_text(x.slice(texts.starts[static_cast<std::size_t>(i)], texts.length(i)), texts[i], s);
        run(y, x, {0, texts.starts}, s, attend_in(mask, s), [](auto&&...) {});
        return y;
    }
    static auto attend_in(MaskRef mask, Scratch& s) {
        return [mask, &s](Index, const auto& self, Rows<C.width> to, ConstRows<C.width> in,
                          ConstRows<C.width> residual) { self.into(to, in, in, mask, s, {.residual = residual}); };
    }
    static auto read_in(const Keys& keys, Index first, Index images, MaskRef mask, Scratch& s) {
        return [=, &keys, &s](Index layer, const auto& cross, Rows<C.width> to, ConstRows<C.width> in,
                              ConstRows<C.width> residual) {
            cross.into(to, in, keys.of(layer / C.cross_every, first, images), mask, s, {.residual = residual});
        };
    }
};

}  // namespace tessera::inline TESSERA_ISA
