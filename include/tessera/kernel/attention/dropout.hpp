// Dropout of attention's probabilities, a few keys of neighbouring queries at a time.
#pragma once
#include <tessera/kernel/attention/score_mod.hpp>
#include <tessera/kernel/attention/shape.hpp>
#include <tessera/kernel/row/dropout_choice.hpp>

namespace tessera::inline TESSERA_ISA::kernel {

/// Detail: drops what belongs to these pairs of queries and keys: probabilities, or gradients by them. Those of a single query in one
/// lane lie side by side.
/// cost    about 20 instructions a vector
[[gnu::noinline]] inline void drop_probabilities(const ScoreTile& s, const AttentionShape& shape) {
    const std::uint64_t first = shape.dropout.first + static_cast<std::uint64_t>(s.head) * dropout_stream;
    const DropoutChoice choice(shape.dropout, first);
    const auto number = [&](Index query, Index key) {
        return static_cast<std::uint32_t>(first + static_cast<std::uint64_t>(query * shape.keys + key));
    };
    float* to = s.scores;
    if (s.lanes == 1) {
        for (const KeySpan* span = s.spans; span != s.spans + s.count; to += span++->count)
            for_each_vec(span->count, [&](Index i, Index n) {
                store(to + i, choice(load(to + i, n), lane_numbers() + number(s.queries.begin, span->key + i)), n);
            });
        return;
    }
    const Hashes queries = lane_numbers() * static_cast<std::uint32_t>(shape.keys);
    for (const KeySpan* span = s.spans; span != s.spans + s.count; ++span)
        for (Index i = 0; i < span->count; ++i, to += s.lanes)
            for (Index lane = 0; lane < s.queries.size(); lane += width)
                store(to + lane, choice(load(to + lane), queries + number(s.queries.begin + lane, span->key + i)));
}

}  // namespace tessera::inline TESSERA_ISA::kernel
