// Multi-head attention: of rows to themselves, to a context of another width, or to keys that a cache holds.
#pragma once
#include <algorithm>
#include <cmath>
#include <concepts>
#include <tessera/kernel/attention/forward.hpp>
#include <tessera/mask/catalog.hpp>
#include <tessera/nn/cache.hpp>
#include <tessera/nn/embedding.hpp>

namespace tessera::inline TESSERA_ISA {

/// The numbers of an attention by name; those that are left at 0 follow from the others.
struct AttentionSizes {
    Index width;          // of what attends, and of the result
    Index heads;          // of queries
    Index context = 0;    // width of what it attends to; 0: `width`
    Index key_heads = 0;  // of keys and values, each shared by heads / key_heads heads; 0: `heads`
    Index head_size = 0;  // 0: width / heads
    float scale = 0;      // of q·k; 0: 1/√head_size. T5 has 1
    HasBias query_bias = HasBias::yes, key_bias = HasBias::yes, value_bias = HasBias::yes, output_bias = HasBias::yes;

    constexpr Index context_width() const { return context == 0 ? width : context; }
    constexpr Index key_head_count() const { return key_heads == 0 ? heads : key_heads; }
    constexpr Index head_width() const { return head_size == 0 ? width / heads : head_size; }
    constexpr Index query_width() const { return heads * head_width(); }
    constexpr Index key_width() const { return key_head_count() * head_width(); }
};

/// What an attention takes besides rows and a mask.
template <Index Width>
struct AttentionOptions {
    ScoreModRef score_mod = {};      // what becomes of a score before the softmax: a bias, a cap, …
    ConstRows<Width> residual = {};  // [T, Width], added last; may be the output itself
    LearnedBias bias = {};           // the learned table that score_mod was made of, for whoever records
};

namespace detail {
/// errors  Errc::option_value when `mask` is not meant for so many queries and keys
inline void require_fit(const char* layer, MaskRef mask, Index queries, Index keys) {
    if (mask.fits(queries, keys)) return;
    throw Error(Errc::option_value, layer, ": the mask does not fit ", queries, " queries and ", keys,
                " keys; Causal without an alignment needs as many of both, else Causal::bottom_right(", queries, ", ",
                keys, ')');
}
}  // namespace detail

/// Attends from each row of `x` to the rows of `context` that `mask` allows.
/// shape   x [T, width], context [S, context] → [T, width]
/// units   scores are logits, scaled by `scale`; a row that may see no key gives the output layer's bias
/// errors  Errc::weight_unset; Errc::option_value when the mask does not fit T and S; Errc::rows_mismatch;
///         Errc::sequence_length beyond a cache's capacity; widths are checked by the compiler
/// cost    4·T·S·H·d flops on visible tiles, and the four projections; scratch for q, k, v and their mix
/// source  Vaswani 2017 eq. 1; Ainslie 2023 (grouped-query attention) for fewer key heads than heads
template <AttentionSizes Sizes>
struct MultiHeadAttention {
    static constexpr AttentionSizes sizes = Sizes;
    static constexpr Index width = Sizes.width, context_width = Sizes.context_width(), heads = Sizes.heads;
    static constexpr Index head_size = Sizes.head_width(), query_width = Sizes.query_width();
    static constexpr Index key_heads = Sizes.key_head_count(), key_width = Sizes.key_width();
    static_assert(Sizes.head_size != 0 || width % heads == 0,
                  "Attention: Width must be a multiple of Heads, or head_size be given");
    static_assert(heads % key_heads == 0, "Attention: Heads must be a multiple of KeyHeads");

    using Cache = KeyValueCache<key_width>;
    using Options = AttentionOptions<width>;

    Linear<width, query_width, Sizes.query_bias> query;
    Linear<context_width, key_width, Sizes.key_bias> key;
    Linear<context_width, key_width, Sizes.value_bias> value;
    Linear<query_width, width, Sizes.output_bias> output;

    Rows<width> operator()(ConstRows<width> x, ConstRows<context_width> context, MaskRef mask, Scratch& s,
                           const ScoreModRef& score_mod = {}) const {
        auto y = s.rows<width>(x.extent(0));
        into(y, x, context, mask, s, {.score_mod = score_mod});
        return y;
    }

    /// Writes into `y`.
    void into(Rows<width> y, ConstRows<width> x, ConstRows<context_width> context, MaskRef mask, Scratch& s,
              const Options& options = {}) const {
        const auto frame = s.frame();
        into(y, x, project(context, s), mask, s, options);
    }
    /// Self-attention of rows that follow what `cache` holds: adds their keys and values to it, and attends to all so far.
    /// `mask` is about x's rows and all keys, as Causal::after(cache.length) is.
    void into(Rows<width> y, ConstRows<width> x, const typename Cache::Layer& cache, MaskRef mask, Scratch& s,
              const Options& options = {}) const requires(context_width == width) {
        into(y, x, append(x, cache, s), mask, s, options);
    }
    /// Attends to keys and values that are there already.
    void into(Rows<width> y, ConstRows<width> x, KeyValues<key_width> past, MaskRef mask, Scratch& s,
              const Options& options = {}) const {
        const auto frame = s.frame();
        const auto mixed = s.rows<query_width>(x.extent(0));
        attend(mixed, query(x, s), past, mask, s, options.score_mod, options.bias);
        output.into(y, mixed, s, {.residual = options.residual, .dropout = s.next_dropout(DropoutSite::hidden)});
    }
    /// Self-attention of rows that follow what caches hold, one text after another: adds their keys and values to layer
    /// `layer` of the caches, and each text's rows attend to what its mask shows of its own cache. The projections
    /// take the rows of all texts at once.
    void into(Rows<width> y, ConstRows<width> x, std::span<const Continuation<Cache>> texts, Index layer, Scratch& s,
              const Options& options = {}) const requires(context_width == width) {
        const auto frame = s.frame();
        const auto now = project(x, s);
        attend_texts(y, x, texts, layer, s, options, [&](const Continuation<Cache>& text, Index first) {
            const Index before = text.cache->length, length = before + text.rows;
            require_room(length, text.cache->capacity());
            text.cache->write(layer, before, {now.keys.slice(first, text.rows), now.values.slice(first, text.rows)}, s);
            return length;
        });
    }
    /// Attends from the rows of several texts, one text after another, each to what its cache holds of layer `layer`; adds
    /// nothing there.
    void attend_cached(Rows<width> y, ConstRows<width> x, std::span<const Continuation<Cache>> texts, Index layer,
                       Scratch& s, const Options& options = {}) const {
        attend_texts(y, x, texts, layer, s, options,
                     [](const Continuation<Cache>& text, Index) { return text.cache->length; });
    }

