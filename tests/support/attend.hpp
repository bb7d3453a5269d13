// Attention compared with its reference, number by number, each with a tolerance that is derived from its operands.
#pragma once
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <random>
#include <tessera/kernel/attention/forward.hpp>
#include <tessera/mask/any.hpp>
#include <tessera/mask/catalog/predicate.hpp>
#include <tessera/reference/attention.hpp>
#include <vector>

namespace tessera::test {

inline constexpr float infinity = std::numeric_limits<float>::infinity();
inline constexpr float nan = std::numeric_limits<float>::quiet_NaN();

/// Queries, keys and values of one attention; `gap` numbers lie between the rows.
struct Problem {
    Index heads, queries, keys, dim, gap, key_heads;
    float scale = 1 / std::sqrt(static_cast<float>(dim));
    Tensor<float, dyn, dyn> q, k, v;

    Problem(Index h, Index t, Index s, Index d, Index between = 0, Index of_keys = 0)
        : heads(h),
          queries(t),
          keys(s),
          dim(d),
          gap(between),
          key_heads(of_keys == 0 ? h : of_keys),
          q({t, width()}),
          k({s, key_heads * d}),
          v({s, key_heads * d}) {
        std::mt19937 random(static_cast<unsigned>(h + 10 * t + 1000 * s + 100000 * d));
        std::normal_distribution<float> normal;
        for (auto* x : {&q, &k, &v})
            for (float& value : x->view()) value = normal(random);
    }

    Index width() const { return heads * dim; }
    kernel::AttentionShape shape() const {
        const Index own = key_heads * dim + gap;
        return {heads, queries, keys, dim, width() + gap, own, own, width() + gap, scale, key_heads};
    }
};

/// How far numbers of one query and head may be from the sums in double. A score is a sum of d products, scaled: d + 3
/// roundings of partial sums no larger than size = scale·Σ|q·k|, or than what it is changed to, and a change adds up to
/// eight; its exponential moves by as much, relative to itself, and by 3 ulp of its own. Numerator and denominator add up
/// to S + 12 roundings each.
template <ScoreMod C>
double tolerance(const Problem& p, Index head, Index query, const AnyMask& mask, const C& change) {
    double size = 0, value = 0;
    const Index own = head / (p.heads / p.key_heads) * p.dim;
    for (Index j = 0; j < p.keys; ++j) {
        if (!mask.allows(Site{head, query, j})) continue;
        double sum = 0, signed_sum = 0;
        for (Index c = 0; c < p.dim; ++c) {
            const double product = double{p.q(query, head * p.dim + c)} * double{p.k(j, own + c)};
            sum += std::abs(product), signed_sum += product;
            value = std::max(value, std::abs(double{p.v(j, own + c)}));
        }
        const float score = static_cast<float>(p.scale * signed_sum);
        size =
            std::max({size, p.scale * sum, std::abs(double{score_mods::apply(change, score, Site{head, query, j})})});
    }
    const double half_ulp = 0x1p-24;
    return 2 * half_ulp * (static_cast<double>(p.dim + 11) * size + 6 + static_cast<double>(p.keys + 12)) * value;
}

struct Result {
    Tensor<float, dyn, dyn> out;  // with the gaps
    Tensor<float, dyn> lse;
};

/// The kernel's result with keys and values of T and queries of Q; what lies between the rows of its operands is NaN, and 77 in
/// what it writes.
template <class T = float, ScoreMod C = NoBias, class Q = T>
Result attend(const Problem& p, const AnyMask& mask, const C& change = {}) {
    const auto spread = [&]<class Number>(const Tensor<float, dyn, dyn>& x, Number) {
        const Index row = x.extent(1), stride = row + p.gap;
        std::vector<Number> wide(static_cast<std::size_t>(x.extent(0) * stride));
        const auto number = [](float value) {
            if constexpr (std::same_as<Number, bf16>)
                return to_bf16(value);
            else
                return value;
        };
        for (Index i = 0; i < x.extent(0); ++i)
            for (Index c = 0; c < stride; ++c)
                wide[static_cast<std::size_t>(i * stride + c)] = number(c < row ? x(i, c) : nan);
        return wide;
    };
    const auto q = spread(p.q, Q{});
    const auto k = spread(p.k, T{}), v = spread(p.v, T{});
    Result result{Tensor<float, dyn, dyn>({p.queries, p.width() + p.gap}), Tensor<float, dyn>({p.heads * p.queries})};
    for (float& x : result.out.view()) x = 77;
    for (float& x : result.lse.view()) x = 77;
    Scratch scratch;
    kernel::attend(result.out.data(), q.data(), k.data(), v.data(), p.shape(), mask, scratch, change,
                   result.lse.data());
    return result;
}

/// Every number has to be within its tolerance of the reference, and what lies between the rows untouched.
template <class T = float, ScoreMod C = NoBias>
void check_attention(const Problem& p, const AnyMask& mask, const C& change = {}) {
    const Result found = attend<T>(p, mask, change);
    Tensor<float, dyn, dyn> expected({p.queries, p.width()});
    Tensor<float, dyn> lse({p.heads * p.queries});
    reference::attention(expected, p.q, p.k, p.v, p.heads, double{p.scale}, mask, change, lse.data());
    double worst = 0, worst_lse = 0;
    bool untouched = true, zeros = true;
    for (Index i = 0; i < p.queries; ++i) {
        for (Index h = 0; h < p.heads; ++h) {
            const double allowed = tolerance(p, h, i, mask, change);
            for (Index c = h * p.dim; c < (h + 1) * p.dim; ++c) {
                const double difference = std::abs(double{found.out(i, c)} - double{expected(i, c)});
                if (allowed == 0)
                    zeros = zeros && found.out(i, c) == 0.0f;  // nothing visible
                else
                    worst = std::max(worst, difference >= 0 ? difference / allowed : double{infinity});
            }
            const float one = found.lse(h * p.queries + i), other = lse(h * p.queries + i);
            if (other == -infinity)
                zeros = zeros && one == other;
            else
                worst_lse = std::max(worst_lse, std::abs(double{one} - double{other}) / (1 + std::abs(double{other})));
        }
        for (Index c = p.width(); c < p.width() + p.gap; ++c) untouched = untouched && found.out(i, c) == 77.0f;
    }
    CAPTURE(p.heads);
    CAPTURE(p.queries);
    CAPTURE(p.keys);
    CAPTURE(p.dim);
    CHECK(worst < 1);
    CHECK(worst_lse < 4e-6);
    CHECK(zeros);
    CHECK(untouched);
}

/// Neither causal nor anything else a kernel could know.
inline AnyMask odd_mask() {
    return Predicate{[](Site at) { return (at.query * 7 + at.key * 5 + at.head) % 3 == 1; }};
}

}  // namespace tessera::test
