// The specification itself against an independent one: PyTorch in float64.
#include <doctest/doctest.h>

#include <tessera/mask/catalog.hpp>
#include <tessera/reference/attention_gradients.hpp>

#include "support/attention_goldens.hpp"

namespace reference_attention {
using namespace tessera;

namespace {

/// Both sides compute in double and round once: two half ulps of the largest number, which is a few times the RMS.
constexpr double rounding = 1e-6;

template <class C>
void check(const test::AttentionGolden& g, const C& change) {
    using Numbers = test::AttentionGolden::Numbers;
    Numbers out(g.q.extents()), lse(g.lse.extents()), dq(g.q.extents()), dk(g.k.extents()), dv(g.k.extents());
    Tensor<float, dyn, dyn, dyn> d_scores({g.heads, g.queries, g.keys});
    reference::attention(out, g.q, g.k, g.v, g.heads, g.scale, *g.mask, change, lse.data());
    reference::attention_gradients(dq, dk, dv, g.d_out, g.q, g.k, g.v, g.heads, g.scale, *g.mask, change,
                                   d_scores.data());
    test::check_close("out", out.view().span(), g.out.view().span(), rounding);
    test::check_log_sums(lse.view().span(), g.lse.view().span(), rounding);
    test::check_close("dq", dq.view().span(), g.dq.view().span(), rounding);
    test::check_close("dk", dk.view().span(), g.dk.view().span(), rounding);
    test::check_close("dv", dv.view().span(), g.dv.view().span(), rounding);
    if (g.bias_table.size() == 0) return;
    Tensor<double, dyn, dyn> sums(g.bias_table.extents());
    for (Index h = 0; h < g.heads; ++h)
        for (Index i = 0; i < g.queries; ++i)
            for (Index j = 0; j < g.keys; ++j) sums(g.buckets(j - i - g.past), h) += double{d_scores(h, i, j)};
    Numbers d_table(sums.extents());
    std::transform(sums.data(), sums.data() + sums.size(), d_table.data(),
                   [](double x) { return static_cast<float>(x); });
    // Each score's gradient was rounded before they were added up.
    test::check_close("d_bias_table", d_table.view().span(), g.d_bias_table.view().span(), 3e-6);
}

TEST_CASE("outputs, log-sum-exps and gradients of every policy equal the goldens'") {
    const int cases = test::for_each_attention_golden([](const test::AttentionGolden& g) {
        if (g.bias)
            check(g, *g.bias);
        else
            check(g, NoBias{});
    });
    CHECK(cases >= 26);
}

TEST_CASE("gradients of shared keys are the sums over the heads that share them") {
    constexpr Index heads = 4, queries = 5, keys = 6, dim = 3;
    using Numbers = Tensor<float, dyn, dyn>;
    Numbers q({queries, heads * dim}), k({keys, 2 * dim}), wide_k({keys, heads * dim}), d_out(q);
    for (Index i = 0; i < q.size(); ++i) q.data()[i] = std::sin(static_cast<float>(i * i));
    for (Index i = 0; i < q.size(); ++i) d_out.data()[i] = std::cos(static_cast<float>(3 * i));
    for (Index i = 0; i < k.size(); ++i) k.data()[i] = std::sin(static_cast<float>(7 * i));
    for (Index j = 0; j < keys; ++j)
        for (Index c = 0; c < heads * dim; ++c) wide_k(j, c) = k(j, c / (2 * dim) * dim + c % dim);
    Numbers dq(q), dk(k), dv(k), same_dq(q), wide_dk(wide_k), wide_dv(wide_k);
    reference::attention_gradients(dq, dk, dv, d_out, q, k, k, heads, 0.5, Causal::after(1));
    reference::attention_gradients(same_dq, wide_dk, wide_dv, d_out, q, wide_k, wide_k, heads, 0.5, Causal::after(1));
    test::check_close("dq", dq.view().span(), same_dq.view().span(), 1e-7);
    Numbers sum_k(k.extents()), sum_v(k.extents());
    for (Index j = 0; j < keys; ++j)
        for (Index c = 0; c < heads * dim; ++c) {
            sum_k(j, c / (2 * dim) * dim + c % dim) += wide_dk(j, c);
            sum_v(j, c / (2 * dim) * dim + c % dim) += wide_dv(j, c);
        }
    test::check_close("dk", dk.view().span(), sum_k.view().span(), 1e-6);
    test::check_close("dv", dv.view().span(), sum_v.view().span(), 1e-6);
}

}  // namespace

}  // namespace reference_attention
