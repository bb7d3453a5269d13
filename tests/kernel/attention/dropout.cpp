// Attention that drops probabilities, forward and back, against plain loops in double with the mask written out.
#include <doctest/doctest.h>

#include <cstring>
#include <tessera/kernel/attention/forward.hpp>
#include <tessera/kernel/row/dropout.hpp>
#include <tessera/mask/score_mod/additive.hpp>
#include <tessera/mask/score_mod/soft_cap.hpp>

#include "support/attention_gradients.hpp"
#include "support/catalogue.hpp"

namespace kernel_attention_dropout {
using namespace tessera;

namespace {

using test::GradientProblem;
using test::Numbers;

/// What the probabilities of a head are multiplied with: the rows [T, S] under the row kernel.
std::vector<float> factors(const GradientProblem& p, Index head) {
    std::vector<float> ones(static_cast<std::size_t>(p.sizes.queries * p.sizes.keys), 1.0f);
    Dropout of_head = p.dropout;
    of_head.first += dropout_stream * static_cast<std::uint64_t>(head);
    kernel::dropout(ones.data(), ones.data(), p.sizes.queries * p.sizes.keys, of_head);
    return ones;
}

/// A problem with dropout, solved in double, with the tolerance of `out`.
struct Dropped : GradientProblem {
    Tensor<double, dyn, dyn> for_out;

