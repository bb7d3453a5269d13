// What happens to a score before the softmax: the other extension point of attention.
#pragma once
#include <concepts>
#include <tessera/mask/mask.hpp>
#include <utility>

namespace tessera::inline TESSERA_ISA {

/// A bias is a value that gives a number for each score: bias(Site) → float. It is asked only where the mask allows. It
/// may also say where neighbouring numbers lie side by side, so that a vector of them is one load:
///     column(Index head, Index key) → const float*       p, so that p[query] is the bias of that query and this key
///     row(Index head, Index query) → const float*        p, so that p[key] is the bias of this query and that key
template <class B>
concept Bias = std::copy_constructible<B> && requires(const B& bias, Site at) {
    { bias(at) } -> std::convertible_to<float>;
};

/// A bias that tells its columns, for kernels that take neighbouring queries at once.
template <class B>
concept ColumnBias = Bias<B> && requires(const B& bias, Index head, Index key) {
    { bias.column(head, key) } -> std::same_as<const float*>;
};

/// A bias that tells its rows, for kernels that take neighbouring keys at once.
template <class B>
concept RowBias = Bias<B> && requires(const B& bias, Index head, Index query) {
    { bias.row(head, query) } -> std::same_as<const float*>;
};

/// A value that makes another score of a scaled score: transform(float, Site) → float; and for gradients
/// derivative(float, Site) → float, by the score.
template <class M>
concept ScoreTransform = std::copyable<M> && requires(const M& transform, float score, Site at) {
    { transform(score, at) } -> std::convertible_to<float>;
    { transform.derivative(score, at) } -> std::convertible_to<float>;
};

/// What attention takes beside a mask.
template <class C>
concept ScoreMod = Bias<C> || ScoreTransform<C>;

namespace score_mods {

/// The score that `change` makes of `score`.
template <ScoreMod C>
constexpr float apply(const C& change, float score, Site at) {
    if constexpr (Bias<C>)
        return score + static_cast<float>(change(at));
    else
        return change(score, at);
}

/// The derivative of `apply` by `score`.
template <ScoreMod C>
constexpr float derivative(const C& change, float score, Site at) {
    if constexpr (Bias<C>)
        return 1.0f;
    else
        return change.derivative(score, at);
}

}  // namespace score_mods

/// Adds nothing, and costs nothing.
struct NoBias {
    constexpr float operator()(Site) const { return 0.0f; }
};

/// `a`, and then `b` on what `a` has made of the score: SoftCap{50} + alibi(12, rows, rows) caps first.
template <ScoreMod A, ScoreMod B>
struct Composed {
    A a;
    B b;

    constexpr float operator()(Site at) const requires Bias<A> && Bias<B> {
        return static_cast<float>(a(at)) + static_cast<float>(b(at));
    }
    constexpr float operator()(float score, Site at) const requires(!(Bias<A> && Bias<B>)) {
        return score_mods::apply(b, score_mods::apply(a, score, at), at);
    }
    constexpr float derivative(float score, Site at) const requires(!(Bias<A> && Bias<B>)) {
        return score_mods::derivative(b, score_mods::apply(a, score, at), at) * score_mods::derivative(a, score, at);
    }
};
template <ScoreMod A, ScoreMod B>
constexpr Composed<A, B> operator+(A a, B b) {
    return {std::move(a), std::move(b)};
}

}  // namespace tessera::inline TESSERA_ISA
