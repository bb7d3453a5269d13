#include <doctest/doctest.h>

#include <tessera/core/tensor.hpp>
#include <tessera/mask/score_mod/additive.hpp>
#include <tessera/mask/score_mod/soft_cap.hpp>

namespace mask_score_mod_score_mod {
using namespace tessera;

static_assert(Bias<NoBias> && Bias<AdditiveBias> && !Bias<SoftCap> && ScoreTransform<SoftCap>);
static_assert(RowBias<AdditiveBias> && !ColumnBias<AdditiveBias> && !RowBias<NoBias>);
static_assert(Bias<Composed<NoBias, AdditiveBias>> && !Bias<Composed<NoBias, SoftCap>> &&
              ScoreTransform<Composed<NoBias, SoftCap>>);

TEST_CASE("a table of numbers, one for all heads or one for each") {
    const Tensor<float, dyn, dyn, dyn> shared({1, 2, 3}, {1, 2, 3, 4, 5, 6});
    CHECK(AdditiveBias{shared}({0, 1, 2}) == 6);
    CHECK(AdditiveBias{shared}({7, 0, 1}) == 2);
    CHECK(AdditiveBias{shared}.row(7, 1)[2] == 6);
    const Tensor<float, dyn, dyn, dyn> own({2, 1, 3}, {1, 2, 3, 4, 5, 6});
    CHECK(AdditiveBias{own}({1, 0, 2}) == 6);
    CHECK(AdditiveBias{own}.row(1, 0)[2] == 6);
    CHECK(score_mods::apply(AdditiveBias{own}, 10, {0, 0, 1}) == 12);
}

TEST_CASE("a soft cap bends scores, and its slope is its derivative") {
    const SoftCap cap{30};
    CHECK(score_mods::apply(cap, 0, {}) == 0);
    CHECK(score_mods::apply(cap, 15, {}) == doctest::Approx(30 * std::tanh(0.5)).epsilon(1e-6));
    CHECK(score_mods::apply(cap, 1e6f, {}) == 30);
    CHECK(score_mods::apply(cap, -1e6f, {}) == -30);
    for (const float score : {-80.0f, -20.0f, 0.0f, 3.0f, 45.0f}) {
        const double h = 1e-3, x = double{score};
        const double difference = 30 * (std::tanh((x + h) / 30) - std::tanh((x - h) / 30)) / (2 * h);
        CHECK(double{score_mods::derivative(cap, score, {})} == doctest::Approx(difference).epsilon(1e-4));
    }
}

TEST_CASE("sums, from left to right") {
    const Tensor<float, dyn, dyn, dyn> values({1, 1, 2}, {5, -7});
    const AdditiveBias table{values};
    CHECK((table + table + NoBias{})({0, 0, 1}) == -14);
    CHECK(score_mods::derivative(table + table, 3, {0, 0, 1}) == 1);
    const SoftCap cap{10};
    CHECK(score_mods::apply(cap + table, 4, {0, 0, 0}) == doctest::Approx(10 * std::tanh(0.4) + 5).epsilon(1e-6));
    CHECK(score_mods::apply(table + cap, 4, {0, 0, 0}) == doctest::Approx(10 * std::tanh(0.9)).epsilon(1e-6));
    CHECK(score_mods::derivative(table + cap, 4, {0, 0, 0}) == score_mods::derivative(cap, 9, {}));
    CHECK(score_mods::derivative(cap + cap, 4, {}) ==
          doctest::Approx(double{score_mods::derivative(cap, 4, {})} *
                          double{score_mods::derivative(cap, score_mods::apply(cap, 4, {}), {})})
              .epsilon(1e-6));
    CHECK(score_mods::derivative(cap + table, 4, {0, 0, 0}) == score_mods::derivative(cap, 4, {}));
}

}  // namespace mask_score_mod_score_mod
