// T5's decoder, and what it keeps of a text.
#pragma once
#include <algorithm>
#include <memory>
#include <tessera/mask/packed.hpp>
#include <tessera/mask/score_mod/additive.hpp>
#include <tessera/mask/score_mod/relative_bias.hpp>
#include <tessera/model/t5/layers.hpp>
#include <vector>

namespace tessera::inline TESSERA_ISA {

/// The keys and values of what the decoder has read, and those of what the encoder has made, which are computed once.
/// cost    8·layers·(capacity + source rows)·KeyWidth bytes, half of it in bf16, and 16·heads·capacity for the bias
template <Index KeyWidth>
class T5Cache : public KeyValueCache<KeyWidth> {
  public:
    T5Cache(Index layers, Index capacity, Index source_rows, DType stored, DiagonalBias of_positions)
        : KeyValueCache<KeyWidth>(layers, capacity, stored),
          source(layers, source_rows, stored),
          bias(std::move(of_positions)) {}

    Index bytes() const { return KeyValueCache<KeyWidth>::bytes() + source.bytes(); }

    KeyValueCache<KeyWidth> source;
    DiagonalBias bias;  // of all positions that there is room for
};

/// Rows see the rows before them, with a bias that depends on the distance, and all that the encoder has made of their text.
/// shape   embedded [T, Width] → states [T, Width]
/// errors  Errc::weight_unset; Errc::sequence_length beyond a cache's capacity
/// source  Raffel 2020 (T5) §2.1
template <T5Config C>
struct T5Decoder {
    static constexpr Index key_width = C.heads * C.head_size;
    using Cache = T5Cache<key_width>;

    Parameter<C.buckets, C.heads> bias;
    std::vector<T5DecoderLayer<C>> layers = std::vector<T5DecoderLayer<C>>(std::size_t(C.decoder_layers));
    RmsNorm<C.width> norm{C.eps};

    /// A cache for a text of which the encoder has made `source`.
    /// shape   source [S, Width]
    /// cost    4·layers·S·Width·Heads·head_size flops
    Cache cache(ConstRows<C.width> source, Index capacity, Scratch& s, DType stored = DType::f32) const {
        require_weights();
        Cache out(C.decoder_layers, capacity, source.extent(0), stored,
                  relative_bias(bias.view(), buckets, std::max<Index>(capacity, 1), std::max<Index>(capacity, 1)));
        for (Index i = 0; i < C.decoder_layers; ++i) {
            const auto frame = s.frame();
            out.source.write(i, 0, layers[static_cast<std::size_t>(i)].cross.part.project(source, s), s);
        }
        out.source.length = source.extent(0);
        return out;
    }

    /// Reads rows that follow what the caches hold, one text after another, and adds them to the caches.
    Rows<C.width> append(ConstRows<C.width> embedded, std::span<const Continuation<Cache>> texts, Scratch& s) const {
        require_weights();
        auto y = s.rows<C.width>(embedded.extent(0));
        const auto frame = s.frame();
        using Text = Continuation<KeyValueCache<key_width>>;
        const std::span own(s.take<Text>(static_cast<Index>(texts.size())), texts.size());
        const std::span source(s.take<Text>(static_cast<Index>(texts.size())), texts.size());
        const Full all;
        for (std::size_t i = 0; i < texts.size(); ++i) {
            const Continuation<Cache>& text = texts[i];
            TESSERA_EXPECTS(static_cast<Index>(text.positions.size()) == text.rows);
            if (const Index length = text.cache->length + text.rows; length > text.cache->capacity())
                throw Error(Errc::sequence_length, "T5: the cache holds ", text.cache->capacity(), " positions, found ",
                            length);
            std::construct_at(&own[i], Text{text.cache, text.rows, text.mask, text.positions, bias_of(text, s)});
            std::construct_at(&source[i], Text{&text.cache->source, text.rows, all, text.positions});
        }
        run(y, embedded, s, [&](const T5DecoderLayer<C>& layer, Index at, Rows<C.width> to, ConstRows<C.width> in) {
            layer.into(
                to, in, s,
                [&](auto out, auto x, auto residual) {
                    layer.attention.part.into(out, x, std::span<const Text>(own), at, s, {.residual = residual});
                },
                [&](auto out, auto x, auto residual) {
                    layer.cross.part.attend_cached(out, x, source, at, s, {.residual = residual});
                });
        });
        for (const Continuation<Cache>& text : texts) text.cache->advance(text.positions);
        return y;
    }

