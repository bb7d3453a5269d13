// Cross entropy of rows of logits, and its gradient, in one go.
#pragma once
#include <array>
#include <cmath>
#include <limits>
#include <tessera/core/token.hpp>
#include <tessera/kernel/compiled.hpp>
#include <tessera/kernel/row/softmax.hpp>

namespace tessera::inline TESSERA_ISA::kernel {

/// For each row the loss −Σ q·log softmax(logits), with q = (1 − smoothing)·onehot(target) + smoothing/V; and where dlogits is
/// wanted, dlogits = scale·(softmax − q). A negative target leaves its row out: loss 0, gradient 0.
/// shape   logits [T, V], targets [T], each below V → losses [T], dlogits [T, V], which may be null, and may be logits
/// units   natural logarithms; a target of −∞ has the loss ∞, NaN fills its row. A row of nothing but −∞ has the loss ∞, and
///         its softmax counts as zeros, as in kernel/row/softmax
/// errors  none; the same bits at any number of threads
/// cost    one exp for each logit; a row is read from memory once and read and written for dlogits, where it fits in the
///         second-level cache; no softmax is stored where dlogits is null
/// source  torch.nn.functional.cross_entropy; Szegedy 2016 §7 (smoothing)
TESSERA_KERNEL void cross_entropy(float* losses, float* dlogits, const float* logits, const Token* targets, Index rows,
                                  Index size, float smoothing, float scale) noexcept;

/// The same for targets that are probabilities: dlogits = scale·(softmax·Σq − q), where Σq is 1 but for rounding.
/// shape   targets [T, V]; where they are 0, a logit of −∞ costs nothing
TESSERA_KERNEL void cross_entropy(float* losses, float* dlogits, const float* logits, const float* targets, Index rows,
                                  Index size, float scale) noexcept;

#if TESSERA_KERNEL_BODIES
/// Detail: Σ of each of `Sums` sums that f(i, n, sum) adds to for the numbers [i, i + n) of a row: floats in pieces short enough
/// that little is lost, those in double.
template <int Sums, class F>
std::array<double, Sums> sum_pieces(Index size, const F& f) {
    constexpr Index piece = 64 * width;
    std::array<double, Sums> total{};
    for (Index first = 0; first < size; first += piece) {
        Vec sum[Sums];
        unroll<Sums>([&](auto s) { sum[s] = broadcast(0.0f); });
        for_each_vec(std::min(piece, size - first), [&](Index i, Index n) { f(first + i, n, sum); });
        unroll<Sums>([&](auto s) { total[std::size_t(s)] += double{reduce_add(sum[s])}; });
    }
    return total;
}

/// Detail: exp(x[i] − shift) for the numbers [i, i + n), zero beyond.
inline Vec shifted_exp(Vec x, Vec shift, Index n) {
    const Vec e = exp(x - shift);
    return n == width ? e : select(first(n), e, broadcast(0.0f));
}

TESSERA_KERNEL void cross_entropy(float* losses, float* dlogits, const float* logits, const Token* targets, Index rows,
                                  Index size, float smoothing, float scale) noexcept {
    for_each_row(rows, size, [=](Index row) {
        const float* const x = logits + row * size;
        float* const d = dlogits == nullptr ? nullptr : dlogits + row * size;
        const Token target = targets[row];
        if (target < 0) {
            losses[row] = 0;
            if (d != nullptr) std::fill_n(d, size, 0.0f);
            return;
        }
        TESSERA_EXPECTS(target < size);
        const float top = largest(x, size), at_target = x[target];
        const float from = top == -std::numeric_limits<float>::infinity() ? 0.0f : top;
        const Vec shift = broadcast(from);
        const double uniform = double{smoothing} / static_cast<double>(size);
        const auto [total, distances] = sum_pieces<2>(size, [&](Index i, Index n, Vec* sum) {
            const Vec logit = load(x + i, n), e = shifted_exp(logit, shift, n), distance = logit - shift;
            if (d != nullptr) store(d + i, e, n);
            sum[0] += e;
            sum[1] += n == width ? distance : select(first(n), distance, broadcast(0.0f));
        });
        double expected = (1 - double{smoothing}) * (double{at_target} - double{from});  // Σ q·(x − from)
        if (smoothing != 0) expected += uniform * distances;                             // 0·−∞ would be NaN
        losses[row] =
            static_cast<float>(total == 0 ? std::numeric_limits<double>::infinity() : std::log(total) - expected);
        if (d == nullptr) return;
        const Vec each = broadcast(total == 0 ? 0.0f : static_cast<float>(double{scale} / total));
        const Vec less = broadcast(static_cast<float>(-double{scale} * uniform));
        const float e_target = d[target];
        for_each_vec(size, [&](Index i, Index n) { store(d + i, fma(load(d + i, n), each, less), n); });
        const double softmax = total == 0 ? 0.0 : double{e_target} / total;
        d[target] = static_cast<float>(double{scale} * (softmax - uniform - (1 - double{smoothing})));
    });
}

TESSERA_KERNEL void cross_entropy(float* losses, float* dlogits, const float* logits, const float* targets, Index rows,
                                  Index size, float scale) noexcept {
    for_each_row(rows, size, [=](Index row) {
        const float* const x = logits + row * size;
        const float* const q = targets + row * size;
        float* const d = dlogits == nullptr ? nullptr : dlogits + row * size;
        const float top = largest(x, size);
        const float from = top == -std::numeric_limits<float>::infinity() ? 0.0f : top;
        const Vec shift = broadcast(from), zero = broadcast(0.0f);
        const auto [total, mass, expected] = sum_pieces<3>(size, [&](Index i, Index n, Vec* sum) {
            const Vec logit = load(x + i, n), share = load(q + i, n), e = shifted_exp(logit, shift, n);
            if (d != nullptr) store(d + i, e, n);
            sum[0] += e;
            sum[1] += share;
            sum[2] += select(zero < share, share * (logit - shift), zero);
        });
        const bool empty = total == 0;
        losses[row] = static_cast<float>(empty ? (mass > 0 ? std::numeric_limits<double>::infinity() : 0.0)
                                               : mass * std::log(total) - expected);
        if (d == nullptr) return;
        const Vec each = broadcast(empty ? 0.0f : static_cast<float>(double{scale} * mass / total));
        const Vec less = broadcast(-scale);
        for_each_vec(size,
                     [&](Index i, Index n) { store(d + i, fma(load(d + i, n), each, load(q + i, n) * less), n); });
    });
}
#endif

}  // namespace tessera::inline TESSERA_ISA::kernel
