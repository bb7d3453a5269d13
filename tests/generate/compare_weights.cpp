#include <doctest/doctest.h>

#include <support/golden.hpp>
#include <tessera/generate/compare_weights.hpp>
#include <tessera/generate/load.hpp>
#include <tessera/image/decode.hpp>

namespace generate_compare_weights {
using namespace tessera;

namespace {

template <class Model>
WeightComparison compared(const char* folder, DType weights) {
    const ModelConfig config(test::golden(folder));
    const auto exact = load<Model>(config, {.weight_dtype = DType::f32});
    const auto other = load<Model>(config, {.weight_dtype = weights});
    WeightComparison out;
    for (const char* picture : {"images/tall.png", "images/wide.png"}) {
        const Image image = read_image(test::golden(picture));
        const ModelRun run = run_model(exact, image, "a photo of", 6);
        CHECK(run.tokens.size() == 6);
        out.add(run, run_model(other, image, "a photo of", 6, run.tokens));
    }
    return out;
}

}  // namespace

TEST_CASE(
    "the same weights differ in nothing; bf16, f16 and i8 in every value after the picture, by as much as their bits "
    "say") {
    const auto none = compared<Blip2Tiny>("blip2_opt", DType::f32);
    CHECK(none.tokens() == 12);
    CHECK(none.same_tokens() == 12);
    for (const auto& value : none.differences()) CHECK(value.largest == 0);

    double last = 0;
    for (const auto& [weights, least, most] :
         {std::tuple{DType::f16, 1e-5, 2e-3}, std::tuple{DType::bf16, 1e-4, 1e-2}, std::tuple{DType::i8, 1e-3, 5e-2}}) {
        const auto found = compared<Blip2Tiny>("blip2_opt", weights).differences();
        REQUIRE(found.size() == none.differences().size());
        CHECK(found.front().name == "pixel_values");
        CHECK(found.front().largest == 0);
        CHECK(found.back().name == "logits");
        CHECK(found.back().rms > least);
        CHECK(found.back().rms < most);
        CHECK(found.back().largest >= found.back().rms);
        for (const char* name : {"vision.layer_2", "qformer.layer_3", "language_projection", "decoder.layer_2"})
            CHECK(std::ranges::any_of(found, [&](const auto& value) { return value.name == name && value.rms > 0; }));
        CHECK(found.back().rms > last);
        last = found.back().rms;
    }
}

TEST_CASE("tokens that both would choose are counted") {
    ModelRun exact, other;
    exact.tokens = other.tokens = {1, 2};
    exact.logits = {{0, 1, 0}, {0, 0, 1}};
    other.logits = {{0, 2, 0}, {0, 3, 1}};
    WeightComparison comparison;
    comparison.add(exact, other);
    CHECK(comparison.tokens() == 2);
    CHECK(comparison.same_tokens() == 1);
    const auto logits = comparison.differences().front();
    CHECK(logits.name == "logits");
    CHECK(logits.largest == doctest::Approx(3 / std::sqrt(2.0 / 6)));
    CHECK(logits.rms == doctest::Approx(std::sqrt(10.0 / 2)));
}

}  // namespace generate_compare_weights
