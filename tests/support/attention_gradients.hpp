// An attention whose gradients are compared with the reference, element by element, each with a tolerance of its own.
#pragma once
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <tessera/kernel/attention/backward.hpp>
#include <tessera/reference/attention_gradients.hpp>

namespace tessera::test {

using Numbers = Tensor<float, dyn, dyn>;

struct GradientSizes {
    Index heads, queries, keys, dim, key_heads = 0, gap = 0;  // `gap` floats lie between the rows
};

/// Random operands, with the reference's output and log-sum-exp, and what their rounding may do to the gradients.
struct GradientProblem {
    GradientSizes sizes;
    double scale;
    Dropout dropout = {};  // of the kernels
    Numbers q, k, v, d_out, out, dq, dk, dv;
    Tensor<float, dyn, dyn, dyn> d_scores;  // [H, T, S]
    Tensor<float, dyn, dyn> lse;            // [H, T]
    // Tolerances of dq, dk, dv and d_scores.
    Tensor<double, dyn, dyn> for_dq, for_dk, for_dv;
    Tensor<double, dyn, dyn, dyn> for_d_scores;

    explicit GradientProblem(const GradientSizes& s)
        : sizes(s),
          scale(1 / std::sqrt(static_cast<double>(s.dim))),
          q({s.queries, s.heads * s.dim}),
          k({s.keys, key_width()}),
          v(k),
          d_out(q),
          out(q),
          dq(q),
          dk(k),
          dv(k),
          d_scores({s.heads, s.queries, s.keys}),
          lse({s.heads, s.queries}),
          for_dq(q.extents()),
          for_dk(k.extents()),
          for_dv(k.extents()),
          for_d_scores(d_scores.extents()) {
        std::mt19937 random(static_cast<unsigned>(s.heads + 10 * s.queries + 1000 * s.keys + 100000 * s.dim));
        std::normal_distribution<float> normal;
        for (Numbers* x : {&q, &k, &v, &d_out})
            for (float& value : x->view()) value = normal(random);
        scale = static_cast<double>(static_cast<float>(scale));
    }

    Index key_width() const { return (sizes.key_heads == 0 ? sizes.heads : sizes.key_heads) * sizes.dim; }
    kernel::AttentionShape shape() const {
        const Index wide = sizes.heads * sizes.dim + sizes.gap, narrow = key_width() + sizes.gap;
        return {.heads = sizes.heads,
                .queries = sizes.queries,
                .keys = sizes.keys,
                .dim = sizes.dim,
                .q_stride = wide,
                .k_stride = narrow,
                .v_stride = narrow,
                .out_stride = wide,
                .scale = static_cast<float>(scale),
                .key_heads = sizes.key_heads,
                .dropout = dropout};
    }

