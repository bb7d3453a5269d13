// The gradients of attention, said as plainly as they can be: what the backward kernel is tested against.
#pragma once
#include <tessera/reference/attention.hpp>

namespace tessera::inline TESSERA_ISA::reference {

/// What `d_out`, the gradient of a loss by `out` of `attention`, gives for its inputs.
/// shape   d_out [T, H·d] → dq [T, H·d], dk, dv [S, K·d]; d_scores [H, T, S], if they are wanted: the gradient by the
///         changed scores, which is that by a bias added last
/// units   rows that see no key, and pairs the mask hides, give 0
/// cost    10·T·S·H·d flops in double, mask or no mask
template <Mask M, ScoreMod C = NoBias>
void attention_gradients(Matrix dq, Matrix dk, Matrix dv, ConstMatrix d_out, ConstMatrix q, ConstMatrix k,
                         ConstMatrix v, Index heads, double scale, const M& mask, const C& change = {},
                         float* d_scores = nullptr) {
    const Index queries = q.extent(0), keys = k.extent(0), width = q.extent(1) / heads;
    const auto size = static_cast<std::size_t>(k.size());
    std::vector<double> p, ds(static_cast<std::size_t>(keys)), dk_sum(size), dv_sum(size);
    for (Index head = 0; head < heads; ++head) {
        const Index first = head * width, key_first = key_column(q, k, heads, head);
        for (Index i = 0; i < queries; ++i) {
            probabilities(p, q, k, heads, head, i, scale, mask, change);
            double mean = 0;  // of the gradients by the probabilities, weighted with these
            for (Index j = 0; j < keys; ++j) {
                double& sum = ds[static_cast<std::size_t>(j)] = 0;
                if (!mask.allows(Site{head, i, j})) continue;
                for (Index c = 0; c < width; ++c) sum += double{d_out(i, first + c)} * double{v(j, key_first + c)};
                mean += p[static_cast<std::size_t>(j)] * sum;
            }
            std::vector<double> dq_sum(static_cast<std::size_t>(width));
            for (Index j = 0; j < keys; ++j) {
                const Site at{head, i, j};
                if (d_scores != nullptr) d_scores[(head * queries + i) * keys + j] = 0;
                if (!mask.allows(at)) continue;
                double gradient = p[static_cast<std::size_t>(j)] * (ds[static_cast<std::size_t>(j)] - mean);
                if (d_scores != nullptr) d_scores[(head * queries + i) * keys + j] = static_cast<float>(gradient);
                if constexpr (!Bias<C>) {
                    double score = 0;
                    for (Index c = 0; c < width; ++c) score += double{q(i, first + c)} * double{k(j, key_first + c)};
                    gradient *= double{score_mods::derivative(change, static_cast<float>(scale * score), at)};
                }
                for (Index c = 0; c < width; ++c) {
                    const auto place = static_cast<std::size_t>(j * k.extent(1) + key_first + c);
                    dq_sum[static_cast<std::size_t>(c)] += scale * gradient * double{k(j, key_first + c)};
                    dk_sum[place] += scale * gradient * double{q(i, first + c)};
                    dv_sum[place] += p[static_cast<std::size_t>(j)] * double{d_out(i, first + c)};
                }
            }
            for (Index c = 0; c < width; ++c)
                dq(i, first + c) = static_cast<float>(dq_sum[static_cast<std::size_t>(c)]);
        }
    }
    for (std::size_t at = 0; at < size; ++at) {
        dk.data()[at] = static_cast<float>(dk_sum[at]);
        dv.data()[at] = static_cast<float>(dv_sum[at]);
    }
}

}  // namespace tessera::inline TESSERA_ISA::reference
