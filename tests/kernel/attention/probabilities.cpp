#include <tessera/kernel/attention/probabilities.hpp>

#include <doctest/doctest.h>

#include <tessera/mask/catalog.hpp>

#include "support/attend.hpp"

namespace kernel_attention_probabilities {
using namespace tessera;
using test::Problem;

namespace {

/// Score and log-sum-exp are off by (d + 11) roundings of what they are made of, and by one of themselves; a probability
/// by that much of itself, and 3 ulp.
template <ScoreMod C>
void check(const Problem& p, const AnyMask& mask, const C& change) {
    const auto lse = test::attend(p, mask, change).lse;
    const Index width = p.width(), own = p.key_heads * p.dim;
    Tensor<float, dyn, dyn> found({p.queries, p.keys});
    Scratch scratch;
    std::vector<double> expected;
    for (Index head = 0; head < p.heads; ++head) {
        for (float& x : found.view()) x = 77;
        kernel::attention_probabilities(
            found.data(), p.q.data(), p.k.data(), head, lse.data(),
            {p.heads, p.queries, p.keys, p.dim, width, own, own, width, p.scale, p.key_heads}, mask, scratch, change);
        double worst = 0;
        bool hidden_are_zero = true;
        for (Index i = 0; i < p.queries; ++i) {
            reference::probabilities(expected, p.q, p.k, p.heads, head, i, double{p.scale}, mask, change);
            double norm = std::log(static_cast<double>(p.keys));
            for (Index j = 0; j < p.keys; ++j) {
                double sum = 1;
                for (Index c = 0; c < p.dim; ++c)
                    sum += p.scale * std::abs(double{p.q(i, head * p.dim + c)} *
                                              double{p.k(j, head / (p.heads / p.key_heads) * p.dim + c)});
                norm = std::max(norm, sum);
            }
            for (Index j = 0; j < p.keys; ++j) {
                const double want = expected[static_cast<std::size_t>(j)], got = double{found(i, j)};
                if (!mask.allows({head, i, j})) {
                    hidden_are_zero = hidden_are_zero && got == 0;
                    continue;
                }
                const double allowed = 0x1p-23 * (2 * static_cast<double>(p.dim + 12) * norm + 6) * want + 0x1p-126;
                worst = std::max(worst, std::abs(got - want) / allowed);
            }
        }
        CHECK(worst < 1);
        CHECK(hidden_are_zero);
    }
}

}  // namespace

TEST_CASE("probabilities equal the reference's, and are zero where the mask hides") {
    for (const Index queries : {1, 7, 33})
        for (const Index keys : {1, 40, 257}) {
            const Problem p(4, queries, keys, 24, 0, 2);
            check(p, Full{}, NoBias{});
            check(p, Causal::bottom_right(queries, keys), NoBias{});
            check(p, test::odd_mask(), SoftCap{1.5f});
            check(p, ~AnyMask(Full{}), NoBias{});
        }
}

}  // namespace kernel_attention_probabilities
