// Attention, said as plainly as it can be: what every kernel is tested against.
#pragma once
#include <cmath>
#include <limits>
#include <tessera/mask/mask.hpp>
#include <tessera/mask/score_mod/score_mod.hpp>
#include <vector>

namespace tessera::inline TESSERA_ISA::reference {

/// Rows of any width; heads lie side by side in a row.
using Matrix = View<float, dyn, dyn>;
using ConstMatrix = View<const float, dyn, dyn>;

/// The first column of the keys and values that `head` looks at: with fewer heads of keys than of queries, neighbouring
/// heads share them (grouped-query attention).
inline Index key_column(ConstMatrix q, ConstMatrix k, Index heads, Index head) {
    const Index width = q.extent(1) / heads, key_heads = k.extent(1) / width;
    return head / (heads / key_heads) * width;
}

/// `apply` in double, as far as a transform lets it.
template <ScoreMod C>
double changed_score(const C& change, double score, Site at) {
    if constexpr (Bias<C>)
        return score + double{change(at)};
    else
        return double{change(static_cast<float>(score), at)};
}

/// The probabilities with which query row `query` of `head` looks at each key; a key that `mask` hides has exactly 0,
/// and its score is never looked at.
/// shape   q [T, H·d], k [S, K·d] → p [S]
/// units   returns the log-sum-exp of the visible scores, −∞ (and p = 0) where nothing is visible
template <Mask M, ScoreMod C = NoBias>
double probabilities(std::vector<double>& p, ConstMatrix q, ConstMatrix k, Index heads, Index head, Index query,
                     double scale, const M& mask, const C& change = {}) {
    const Index keys = k.extent(0), width = q.extent(1) / heads, own = key_column(q, k, heads, head);
    double top = -std::numeric_limits<double>::infinity(), sum = 0;
    p.assign(static_cast<std::size_t>(keys), 0.0);
    for (Index j = 0; j < keys; ++j) {
        if (!mask.allows(Site{head, query, j})) continue;
        double score = 0;
        for (Index c = 0; c < width; ++c) score += double{q(query, head * width + c)} * double{k(j, own + c)};
        score = changed_score(change, scale * score, Site{head, query, j});
        p[static_cast<std::size_t>(j)] = score;
        if (!(score <= top)) top = score;  // so that NaN becomes the top, and everything after it NaN
    }
    if (std::isinf(top) && top < 0) {
        p.assign(static_cast<std::size_t>(keys), 0.0);
        return top;
    }
    for (Index j = 0; j < keys; ++j) {
        if (!mask.allows(Site{head, query, j})) continue;
        double& x = p[static_cast<std::size_t>(j)];
        sum += x = std::exp(x - top);
    }
    for (double& x : p) x /= sum;
    return top + std::log(sum);
}

/// out = softmax(change(scale · q kᵀ), where mask allows) · v, head by head.
/// shape   q [T, H·d], k, v [S, K·d] → out [T, H·d]; lse [H, T], if it is wanted
/// units   rows that see no key give 0, and −∞ in lse
/// cost    4·T·S·H·d flops in double, mask or no mask
/// source  Vaswani et al. 2017, eq. 1
template <Mask M, ScoreMod C = NoBias>
void attention(Matrix out, ConstMatrix q, ConstMatrix k, ConstMatrix v, Index heads, double scale, const M& mask,
               const C& change = {}, float* lse = nullptr) {
    const Index width = q.extent(1) / heads;
    std::vector<double> p;
    for (Index head = 0; head < heads; ++head)
        for (Index i = 0; i < q.extent(0); ++i) {
            const double sum = probabilities(p, q, k, heads, head, i, scale, mask, change);
            if (lse != nullptr) lse[head * q.extent(0) + i] = static_cast<float>(sum);
            const Index own = key_column(q, v, heads, head);
            for (Index c = 0; c < width; ++c) {
                double value = 0;
                for (Index j = 0; j < k.extent(0); ++j)
                    if (mask.allows(Site{head, i, j})) value += p[static_cast<std::size_t>(j)] * double{v(j, own + c)};
                out(i, head * width + c) = static_cast<float>(value);
            }
        }
}

}  // namespace tessera::inline TESSERA_ISA::reference
