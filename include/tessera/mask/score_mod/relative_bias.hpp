// T5's learned bias.
#pragma once
#include <cmath>
#include <tessera/mask/score_mod/diagonal_bias.hpp>

namespace tessera::inline TESSERA_ISA {

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
        if (reach >= max_distance) return first + side - 1;
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
/// The same in memory that the caller lends: DiagonalBias::size(H, T, S) floats.
inline DiagonalBias relative_bias(float* memory, View<const float, dyn, dyn> table, RelativeBuckets bucket,
                                  Index queries, Index keys) {
    TESSERA_EXPECTS(table.extent(0) == bucket.buckets);
    return {memory, table.extent(1), queries, keys,
            [&](Index head, Index distance) { return table(bucket(distance), head); }};
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

}  // namespace tessera::inline TESSERA_ISA
