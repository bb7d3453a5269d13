#include <doctest/doctest.h>

#include <limits>
#include <tessera/train/clip.hpp>

namespace train_clip {
using namespace tessera;

namespace {

struct Pair {
    Parameter<2, 2> weight;
    Parameter<3> bias;
    static void visit(auto& self, auto&& f) {
        f("weight", self.weight);
        f("bias", self.bias);
    }
};

Gradients gradients_of(Pair& pair, std::initializer_list<float> values) {
    pair.weight.fill(1);
    pair.bias.fill(1);
    Gradients gradients(pair);
    std::ranges::copy(values, gradients.values().begin());
    return gradients;
}

}  // namespace

// torch.nn.utils.clip_grad_norm_([…], 2.5): 7.5 before; factor 2.5 / (7.5 + 1e-6).
TEST_CASE("gradients are clipped by the norm of all of them together") {
    Pair pair;
    Gradients gradients = gradients_of(pair, {6, 4, -2, 0.5f, 0, 0, 0});
    const double norm = gradient_norm(gradients);
    CHECK(norm == 7.5);
    CHECK(clip(gradients, 7.6) == 7.5);
    CHECK(gradients.values()[0] == 6);
    CHECK(clip(gradients, 2.5) == 7.5);
    CHECK(gradients.values()[0] == 1.99999976f);
    CHECK(gradients.values()[2] == -0.666666567f);
    CHECK(gradient_norm(gradients) == doctest::Approx(2.5).epsilon(1e-6));
}

TEST_CASE("gradients that cannot be scaled stay as they are") {
    Pair pair;
    constexpr float infinity = std::numeric_limits<float>::infinity();
    Gradients gradients = gradients_of(pair, {1, infinity, 0, 0, 0, 0, 0});
    CHECK(clip(gradients, 1) == std::numeric_limits<double>::infinity());
    CHECK(gradients.values()[0] == 1);
    gradients.clear();
    CHECK(clip(gradients, 1) == 0);
    CHECK_THROWS_WITH_AS(clip(gradients, 0), "[option.value] clip: expected a norm above 0, found 0", Error);
}

}  // namespace train_clip