    /// Fills in what the reference says under `mask` and `change`, and the tolerances.
    ///
    /// With e = 2⁻²⁴: a score is off by (d + 4)·e·size, where size = scale·Σ|q·k| + |what change adds|; so is, as it is
    /// rounded, the log-sum-exp by e·|lse|. A probability is off by as much, relative to itself, and 8·e for its
    /// exponential: that is `loose` below. Its gradient Σ d_out·v and their mean are off by (2·d + 9)·e·W with W the
    /// largest Σ|d_out·v| of the row, and are no larger than W each. A gradient is a sum of such products over S keys or
    /// T queries (of each head that shares the key), each adding one rounding.
    template <Mask M, ScoreMod C>
    void solve(const M& mask, const C& change) {
        reference::attention(out, q, k, v, sizes.heads, scale, mask, change, lse.data());
        reference::attention_gradients(dq, dk, dv, d_out, q, k, v, sizes.heads, scale, mask, change, d_scores.data());
        constexpr double e = 0x1p-24;
        const Index dim = sizes.dim, shared = q.extent(1) / key_width();
        const auto d = static_cast<double>(dim), over_queries = static_cast<double>(sizes.queries * shared + 2);
        for (auto* x : {&for_dq, &for_dk, &for_dv}) std::fill_n(x->data(), x->size(), 0.0);
        std::vector<double> p;
        for (Index h = 0; h < sizes.heads; ++h)
            for (Index i = 0; i < sizes.queries; ++i) {
                const Index own = reference::key_column(q, k, sizes.heads, h);
                const double sum = reference::probabilities(p, q, k, sizes.heads, h, i, scale, mask, change);
                double size = 0, weight = 0;
                for (Index j = 0; j < sizes.keys; ++j) {
                    if (!mask.allows(Site{h, i, j})) continue;
                    double product = 0, gradient = 0, score = 0;
                    for (Index c = 0; c < dim; ++c) {
                        const double one = double{q(i, h * dim + c)} * double{k(j, own + c)};
                        product += std::abs(one), score += one;
                        gradient += std::abs(double{d_out(i, h * dim + c)} * double{v(j, own + c)});
                    }
                    const double added = score_mods::apply(change, static_cast<float>(scale * score), Site{h, i, j});
                    if (std::isfinite(added)) size = std::max(size, scale * product + std::abs(added - scale * score));
                    weight = std::max(weight, gradient);
                }
                const double loose = e * ((d + 4) * size + (std::isinf(sum) ? 0 : std::abs(sum)) + 8);
                for (Index j = 0; j < sizes.keys; ++j) {
                    const double share = p[static_cast<std::size_t>(j)];
                    const double off = weight * (4 * loose + (2 * d + 9) * e);
                    for_d_scores(h, i, j) = share * off;
                    for (Index c = 0; c < dim; ++c) {
                        const Index at = h * dim + c;
                        for_dq(i, at) += scale * share * std::abs(double{k(j, own + c)}) *
                                         (off + 2 * weight * e * static_cast<double>(sizes.keys + 2));
                        for_dk(j, own + c) +=
                            scale * share * std::abs(double{q(i, at)}) * (off + 2 * weight * e * over_queries);
                        for_dv(j, own + c) += share * std::abs(double{d_out(i, at)}) * (loose + over_queries * e);
                    }
                }
            }
    }
};

/// What the kernel gives, with the gaps.
struct Gradients {
    Numbers dq, dk, dv;
};

inline Gradients attend_backward(const GradientProblem& p, MaskRef mask, const ScoreModRef& change = {},
                                 const kernel::BiasGradient& d_bias = {}) {
    const float hole = std::numeric_limits<float>::quiet_NaN();
    const auto spread = [&](const Numbers& x) {
        Numbers wide({x.extent(0), x.extent(1) + p.sizes.gap});
        std::fill_n(wide.data(), wide.size(), hole);
        for (Index i = 0; i < x.extent(0); ++i)
            std::copy_n(x.data() + i * x.extent(1), x.extent(1), wide.data() + i * wide.extent(1));
        return wide;
    };
    const auto empty = [&](const Numbers& x) {
        Numbers wide({x.extent(0), x.extent(1) + p.sizes.gap});
        for (float& value : wide.view()) value = 77;
        return wide;
    };
    const auto q = spread(p.q), k = spread(p.k), v = spread(p.v), d_out = spread(p.d_out), out = spread(p.out);
    Gradients g{empty(p.q), empty(p.k), empty(p.v)};
    Scratch scratch;
    kernel::attend_backward({.dq = g.dq.data(),
                             .dk = g.dk.data(),
                             .dv = g.dv.data(),
                             .d_out = d_out.data(),
                             .out = out.data(),
                             .lse = p.lse.data(),
                             .q = q.data(),
                             .k = k.data(),
                             .v = v.data()},
                            p.shape(), mask, scratch, change, d_bias);
    return g;
}

/// Checks that every number is within its tolerance, and that what lies between the rows is untouched.
inline void check_gradient(const char* name, const Numbers& found, const Numbers& want,
                           const Tensor<double, dyn, dyn>& tolerance) {
    double worst = 0;
    Index row = 0, column = 0;
    bool untouched = true;
    for (Index i = 0; i < found.extent(0); ++i)
        for (Index c = 0; c < found.extent(1); ++c) {
            if (c >= want.extent(1)) {
                untouched = untouched && found(i, c) == 77.0f;
                continue;
            }
            const double off = std::abs(double{found(i, c)} - double{want(i, c)});
            const double share = off == 0 ? 0 : off / (tolerance(i, c) + 1e-37);
            if (!(share <= worst)) worst = share, row = i, column = c;
        }
    INFO(std::string(name) << ": worst at row " << row << ", column " << column << ", "
                           << (found.size() == 0 ? 0 : found(row, column)) << " instead of "
                           << (found.size() == 0 ? 0 : want(row, column)));
    CHECK(worst < 1);
    CHECK(untouched);
}

template <Mask M, ScoreMod C = NoBias>
void check_gradients(const GradientSizes& sizes, const M& mask, const C& change = {}) {
    GradientProblem p(sizes);
    p.solve(mask, change);
    const Gradients found = attend_backward(p, mask, change);
    INFO(sizes.heads << " heads, " << sizes.queries << " x " << sizes.keys << " x " << sizes.dim);
    check_gradient("dq", found.dq, p.dq, p.for_dq);
    check_gradient("dk", found.dk, p.dk, p.for_dk);
    check_gradient("dv", found.dv, p.dv, p.for_dv);
}

}  // namespace tessera::test
