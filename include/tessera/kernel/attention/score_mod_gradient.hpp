// Where the gradient by a learned bias goes, while the backward pass of attention has the gradient of the scores at hand.
#pragma once
#include <tessera/kernel/simd/transpose.hpp>
#include <tessera/mask/score_mod/diagonal_bias.hpp>
#include <utility>
#include <variant>

namespace tessera::inline TESSERA_ISA::kernel {

/// Queries in the lanes of a row of scores: as many as `KeySpan::seen` tells apart.
inline constexpr Index block_queries = 32;

/// Into the numbers of a DiagonalBias, one for each distance; `relative_bias_backward` sorts them into T5's buckets.
/// shape   distances [H, bias.width()], by bias.place; overwritten
/// units   each is the sum of the gradients of its diagonal's visible scores
struct DiagonalGradient {
    float* distances;
    DiagonalBias bias;

    static constexpr bool one_for_all_heads() { return false; }
    /// What a task keeps for itself, for each head.
    Index floats() const { return bias.width(); }
    void clear(float* sums, Index, Range) const { std::fill_n(sums, floats(), 0.0f); }

    /// Adds the gradients of the scores of `count` keys from `key` on.
    /// shape   d_scores [count, block_queries]
    void add(float* sums, Index, Range queries, Index key, Index count, const float* d_scores, float*) const {
        for (Index i = 0; i < count; ++i, d_scores += block_queries) {
            float* const sum = sums + bias.place(queries.begin, key + i);
            for_each_vec(queries.size(), [&](Index lane, Index n) {
                store(sum + lane, load(sum + lane, n) + load(d_scores + lane, n), n);
            });
        }
    }

    /// Puts together what the tasks have, in their order.
    void finish(Index head, const float* sums, Index tasks) const {
        for (Index i = 0; i < floats(); ++i) {
            float sum = 0;
            for (Index task = 0; task < tasks; ++task) sum += sums[task * floats() + i];
            distances[head * floats() + i] = sum;
        }
    }
};

/// Into the numbers of an AdditiveBias; hidden scores have none.
/// shape   values [H or 1, T, S]; overwritten
/// units   one table for all heads gets the sum over the heads
struct AdditiveGradient {
    View<float, dyn, dyn, dyn> values;

    /// Heads that add to the same numbers must do so one after another.
    bool one_for_all_heads() const { return values.extent(0) == 1; }
    static constexpr Index floats() { return 0; }
    void clear(float*, Index head, Range keys) const {
        for (Index i = 0; i < values.extent(1); ++i) std::fill_n(row(head, i) + keys.begin, keys.size(), 0.0f);
    }

    /// shape   room [count, block_queries]
    void add(float*, Index head, Range queries, Index key, Index count, const float* d_scores, float* room) const {
        transpose(room, count, count, queries.size(),
                  [&](Index r, Index c, Index n) { return load(d_scores + r * block_queries + c, n); });
        for (Index i = 0; i < queries.size(); ++i) {
            float* const sum = row(head, queries.begin + i) + key;
            for_each_vec(
                count, [&](Index j, Index n) { store(sum + j, load(sum + j, n) + load(room + i * count + j, n), n); });
        }
    }
    void finish(Index, const float*, Index) const {}

  private:
    float* row(Index head, Index query) const {
        return values.data() + ((one_for_all_heads() ? 0 : head) * values.extent(1) + query) * values.extent(2);
    }
};

/// Where the gradient by a learned bias goes, if there is one.
class BiasGradient {
  public:
    BiasGradient() = default;
    BiasGradient(DiagonalGradient to) : to_(std::move(to)) {}
    BiasGradient(AdditiveGradient to) : to_(to) {}

    bool learns() const { return to_.index() != 0; }
    bool one_for_all_heads() const {
        return visit([](const auto& to) { return to.one_for_all_heads(); });
    }
    Index floats() const {
        return visit([](const auto& to) { return to.floats(); });
    }
    void clear(float* sums, Index head, Range keys) const {
        visit([&](const auto& to) { to.clear(sums, head, keys); });
    }
    void add(float* sums, Index head, Range queries, Index key, Index count, const float* d_scores, float* room) const {
        visit([&](const auto& to) { to.add(sums, head, queries, key, count, d_scores, room); });
    }
    void finish(Index head, const float* sums, Index tasks) const {
        visit([&](const auto& to) { to.finish(head, sums, tasks); });
    }

  private:
    /// f of what learns; a value of nothing where nothing does.
    template <class F>
    auto visit(const F& f) const -> decltype(f(std::declval<const AdditiveGradient&>())) {
        if (const auto* diagonal = std::get_if<DiagonalGradient>(&to_)) return f(*diagonal);
        if (const auto* additive = std::get_if<AdditiveGradient>(&to_)) return f(*additive);
        return decltype(f(std::declval<const AdditiveGradient&>()))();
    }
    std::variant<std::monostate, DiagonalGradient, AdditiveGradient> to_;
};

}  // namespace tessera::inline TESSERA_ISA::kernel