    /// A factor of up to 1 / (1 − p) that is rounded multiplies each probability, and each gradient by one: it adds two roundings to
    /// terms that have at least eight, and makes errors so much larger.
    template <class C>
    Dropped(const test::GradientSizes& s, const AnyMask& mask, const C& change, const Dropout& how)
        : GradientProblem(s), for_out(q.extents()) {
        solve(mask, change);
        dropout = how;
        constexpr double e = 0x1p-24;
        const double larger = 1.25 / (1 - double{how.p});
        for (auto* tolerance : {&for_dq, &for_dk, &for_dv})
            for (double& x : tolerance->view()) x *= larger;
        for (double& x : for_d_scores.view()) x *= larger;
        Tensor<double, dyn, dyn> dk_sum(k.extents()), dv_sum(k.extents());
        for (auto* sum : {&dk_sum, &dv_sum}) std::fill_n(sum->data(), sum->size(), 0.0);
        std::vector<double> probability;
        for (Index h = 0; h < s.heads; ++h) {
            const std::vector<float> kept = factors(*this, h);
            const Index own = reference::key_column(q, k, s.heads, h);
            for (Index i = 0; i < s.queries; ++i) {
                const double sum = reference::probabilities(probability, q, k, s.heads, h, i, scale, mask, change);
                const auto factor = [&](Index j) { return double{kept[static_cast<std::size_t>(i * s.keys + j)]}; };
                const auto weight = [&](Index j) { return probability[static_cast<std::size_t>(j)]; };
                double size = 0, mean = 0;
                std::vector<double> by_probability(static_cast<std::size_t>(s.keys));
                for (Index j = 0; j < s.keys; ++j) {
                    if (!mask.allows(Site{h, i, j})) continue;
                    double product = 0, score = 0, gradient = 0;
                    for (Index c = 0; c < s.dim; ++c) {
                        const double one = double{q(i, h * s.dim + c)} * double{k(j, own + c)};
                        product += std::abs(one), score += one;
                        gradient += double{d_out(i, h * s.dim + c)} * double{v(j, own + c)};
                    }
                    const double added = score_mods::apply(change, static_cast<float>(scale * score), Site{h, i, j});
                    size = std::max(size, scale * product + std::abs(added - scale * score));
                    by_probability[static_cast<std::size_t>(j)] = factor(j) * gradient;
                    mean += weight(j) * factor(j) * gradient;
                }
                const double loose =
                    e * (static_cast<double>(s.dim + 4) * size + (std::isinf(sum) ? 0 : std::abs(sum)) + 8);
                for (Index c = 0; c < s.dim; ++c) {
                    const Index at = h * s.dim + c;
                    double value = 0, dq_sum = 0;
                    for_out(i, at) = 0;
                    for (Index j = 0; j < s.keys; ++j) {
                        if (!mask.allows(Site{h, i, j})) continue;
                        value += weight(j) * factor(j) * double{v(j, own + c)};
                        for_out(i, at) += larger * weight(j) * std::abs(double{v(j, own + c)}) *
                                          (2 * loose + 2 * static_cast<double>(s.keys + 12) * e);
                        double ds = weight(j) * (by_probability[static_cast<std::size_t>(j)] - mean);
                        if (c == 0) d_scores(h, i, j) = static_cast<float>(ds);
                        if constexpr (!Bias<C>) {
                            double score = 0;
                            for (Index d = 0; d < s.dim; ++d)
                                score += double{q(i, h * s.dim + d)} * double{k(j, own + d)};
                            ds *= double{
                                score_mods::derivative(change, static_cast<float>(scale * score), Site{h, i, j})};
                        }
                        dq_sum += scale * ds * double{k(j, own + c)};
                        dk_sum(j, own + c) += scale * ds * double{q(i, at)};
                        dv_sum(j, own + c) += weight(j) * factor(j) * double{d_out(i, at)};
                    }
                    out(i, at) = static_cast<float>(value);
                    dq(i, at) = static_cast<float>(dq_sum);
                }
            }
        }
        for (Index i = 0; i < k.size(); ++i) {
            dk.data()[i] = static_cast<float>(dk_sum.data()[i]);
            dv.data()[i] = static_cast<float>(dv_sum.data()[i]);
        }
    }
};

struct Output {
    Numbers out;
    Tensor<float, dyn, dyn> lse;
};
Output attend(const GradientProblem& p, MaskRef mask, const ScoreModRef& change = {}) {
    Output y{p.out, p.lse};
    for (float& x : y.out.view()) x = 77;
    Scratch scratch;
    kernel::attend(y.out.data(), p.q.data(), p.k.data(), p.v.data(), p.shape(), mask, scratch, change, y.lse.data());
    return y;
}

constexpr Dropout some{.p = 0.3f, .seed = 11, .first = std::uint64_t{3} << 32};

template <class C = NoBias>
void check(const test::GradientSizes& sizes, const AnyMask& mask, const C& change = {}, const Dropout& how = some) {
    const Dropped p(sizes, mask, change, how);
    INFO(sizes.heads << " heads, " << sizes.queries << " x " << sizes.keys << " x " << sizes.dim);
    test::check_gradient("out", attend(p, mask, change).out, p.out, p.for_out);
    const test::Gradients found = test::attend_backward(p, mask, change);
    test::check_gradient("dq", found.dq, p.dq, p.for_dq);
    test::check_gradient("dk", found.dk, p.dk, p.for_dk);
    test::check_gradient("dv", found.dv, p.dv, p.for_dv);
}

bool same(const Numbers& a, const Numbers& b) {
    return std::memcmp(a.data(), b.data(), sizeof(float) * static_cast<std::size_t>(a.size())) == 0;
}

}  // namespace

TEST_CASE("output and gradients equal those of an explicit mask, under every mask of the catalogue") {
    for (const test::GradientSizes& sizes : {test::GradientSizes{.heads = 2, .queries = 1, .keys = 1, .dim = 4},
                                             {.heads = 3, .queries = 7, .keys = 33, .dim = 17},
                                             {.heads = 2, .queries = 70, .keys = 65, .dim = 12}}) {
        const test::Catalogue catalogue(sizes.queries, sizes.keys);
        for (const test::NamedMask& mask : catalogue) {
            CAPTURE(mask.name);
            check(sizes, mask.mask);
        }
    }
}

TEST_CASE(
    "single queries, wide heads, shared keys, several blocks and shares of the keys, numbers whose lower half "
    "overflows") {
    for (const AnyMask& mask : {AnyMask(Full{}), AnyMask(Random{.density = 0.3, .seed = 4, .by_head = true})}) {
        for (const Index queries : {2, 8, 9, 17, 33, 40})
            check({.heads = 2, .queries = queries, .keys = 20, .dim = 8}, mask);
        check({.heads = 2, .queries = 33, .keys = 40, .dim = 88}, mask);
        check({.heads = 6, .queries = 35, .keys = 50, .dim = 16, .key_heads = 2}, mask);
        check({.heads = 1, .queries = 40, .keys = 1100, .dim = 4}, mask);
        check({.heads = 2, .queries = 130, .keys = 600, .dim = 4, .key_heads = 1}, mask);
        check({.heads = 2, .queries = 33, .keys = 40, .dim = 8}, mask, NoBias{}, {.p = 0.9f, .seed = 2, .first = 0});
    }
}

TEST_CASE("under score modifiers, of which one learns") {
    constexpr test::GradientSizes sizes{.heads = 2, .queries = 37, .keys = 41, .dim = 8};
    Tensor<float, dyn, dyn, dyn> table({2, 37, 41}), d_table({2, 37, 41});
    for (Index i = 0; i < table.size(); ++i) table.data()[i] = std::sin(static_cast<float>(i));
    const AdditiveBias bias{table};
    const AnyMask mask = Causal::bottom_right(37, 41);
    check(sizes, mask, bias);
    check(sizes, mask, SoftCap{2.0f});
    const Dropped p(sizes, mask, bias, some);
    test::attend_backward(p, mask, bias, kernel::AdditiveGradient{d_table});
    double worst = 0;
    for (Index i = 0; i < table.size(); ++i) {
        const double off = std::abs(double{d_table.data()[i]} - double{p.d_scores.data()[i]});
        worst = std::max(worst, off == 0 ? 0 : off / (p.for_d_scores.data()[i] + 1e-37));
    }
    CHECK(worst < 1);
}

TEST_CASE("the log-sum-exp is that of all probabilities; without dropout, seed and number are not looked at") {
    for (const Index queries : {5, 40}) {
        GradientProblem p({.heads = 2, .queries = queries, .keys = 300, .dim = 8});
        const Output all = attend(p, Full{});
        p.dropout = {.p = 0, .seed = 4, .first = 9};
        CHECK(same(attend(p, Full{}).out, all.out));
        p.dropout.p = 0.5f;
        const Output half = attend(p, Full{});
        CHECK_FALSE(same(half.out, all.out));
        if (queries == 40)  // fewer go another way without dropout
            CHECK(std::memcmp(half.lse.data(), all.lse.data(), static_cast<std::size_t>(all.lse.size()) * 4) == 0);
    }
}

TEST_CASE("the mean over many seeds is the attention without dropout, within five standard deviations") {
    GradientProblem p({.heads = 2, .queries = 9, .keys = 21, .dim = 4});
    p.solve(AnyMask(Full{}), NoBias{});
    constexpr int seeds = 2000;
    constexpr float rate = 0.4f;
    std::vector<double> sum(static_cast<std::size_t>(p.out.size()));
    for (int seed = 0; seed < seeds; ++seed) {
        p.dropout = {.p = rate, .seed = static_cast<std::uint64_t>(seed), .first = 0};
        const Output y = attend(p, Full{});
        for (Index i = 0; i < y.out.size(); ++i) sum[static_cast<std::size_t>(i)] += double{y.out.data()[i]};
    }
    std::vector<double> probability;
    double worst = 0;
    for (Index h = 0; h < 2; ++h)
        for (Index i = 0; i < 9; ++i) {
            reference::probabilities(probability, p.q, p.k, 2, h, i, p.scale, AnyMask(Full{}));
            for (Index c = 4 * h; c < 4 * h + 4; ++c) {
                double variance = 0;  // each term is 1 / (1 − p) times itself, or nothing
                for (Index j = 0; j < 21; ++j)
                    variance += std::pow(probability[static_cast<std::size_t>(j)] * double{p.v(j, c)}, 2) *
                                double{rate} / (1 - double{rate});
                const double mean = sum[static_cast<std::size_t>(i * 8 + c)] / seeds;
                worst = std::max(worst, std::abs(mean - double{p.out(i, c)}) / std::sqrt(variance / seeds));
            }
        }
    CHECK(worst > 1);  // or the bound is no bound
    CHECK(worst < 5);
}

TEST_CASE("the same bits at any number of threads") {
    const int usual = kernel::threads();
    for (const Index queries : {5, 70}) {
        const AnyMask mask = Causal::bottom_right(queries, 1100);
        const Dropped p({.heads = 3, .queries = queries, .keys = 1100, .dim = 4}, mask, NoBias{}, some);
        kernel::set_threads(1);
        const Output one = attend(p, mask);
        const test::Gradients back = test::attend_backward(p, mask);
        for (const int count : {2, 3}) {
            kernel::set_threads(count);
            CHECK(same(attend(p, mask).out, one.out));
            const test::Gradients other = test::attend_backward(p, mask);
            CHECK(same(other.dq, back.dq));
            CHECK(same(other.dk, back.dk));
            CHECK(same(other.dv, back.dv));
        }
        kernel::set_threads(usual);
    }
}

}  // namespace kernel_attention_dropout
