// Gradients of attention whose scores are changed by biases and modifiers: against the reference, and against differences
// of a loss in double.
#include <doctest/doctest.h>

#include <functional>
#include <tessera/mask/score_mod/additive.hpp>
#include <tessera/mask/score_mod/soft_cap.hpp>

#include "support/attention_gradients.hpp"
#include "support/catalogue.hpp"

namespace kernel_attention_backward_score_mods {
using namespace tessera;

namespace {

using kernel::AdditiveGradient;
using kernel::DiagonalGradient;
using test::GradientProblem;
using test::Gradients;
using Cube = Tensor<float, dyn, dyn, dyn>;

template <class T>
void randomize(T& x, unsigned seed) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal;
    for (float& value : x.view()) value = normal(random);
}

/// A bias for each distance, from numbers in the order of DiagonalBias::place.
DiagonalBias diagonal(const test::Numbers& numbers, Index queries, Index keys) {
    return {numbers.extent(0), queries, keys,
            [&](Index head, Index distance) { return numbers(head, keys - 1 - distance); }};
}

/// The three gradients, and that of the bias where there is a place for it.
template <ScoreMod C>
void check(GradientProblem& p, const AnyMask& mask, const C& change, const kernel::BiasGradient& d_bias = {}) {
    p.solve(mask, change);
    const Gradients found = test::attend_backward(p, mask, change, d_bias);
    test::check_gradient("dq", found.dq, p.dq, p.for_dq);
    test::check_gradient("dk", found.dk, p.dk, p.for_dk);
    test::check_gradient("dv", found.dv, p.dv, p.for_dv);
}

/// Compares the gradient by the numbers that fall together according to `place`(head, query, key) with the sum of those
/// of the scores, each times `factor`.
template <class Place, class Factor>
void check_bias(const GradientProblem& p, std::span<const float> found, const Place& place, const Factor& factor) {
    std::vector<double> want(found.size()), tolerance(found.size());
    const auto [heads, queries, keys] = p.d_scores.extents();
    for (Index h = 0; h < heads; ++h)
        for (Index i = 0; i < queries; ++i)
            for (Index j = 0; j < keys; ++j) {
                const auto at = static_cast<std::size_t>(place(h, i, j));
                const double one = double{p.d_scores(h, i, j)};
                want[at] += one * factor(h, i, j);
                tolerance[at] += p.for_d_scores(h, i, j) + 0x1p-24 * static_cast<double>(queries + 3) * std::abs(one);
            }
    double worst = 0;
    for (std::size_t at = 0; at < found.size(); ++at) {
        const double off = std::abs(double{found[at]} - want[at]);
        worst = std::max(worst, off == 0 ? 0 : off / (tolerance[at] + 1e-37));
    }
    CHECK(worst < 1);
}
constexpr auto unchanged = [](Index, Index, Index) { return 1.0; };

TEST_CASE("gradients under biases and modifiers, and of the biases, equal the reference's") {
    const auto all = [](const test::GradientSizes& sizes, const AnyMask& mask) {
        GradientProblem p(sizes);
        const Index heads = sizes.heads, queries = sizes.queries, keys = sizes.keys;
        const auto site = [&](Index h, Index i, Index j) { return (h * queries + i) * keys + j; };
        CAPTURE(queries);
        CAPTURE(keys);

        test::Numbers distances({heads, queries + keys - 1}), d_distances(distances);
        randomize(distances, 1), randomize(d_distances, 2);
        const DiagonalBias by_distance = diagonal(distances, queries, keys);
        const auto place = [&](Index h, Index i, Index j) { return h * by_distance.width() + by_distance.place(i, j); };
        check(p, mask, by_distance, DiagonalGradient{d_distances.data(), by_distance});
        check_bias(p, d_distances.view().span(), place, unchanged);

        Cube table({heads, queries, keys}), d_table(table), shared({1, queries, keys}), d_shared(shared);
        randomize(table, 3), randomize(d_table, 4), randomize(shared, 5), randomize(d_shared, 6);
        check(p, mask, AdditiveBias{table}, AdditiveGradient{d_table});
        check_bias(p, d_table.view().span(), site, unchanged);
        check(p, mask, AdditiveBias{shared}, AdditiveGradient{d_shared});
        check_bias(
            p, d_shared.view().span(), [&](Index, Index i, Index j) { return site(0, i, j); }, unchanged);

        check(p, mask, std::function<float(Site)>([](Site at) { return 0.3f * static_cast<float>(at.key % 4); }));
        check(p, mask, SoftCap{1.5f});
        // Capped first, then biased: the bias learns from the gradient of what comes out.
        check(p, mask, SoftCap{1.5f} + AdditiveBias{table}, AdditiveGradient{d_table});
        check_bias(p, d_table.view().span(), site, unchanged);
        // Biased first: from what the cap lets through.
        const auto biased_first = AdditiveBias{table} + SoftCap{2.0f};
        check(p, mask, biased_first, AdditiveGradient{d_table});
        check_bias(p, d_table.view().span(), site, [&](Index h, Index i, Index j) {
            const Index dim = sizes.dim, own = reference::key_column(p.q, p.k, heads, h);
            double score = 0;
            for (Index c = 0; c < dim; ++c) score += double{p.q(i, h * dim + c)} * double{p.k(j, own + c)};
            return double{score_mods::derivative(biased_first, static_cast<float>(p.scale * score), Site{h, i, j})};
        });
    };
    for (const AnyMask& mask : {AnyMask(Full{}), AnyMask(Random{.density = 0.3, .seed = 2, .by_head = true})}) {
        all({.heads = 2, .queries = 35, .keys = 41, .dim = 12}, mask);
        all({.heads = 1, .queries = 3, .keys = 1, .dim = 4}, mask);
        all({.heads = 4, .queries = 33, .keys = 260, .dim = 4, .key_heads = 2}, mask);  // two shares for one table
    }
}

/// Attention in double, and a loss: the sum of its outputs, weighted.
struct Loss {
    enum class Change { none, distance, table, cap, cap_and_table, table_and_cap };
    static constexpr double limit = 1.5;

