#include <doctest/doctest.h>

#include <tessera/mask/score_mod/additive.hpp>
#include <tessera/mask/score_mod/alibi.hpp>
#include <tessera/mask/score_mod/relative_bias.hpp>
#include <tessera/study.hpp>

#include "support/attend.hpp"

namespace kernel_attention_forward_score_mods {
using namespace tessera;
using test::check_attention;
using test::Problem;

namespace {

template <class F>
void for_each_problem(const F& f) {
    for (const Index queries : {1, 4, 20, 70})
        for (const Index keys : {1, 33, 200}) {
            const Problem p(2, queries, keys, 12);
            f(p, AnyMask(Full{}));
            f(p, AnyMask(Causal::bottom_right(queries, keys)));
            f(p, test::odd_mask());
        }
}

}  // namespace

TEST_CASE("a bias of one's own is asked only where the mask allows") {
    for_each_problem([](const Problem& p, const AnyMask& mask) {
        check_attention(p, mask, [&](Site at) {
            return mask.allows(at) ? 0.25f * static_cast<float>((at.key * 3 + at.query + at.head) % 5) : test::nan;
        });
    });
}

TEST_CASE("biases that tell their columns or rows") {
    for_each_problem([](const Problem& p, const AnyMask& mask) {
        check_attention(p, mask, alibi(p.heads, p.queries, p.keys));
        for (const Index tables : {Index{1}, p.heads}) {
            Tensor<float, dyn, dyn, dyn> table({tables, p.queries, p.keys});
            for (Index i = 0; i < table.size(); ++i) table.data()[i] = static_cast<float>(i * 37 % 101) * 0.03f - 1;
            for (Index i = 0; i < p.queries; ++i)  // what is behind the mask may be anything
                for (Index j = 0; j < p.keys; ++j)
                    if (!mask.allows({0, i, j}) && !mask.allows({1, i, j})) table(Index{0}, i, j) = test::nan;
            check_attention(p, mask, AdditiveBias{table.view()});
        }
    });
}

TEST_CASE("soft-capping, alone and before a bias") {
    for_each_problem([](const Problem& p, const AnyMask& mask) {
        check_attention(p, mask, SoftCap{0.75f});
        check_attention(p, mask, SoftCap{2.0f} + alibi(p.heads, p.queries, p.keys));
    });
}

}  // namespace kernel_attention_forward_score_mods
