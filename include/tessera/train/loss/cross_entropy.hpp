// Cross entropy of scores and the classes that were right.
#pragma once
#include <span>
#include <tessera/core/token.hpp>
#include <tessera/kernel/row/cross_entropy.hpp>
#include <tessera/nn/linear.hpp>
#include <tessera/train/backward/context.hpp>

namespace tessera::inline TESSERA_ISA {

namespace detail {
/// A loss that is the sum of `losses` times `scale`, whose gradient by `logits` is `d_logits` (null where nobody goes back).
inline Rows<1> loss_of(const float* losses, Index count, float scale, const float* logits, const float* d_logits,
                       Index numbers, Scratch& s) {
    const auto loss = s.rows<1>(1);
    double sum = 0;
    for (Index i = 0; i < count; ++i) sum += double{losses[i]};
    loss(0, 0) = static_cast<float>(sum * double{scale});
    if (d_logits == nullptr) return loss;
    const float* const reads[] = {logits};
    record_function(s, loss.data(), reads, {}, [y = loss.data(), logits, d_logits, numbers](BackwardContext& c) {
        float* const to = c.rows.into(logits, numbers).added_to(numbers);
        const float d = *c.rows.at(y);
        for (Index i = 0; to != nullptr && i < numbers; ++i) to[i] += d * d_logits[i];
    });
    return loss;
}
}  // namespace detail

/// The mean of −Σ q·log softmax(logits) over the rows whose target is not negative, where q is (1 − smoothing) at the target
/// and smoothing/Classes everywhere; 0 where there is no such row.
/// shape   logits [T, Classes], targets [T] → [1]
/// errors  Errc::rows_mismatch; Errc::token_id for a target beyond the classes
/// cost    T·Classes floats of scratch where a tape listens
/// source  torch.nn.functional.cross_entropy
template <Index Classes>
Rows<1> cross_entropy(ConstRows<Classes> logits, std::span<const Token> targets, Scratch& s, float smoothing = 0) {
    const Index rows = logits.extent(0);
    detail::require_rows("cross_entropy", Classes, "targets", rows, static_cast<Index>(targets.size()));
    Index counted = 0;
    for (std::size_t i = 0; i < targets.size(); counted += targets[i++] >= 0)
        if (targets[i] >= Classes)
            throw Error(Errc::token_id, "target ", i, ": expected an id below ", Classes, ", found ", targets[i]);
    const float scale = counted == 0 ? 0.0f : 1.0f / static_cast<float>(counted);
    float* const losses = s.take<float>(rows);
    float* const d_logits = s.keeps() ? s.take<float>(rows * Classes) : nullptr;
    kernel::cross_entropy(losses, d_logits, logits.data(), targets.data(), rows, Classes, smoothing, scale);
    return detail::loss_of(losses, rows, scale, logits.data(), d_logits, rows * Classes, s);
}

template <Index Classes>
Rows<1> cross_entropy(Rows<Classes> logits, std::span<const Token> targets, Scratch& s, float smoothing = 0) {
    return cross_entropy(ConstRows<Classes>(logits), targets, s, smoothing);
}

/// A loss and how much it counts.
struct LossTerm {
    ConstRows<1> loss;
    float weight = 1;
};

/// The weighted sum of losses.
inline Rows<1> sum(std::initializer_list<LossTerm> terms, Scratch& s) {
    constexpr std::size_t most = 8;
    TESSERA_EXPECTS(terms.size() <= most);
    struct Back {
        const float *y, *losses[most];
        float weights[most];
        std::size_t count;
        void operator()(BackwardContext& c) const {
            const float d = *c.rows.at(y);
            for (std::size_t i = 0; i < count; ++i)
                if (float* const to = c.rows.into(losses[i], 1).added_to(1)) *to += d * weights[i];
        }
    };
    const auto total = s.rows<1>(1);
    Back back{.y = total.data(), .losses = {}, .weights = {}, .count = 0};
    total(0, 0) = 0;
    for (const LossTerm& term : terms) {
        total(0, 0) += term.weight * term.loss(0, 0);
        back.losses[back.count] = term.loss.data();
        back.weights[back.count++] = term.weight;
    }
    record_function(s, total.data(), std::span<const float* const>(back.losses, back.count), {}, back);
    return total;
}

}  // namespace tessera::inline TESSERA_ISA