    Index heads, queries, keys, dim;
    AnyMask mask;
    Change change;
    std::vector<double> weights;  // [T, H·d]

    /// x holds q, k, v and the bias's numbers.
    double operator()(const std::vector<double>& x) const {
        const Index wide = heads * dim;
        const double* const q = x.data();
        const double* const k = q + queries * wide;
        const double* const v = k + keys * wide;
        const double* const bias = v + keys * wide;
        const auto bias_of = [&](Index h, Index i, Index j) {
            return bias[change == Change::distance ? h * (queries + keys - 1) + keys - 1 - j + i
                                                   : (h * queries + i) * keys + j];
        };
        const auto capped = [](double score) { return limit * std::tanh(score / limit); };
        double loss = 0;
        std::vector<double> p(static_cast<std::size_t>(keys));
        for (Index h = 0; h < heads; ++h)
            for (Index i = 0; i < queries; ++i) {
                double sum = 0;
                for (Index j = 0; j < keys; ++j) {
                    double& share = p[static_cast<std::size_t>(j)] = 0;
                    if (!mask.allows({h, i, j})) continue;
                    double score = 0;
                    for (Index c = h * dim; c < (h + 1) * dim; ++c) score += q[i * wide + c] * k[j * wide + c];
                    score /= std::sqrt(static_cast<double>(dim));
                    if (change == Change::cap || change == Change::cap_and_table) score = capped(score);
                    if (change != Change::none && change != Change::cap) score += bias_of(h, i, j);
                    if (change == Change::table_and_cap) score = capped(score);
                    sum += share = std::exp(score);
                }
                if (sum == 0) continue;
                for (Index c = h * dim; c < (h + 1) * dim; ++c)
                    for (Index j = 0; j < keys; ++j)
                        loss += weights[static_cast<std::size_t>(i * wide + c)] * p[static_cast<std::size_t>(j)] / sum *
                                v[j * wide + c];
            }
        return loss;
    }
};

TEST_CASE("gradients equal differences in double for random compositions of masks and score modifiers") {
    using Change = Loss::Change;
    constexpr Index heads = 2, queries = 35, keys = 38, dim = 4;
    const test::Catalogue catalogue(queries, keys);
    std::mt19937 random(11);
    const auto random_below = [&](std::size_t count) { return static_cast<std::size_t>(random() % count); };
    std::normal_distribution<double> normal;
    GradientProblem p({.heads = heads, .queries = queries, .keys = keys, .dim = dim});
    for (int round = 0; round < 120; ++round) {
        const test::Composition composed = test::compose_randomly(catalogue, random_below, 3);
        const AnyMask& mask = composed.whole.mask;
        const auto change = static_cast<Change>(round % 6);
        CAPTURE(composed.whole.name);
        CAPTURE(round % 6);

        test::Numbers distances({heads, queries + keys - 1}), d_distances(distances);
        Cube table({heads, queries, keys}), d_table(table);
        randomize(distances, static_cast<unsigned>(random())), randomize(table, static_cast<unsigned>(random()));
        const DiagonalBias by_distance = diagonal(distances, queries, keys);
        const AdditiveBias added{table};
        const SoftCap cap{static_cast<float>(Loss::limit)};
        Gradients found{p.dq, p.dk, p.dv};
        const auto gradients = [&](const auto& how, const auto& d_bias) {
            reference::attention(p.out, p.q, p.k, p.v, heads, p.scale, mask, how, p.lse.data());
            found = test::attend_backward(p, mask, how, d_bias);
        };
        if (change == Change::none) gradients(NoBias{}, kernel::BiasGradient{});
        if (change == Change::distance) gradients(by_distance, DiagonalGradient{d_distances.data(), by_distance});
        if (change == Change::table) gradients(added, AdditiveGradient{d_table});
        if (change == Change::cap) gradients(cap, kernel::BiasGradient{});
        if (change == Change::cap_and_table) gradients(cap + added, AdditiveGradient{d_table});
        if (change == Change::table_and_cap) gradients(added + cap, AdditiveGradient{d_table});

        std::vector<double> x, gradient;
        const auto append = [](std::vector<double>& to, std::span<const float> from) {
            to.insert(to.end(), from.begin(), from.end());
        };
        for (const test::Numbers* part : {&p.q, &p.k, &p.v}) append(x, part->view().span());
        for (const test::Numbers* part : {&found.dq, &found.dk, &found.dv}) append(gradient, part->view().span());
        if (change == Change::distance) append(x, distances.view().span()), append(gradient, d_distances.view().span());
        if (change == Change::table || change >= Change::cap_and_table)
            append(x, table.view().span()), append(gradient, d_table.view().span());

        Loss loss{heads, queries, keys, dim, mask, change, {}};
        append(loss.weights, p.d_out.view().span());
        double squares = 0;
        for (const double g : gradient) squares += g * g;
        for (int direction = 0; direction < 3; ++direction) {
            // Error of a central difference: a third derivative times step², and 1e-16 / step of rounding.
            constexpr double step = 1e-5;
            std::vector<double> ahead(x), behind(x);
            double slope = 0;
            for (std::size_t i = 0; i < x.size(); ++i) {
                const double along = normal(random);
                ahead[i] += step * along, behind[i] -= step * along;
                slope += along * gradient[i];
            }
            const double difference = (loss(ahead) - loss(behind)) / (2 * step);
            CHECK(std::abs(slope - difference) <= 3e-6 * std::sqrt(squares) + 1e-7);
        }
    }
}

}  // namespace

}  // namespace kernel_attention_backward_score_mods