    /// The keys and values of `context`, in scratch memory.
    KeyValues<key_width> project(ConstRows<context_width> context, Scratch& s) const {
        const auto k = key(context, s), v = value(context, s);
        return {k, v};
    }
    /// Writes the keys and values of `context` after the rows that `cache` holds; returns all of them.
    KeyValues<key_width> append(ConstRows<context_width> context, const typename Cache::Layer& cache,
                                Scratch& s) const {
        const Index count = context.extent(0), length = cache.length + count;
        require_room(length, cache.keys.extent(0));
        key.into(cache.keys.slice(cache.length, count), context, s);
        value.into(cache.values.slice(cache.length, count), context, s);
        return {cache.keys.slice(0, length), cache.values.slice(0, length)};
    }

    static void visit(auto& self, auto&& f) {
        f("query", self.query);
        f("key", self.key);
        f("value", self.value);
        f("output", self.output);
    }

  private:
    /// Each text's rows attend to the first rows of `layer` of its cache, as many as past(text, its first row) returns.
    void attend_texts(Rows<width> y, ConstRows<width> x, std::span<const Continuation<Cache>> texts, Index layer,
                      Scratch& s, const Options& options, const auto& past) const {
        const auto frame = s.frame();
        const auto q = query(x, s), mixed = s.rows<query_width>(x.extent(0));
        Index first = 0;
        for (const Continuation<Cache>& text : texts) {
            text.cache->read(layer, past(text, first), [&](const auto& filled) {
                attend(mixed.slice(first, text.rows), q.slice(first, text.rows), filled, text.mask, s, text.score_mod,
                       options.bias);
            });
            first += text.rows;
        }
        detail::require_rows("Attention", width, "the texts", x.extent(0), first);
        output.into(y, mixed, s, {.residual = options.residual, .dropout = s.next_dropout(DropoutSite::hidden)});
    }
    /// mixed = the values that the queries `q` see.
    template <class T>
    void attend(Rows<query_width> mixed, ConstRows<query_width> q, const KeyValues<key_width, T>& past, MaskRef mask,
                Scratch& s, const ScoreModRef& score_mod, const LearnedBias& bias) const {
        if constexpr (!std::same_as<T, float>)
            if (s.records()) {  // which are of floats; what comes out is the same
                const auto wide = s.rows<key_width>(2 * past.keys.extent(0));
                const auto floats = [](bf16 x) { return to_float(x); };
                std::ranges::transform(past.values.span(),
                                       std::ranges::transform(past.keys.span(), wide.data(), floats).out, floats);
                return attend(mixed, q,
                              KeyValues<key_width>{wide.slice(0, past.keys.extent(0)),
                                                   wide.slice(past.keys.extent(0), past.keys.extent(0))},
                              mask, s, score_mod, bias);
            }
        const Index queries = q.extent(0), keys = past.keys.extent(0);
        detail::require_fit("Attention", mask, queries, keys);
        float* const lse = s.keeps() ? s.take<float>(heads * queries) : nullptr;
        const kernel::AttentionShape shape{.heads = heads,
                                           .queries = queries,
                                           .keys = keys,
                                           .dim = head_size,
                                           .q_stride = query_width,
                                           .k_stride = key_width,
                                           .v_stride = key_width,
                                           .out_stride = query_width,
                                           .scale = scale(),
                                           .key_heads = key_heads,
                                           .dropout = s.next_dropout(DropoutSite::attention, heads)};
        kernel::attend(mixed.data(), q.data(), past.keys.data(), past.values.data(), shape, mask, s, score_mod, lse);
        if constexpr (std::same_as<T, float>)
            s.record(AttendOp{mixed.data(), q.data(), past.keys.data(), past.values.data(), lse, shape, mask, score_mod,
                              bias});
    }
    static void require_room(Index length, Index capacity) {
        if (length > capacity)
            throw Error(Errc::sequence_length, "Attention: the cache has room for ", capacity, " rows, found ", length);
    }
    static float scale() { return Sizes.scale != 0.0f ? Sizes.scale : 1.0f / std::sqrt(static_cast<float>(head_size)); }
};

/// The short form: Attention<768, 12> attends to rows of its own width, Attention<768, 12, 1408> to wider ones.
template <Index Width, Index Heads, Index Context = Width, Index KeyHeads = Heads>
using Attention =
    MultiHeadAttention<AttentionSizes{.width = Width, .heads = Heads, .context = Context, .key_heads = KeyHeads}>;

}  // namespace tessera::inline TESSERA_ISA
