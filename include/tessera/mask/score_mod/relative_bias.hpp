// Biases that hang on the distance between key and query alone: T5's learned one, and ALiBi.
#pragma once
#include <memory>
#include <tessera/mask/score_mod/score_mod.hpp>
#include <vector>

namespace tessera::inline TESSERA_ISA {

/// One number for each head and each distance key − query. Copies share the table.
/// shape   for queries 0, …, T − 1 and keys 0, …, S − 1; [H, T + S − 1] floats, the distance falling, and once more with
///         the distance rising
/// cost    one table, made once for the longest sequence and used in all layers and steps
class DiagonalBias {
  public:
    /// The numbers are value(head, distance).
    template <class Value>
        requires std::is_invocable_r_v<float, Value, Index, Index> DiagonalBias(Index heads, Index queries, Index keys,
                                                                                Value value)
            : queries_(queries), keys_(keys) {
            TESSERA_EXPECTS(queries > 0 && keys > 0);
            std::vector<float> table(static_cast<std::size_t>(2 * heads * width()));
            for (Index head = 0; head < heads; ++head)
                for (Index i = 0; i < width(); ++i)
                    table[static_cast<std::size_t>(head * width() + i)] =
                        table[static_cast<std::size_t>((heads + head + 1) * width() - 1 - i)] =
                            value(head, keys - 1 - i);
            rising_ = heads * width();
            table_ = std::make_shared<const std::vector<float>>(std::move(table));
        }

        /// The same table where the first query is in position `past`, as with a key-value cache.
        DiagonalBias after(Index past) const {
            TESSERA_EXPECTS(past < queries_);
            DiagonalBias later = *this;
            later.past_ = past;
            return later;
        }

        float operator()(Site at) const { return column(at.head, at.key)[at.query]; }
        const float* column(Index head, Index key) const { return table_->data() + head * width() + place(0, key); }
        const float* row(Index head, Index query) const {
            TESSERA_EXPECTS(past_ + query < queries_);
            return table_->data() + rising_ + head * width() + queries_ - 1 - past_ - query;
        }

        /// Numbers for each head, T + S − 1.
        Index width() const { return queries_ + keys_ - 1; }
        /// Which of them it is that `query` and `key` take; neighbouring queries take neighbouring ones.
        Index place(Index query, Index key) const {
            TESSERA_EXPECTS(past_ + query < queries_ && key < keys_);
            return keys_ - 1 - key + past_ + query;
        }

      private:
        Index queries_, keys_, past_ = 0, rising_ = 0;
        std::shared_ptr<const std::vector<float>> table_;
};

/// T5 sorts distances into buckets: near ones each into its own, far ones by their logarithm.
/// source  Raffel 2020 (T5) §2.1; the rounding is that of single precision, which decides the edges
struct RelativeBuckets {
    bool both_ways = true;  // an encoder's; a decoder looks back only, and has one bucket for all keys ahead
    Index buckets = 32, max_distance = 128;

    /// The bucket of distance = key − query.
    Index operator()(Index distance) const {
        const Index side = both_ways ? buckets / 2 : buckets;
        const Index first = both_ways && distance > 0 ? side : 0;
        const Index reach = both_ways ? std::abs(distance) : std::max<Index>(-distance, 0);
        const Index exact = side / 2;
        if (reach < exact) return first + reach;
        const float share =
            std::log(static_cast<float>(reach) / static_cast<float>(exact)) /
            static_cast<float>(std::log(static_cast<double>(max_distance) / static_cast<double>(exact)));
        return first + std::min(exact + static_cast<Index>(share * static_cast<float>(side - exact)), side - 1);
    }
};

/// T5's bias from its table, spread out over all distances.
/// shape   table [buckets, H]
inline DiagonalBias relative_bias(View<const float, dyn, dyn> table, RelativeBuckets bucket, Index queries,
                                  Index keys) {
    TESSERA_EXPECTS(table.extent(0) == bucket.buckets);
    return {table.extent(1), queries, keys, [&](Index head, Index distance) { return table(bucket(distance), head); }};
}

/// The gradient by T5's table from the gradient by each distance's number: adds up what fell into one bucket.
/// shape   d_distances [H, T + S − 1], by DiagonalBias::place; adds to d_table [buckets, H]
inline void relative_bias_backward(View<float, dyn, dyn> d_table, View<const float, dyn, dyn> d_distances,
                                   RelativeBuckets bucket, Index keys) {
    TESSERA_EXPECTS(d_table.extent(0) == bucket.buckets && d_table.extent(1) == d_distances.extent(0));
    for (Index i = 0; i < d_distances.extent(1); ++i) {
        const Index row = bucket(keys - 1 - i);
        for (Index head = 0; head < d_distances.extent(0); ++head) d_table(row, head) += d_distances(head, i);
    }
}

/// Head h (from 0) of H falls off with the slope 2^(−8·(h + 1)/H). Where H is no power of two, the heads beyond the
/// largest one in it take every second slope of twice as many.
/// source  Press 2022 (ALiBi) §3 and its published code
inline float alibi_slope(Index head, Index heads) {
    Index whole = 1;
    while (whole * 2 <= heads) whole *= 2;
    const double exponent = head < whole ? static_cast<double>(head + 1) / static_cast<double>(whole)
                                         : static_cast<double>(2 * (head - whole) + 1) / static_cast<double>(2 * whole);
    return static_cast<float>(std::exp2(-8.0 * exponent));
}

/// ALiBi: −slope · |key − query|.
inline DiagonalBias alibi(Index heads, Index queries, Index keys) {
    return {heads, queries, keys, [heads](Index head, Index distance) {
                return -alibi_slope(head, heads) * static_cast<float>(std::abs(distance));
            }};
}

}  // namespace tessera::inline TESSERA_ISA
