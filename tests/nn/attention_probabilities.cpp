#include <tessera/nn/attention_probabilities.hpp>

#include <doctest/doctest.h>

#include <tessera/nn/attention.hpp>
#include <tessera/nn/folded_attention.hpp>
#include <tessera/nn/randomize.hpp>

namespace nn_attention_probabilities {
using namespace tessera;

TEST_CASE("a layer's probabilities are those that mix its values, whether it keeps the log-sum-exp or not") {
    Tensor<float, dyn, 24> x({5, 24});
    Tensor<float, dyn, 40> context({9, 40});
    for (Index i = 0; i < x.size(); ++i) x.data()[i] = std::sin(static_cast<float>(i));
    for (Index i = 0; i < context.size(); ++i) context.data()[i] = std::cos(0.7f * static_cast<float>(i));
    int heard = 0;
    AttentionProbabilities probabilities([&](const AttendOp& op, View<const float, dyn, dyn, dyn> p) {
        ++heard;
        REQUIRE(p.extent(0) == 3);
        REQUIRE(p.extent(1) == 5);
        REQUIRE(p.extent(2) == op.shape.keys);
        for (Index head = 0; head < 3; ++head)
            for (Index query = 0; query < 5; ++query) {
                float sum = 0;
                for (Index key = 0; key < op.shape.keys; ++key) {
                    sum += p(head, query, key);
                    if (!op.mask.allows({head, query, key})) CHECK(p(head, query, key) == 0);
                }
                CHECK(sum == doctest::Approx(1));
                for (Index i = 0; i < op.shape.dim; ++i) {
                    double mixed = 0;
                    for (Index key = 0; key < op.shape.keys; ++key)
                        mixed += static_cast<double>(p(head, query, key)) *
                                 static_cast<double>(
                                     op.v[key * op.shape.v_stride + op.shape.key_head(head) * op.shape.dim + i]);
                    CHECK(op.out[query * op.shape.out_stride + head * op.shape.dim + i] ==
                          doctest::Approx(mixed).epsilon(1e-4));
                }
            }
    });
    Scratch s(probabilities);
    const auto frame = s.frame();
    Attention<24, 3> self;
    randomize(self, 1);
    self(x, x, Causal{}, s);
    CHECK(heard == 1);
    FoldedAttention<24, 3, 40> cross;
    randomize(cross, 2);
    cross(x, context, FirstKeys{7}, s);
    CHECK(heard == 2);
}

}  // namespace nn_attention_probabilities
