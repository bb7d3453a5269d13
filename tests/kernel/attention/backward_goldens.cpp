// The fused kernels, forward and backward, against PyTorch in float64.
#include <doctest/doctest.h>

#include <tessera/kernel/attention/backward.hpp>
#include <tessera/kernel/attention/forward.hpp>

#include "support/attention_goldens.hpp"

namespace kernel_attention_backward_goldens {
using namespace tessera;

namespace {

constexpr double outputs = 3e-5, gradients = 5e-5;  // tests/golden/make/README.template.md

template <ScoreMod C>
void check(const test::AttentionGolden& g, const C& bias) {
    using Numbers = test::AttentionGolden::Numbers;
    const Index wide = g.heads * g.dim;
    const kernel::AttentionShape shape{.heads = g.heads,
                                       .queries = g.queries,
                                       .keys = g.keys,
                                       .dim = g.dim,
                                       .q_stride = wide,
                                       .k_stride = wide,
                                       .v_stride = wide,
                                       .out_stride = wide,
                                       .scale = static_cast<float>(g.scale)};
    Numbers out(g.q.extents()), lse(g.lse.extents()), dq(g.q.extents()), dk(g.k.extents()), dv(g.k.extents());
    Scratch scratch;
    kernel::attend(out.data(), g.q.data(), g.k.data(), g.v.data(), shape, *g.mask, scratch, bias, lse.data());
    test::check_close("out", out.view().span(), g.out.view().span(), outputs);
    test::check_log_sums(lse.view().span(), g.lse.view().span(), outputs);
    const kernel::AttendGradients x{.dq = dq.data(),
                                    .dk = dk.data(),
                                    .dv = dv.data(),
                                    .d_out = g.d_out.data(),
                                    .out = out.data(),
                                    .lse = lse.data(),
                                    .q = g.q.data(),
                                    .k = g.k.data(),
                                    .v = g.v.data()};
    if constexpr (std::same_as<C, DiagonalBias>) {
        Numbers d_distances({g.heads, bias.width()}), d_table({g.buckets.buckets, g.heads});
        kernel::attend_backward(x, shape, *g.mask, scratch, bias, kernel::DiagonalGradient{d_distances.data(), bias});
        if (g.bias_table.size() > 0) {
            relative_bias_backward(d_table.view(), d_distances.view(), g.buckets, g.keys);
            test::check_close("d_bias_table", d_table.view().span(), g.d_bias_table.view().span(), gradients);
        }
    } else {
        kernel::attend_backward(x, shape, *g.mask, scratch, bias);
    }
    test::check_close("dq", dq.view().span(), g.dq.view().span(), gradients);
    test::check_close("dk", dk.view().span(), g.dk.view().span(), gradients);
    test::check_close("dv", dv.view().span(), g.dv.view().span(), gradients);
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

}  // namespace

}  // namespace kernel_attention_backward_goldens