    /// Reads whole texts: text i is rows offsets[i] … offsets[i + 1] − 1 of `embedded`, and the encoder has made of it the
    /// rows source_offsets[i] … of `source`.
    Rows<C.width> operator()(ConstRows<C.width> embedded, std::span<const Index> offsets, ConstRows<C.width> source,
                             std::span<const Index> source_offsets, Scratch& s) const {
        const Index count = embedded.extent(0);
        TESSERA_EXPECTS(!offsets.empty() && offsets.front() == 0 && offsets.back() == count);
        TESSERA_EXPECTS(source_offsets.size() == offsets.size() && source_offsets.back() == source.extent(0));
        require_weights();
        auto y = s.rows<C.width>(count);
        if (count == 0) return y;
        const auto frame = s.frame();
        const auto relative =
            relative_bias(s.take<float>(DiagonalBias::size(C.heads, count, count)), bias.view(), buckets, count, count);
        const Packed causal(offsets, Causal{});
        const Packed own_source(offsets, source_offsets, Full{});
        run(y, embedded, s, [&](const T5DecoderLayer<C>& layer, Index, Rows<C.width> to, ConstRows<C.width> in) {
            layer.into(
                to, in, s,
                [&](auto out, auto x, auto residual) {
                    layer.attention.part.into(out, x, x, causal, s,
                                              {.score_mod = relative, .residual = residual, .bias = {&bias, buckets}});
                },
                [&](auto out, auto x, auto residual) {
                    layer.cross.part.into(out, x, source, own_source, s, {.residual = residual});
                });
        });
        return y;
    }

    static void visit(auto& self, auto&& f) {
        f("bias", self.bias);
        visit_list("layers", self.layers, f);
        f("norm", self.norm);
    }

  private:
    static constexpr RelativeBuckets buckets{.both_ways = false, .buckets = C.buckets, .max_distance = C.max_distance};

    void require_weights() const {
        if (!bias.is_set()) throw Error(Errc::weight_unset, "T5: called before its weights were set");
    }

    /// The bias of a text's rows by their positions and those of the keys. Where these are 0, 1, 2, … it is the cache's
    /// table as it lies; where several rows share a position, as those of beams do, a row is put together for each.
    static ScoreModRef bias_of(const Continuation<Cache>& text, Scratch& s) {
        Cache& cache = *text.cache;
        const std::span keys = std::span<const Index>(cache.positions).first(static_cast<std::size_t>(cache.length));
        const auto counts_from = [](std::span<const Index> positions, Index first) {
            return std::ranges::all_of(positions, [&](Index p) { return p == first++; });
        };
        if (text.rows == 0) return {};
        if (counts_from(keys, 0) && counts_from(text.positions, cache.length)) {
            cache.bias = cache.bias.after(cache.length);
            return cache.bias;
        }
        const Index count = cache.length + text.rows;
        float* const values = s.take<float>(C.heads * text.rows * count);
        float* to = values;
        for (Index head = 0; head < C.heads; ++head)
            for (const Index position : text.positions) {
                TESSERA_EXPECTS(position < cache.capacity());
                const DiagonalBias from_here = cache.bias.after(position);
                const float* const row = from_here.row(head, 0);
                for (const Index key : keys) *to++ = row[key];
                for (const Index key : text.positions) *to++ = row[key];
            }
        auto* const bias = s.take<AdditiveBias>(1);
        return *std::construct_at(bias, AdditiveBias{{values, {C.heads, text.rows, count}}});
    }

    /// `step(layer, i, y, x)` runs layer i.
    void run(Rows<C.width> y, ConstRows<C.width> embedded, Scratch& s, const auto& step) const {
        const auto first = s.rows<C.width>(y.extent(0));
        copy_rows(first, embedded, s);
        StackRows<C.width> rows(first, s);
        for (std::size_t i = 0; i < layers.size(); ++i) {
            const auto at = static_cast<Index>(i);
            rows.step([&](Rows<C.width> to, ConstRows<C.width> in) { step(layers[i], at, to, in); });
            s.name("decoder.layer", at, rows.now());
        }
        norm.into(y, rows.now(), s);
        s.name("decoder.last_hidden_state", -1, y);
    }
};

}  // namespace tessera::inline TESSERA_ISA
