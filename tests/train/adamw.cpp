#include <doctest/doctest.h>

#include <cmath>
#include <tessera/checkpoint/safetensors.hpp>
#include <tessera/nn/head_weight.hpp>
#include <tessera/nn/randomize.hpp>
#include <tessera/nn/weight.hpp>
#include <tessera/train/adamw.hpp>
#include <tessera/train/clip.hpp>

#include "support/allocations.hpp"
#include "support/compare.hpp"
#include "support/golden.hpp"
#include "support/read_json.hpp"

namespace train_adamw {
using namespace tessera;

namespace {

// The parameters of the reference data, under their names there.
struct GoldenModel {
    Weight<5, 7> dense;
    Parameter<5> bias, gain;
    Parameter<7> vision_gain;
    Parameter<4, 6> queries;
    Parameter<1> temperature;
    Parameter<3, 3> odd;
    static void visit(auto& self, auto&& f) {
        f("Qformer.dense.weight", self.dense);
        f("Qformer.dense.bias", self.bias);
        f("Qformer.LayerNorm.weight", self.gain);
        f("ln_vision.weight", self.vision_gain);
        f("query_tokens", self.queries);
        f("temp", self.temperature);
        f("odd_ln_matrix.weight", self.odd);
    }
};

// Every kind of leaf, in sizes that are no multiple of anything.
struct OddModel {
    Weight<101, 37> up;
    Parameter<101> bias;
    HeadWeight<3, 20, 33, Transposed::no> key;
    HeadWeight<3, 20, 33, Transposed::yes> value;
    Parameter<70, 19> table;
    Parameter<1> temperature;
    static void visit(auto& self, auto&& f) {
        f("up.weight", self.up);
        f("up.bias", self.bias);
        f("key.weight", self.key);
        f("value.weight", self.value);
        f("table", self.table);
        f("temperature", self.temperature);
    }
};

struct Layer {
    Weight<4, 4> weight;
    Parameter<4> bias, gain;
    Parameter<3, 4> queries, position;
    Parameter<1, 4> class_token;
    Parameter<1> temperature;
    Parameter<2, 4> bias_of_two;
    static void visit(auto& self, auto&& f) {
        f("dense.weight", self.weight);
        f("dense.bias", self.bias);
        f("norm.weight", self.gain);
        f("qformer.queries", self.queries);
        f("position", self.position);
        f("class_token", self.class_token);
        f("temperature", self.temperature);
        f("pair.bias", self.bias_of_two);
    }
};

struct Large {
    Weight<1000, 130> weight;
    Parameter<130> bias;
    static void visit(auto& self, auto&& f) {
        f("weight", self.weight);
        f("bias", self.bias);
    }
};

std::vector<float> numbers_of(const LeafRef& leaf) {
    std::vector<float> out(static_cast<std::size_t>(leaf.rows() * leaf.columns()));
    for (Index row = 0; row < leaf.rows(); ++row) leaf.read(row, out.data() + row * leaf.columns());
    return out;
}
std::vector<float> all_numbers(const auto& model) {
    std::vector<float> out;
    for (const NamedLeaf& named : leaves_of(model)) {
        const std::vector<float> part = numbers_of(named.leaf);
        out.insert(out.end(), part.begin(), part.end());
    }
    return out;
}
std::span<const float> part(std::span<const float> all, const LearningLeaf& leaf) {
    return all.subspan(static_cast<std::size_t>(leaf.first), static_cast<std::size_t>(leaf.size()));
}

// Gradients of one step, none of them alike.
void draw(Gradients& gradients, std::uint64_t seed) {
    for (float& x : gradients.values()) {
        x = static_cast<float>(split_mix(seed) >> 40) * 0x1p-23f - 1;
        seed += split_mix_step;
    }
}

}  // namespace

TEST_CASE("AdamW takes PyTorch's steps") {
    const Json expected = test::read_json(test::golden("optim/adamw.json"));
    const Safetensors file(test::golden("optim/adamw.safetensors"));
    constexpr double tolerance = 3e-6;  // that of the reference data
    GoldenModel model;
    for (const NamedLeaf& named : leaves_of(model)) {
        named.leaf.allocate(DType::f32);
        named.leaf.write(0, file.tensor("start." + named.path).to_floats().data(), named.leaf.rows());
    }
    Gradients gradients(model);
    REQUIRE(gradients.leaves().size() == expected["decayed"].size());
    AdamW adamw(gradients,
                {.beta1 = expected["betas"][0],
                 .beta2 = expected["betas"][1],
                 .eps = expected["eps"],
                 .decay = expected["weight_decay"],
                 .decay_of = [&](const LearningLeaf& leaf) { return expected["decayed"][leaf.path].get<bool>(); }});
    const Index steps = expected["steps"];
    for (Index step = 0; step < steps; ++step) {
        for (const LearningLeaf& leaf : gradients.leaves()) {
            const auto all = file.tensor("grad." + leaf.path).to_floats();
            std::copy_n(all.data() + step * leaf.size(), leaf.size(), gradients.values().data() + leaf.first);
        }
        adamw.step(gradients, expected["lr"][static_cast<std::size_t>(step)]);
        for (const LearningLeaf& leaf : gradients.leaves()) {
            const auto all = file.tensor("after." + leaf.path).to_floats();
            INFO("step " << step);
            test::check_close(leaf.path, numbers_of(leaf.leaf),
                              std::span(all).subspan(static_cast<std::size_t>(step * leaf.size()),
                                                     static_cast<std::size_t>(leaf.size())),
                              tolerance);
        }
    }
    CHECK(adamw.steps() == steps);
    for (const LearningLeaf& leaf : gradients.leaves()) {
        test::check_close(leaf.path, part(adamw.exp_avg(), leaf), file.tensor("exp_avg." + leaf.path).to_floats(),
                          tolerance);
        test::check_close(leaf.path, part(adamw.exp_avg_sq(), leaf), file.tensor("exp_avg_sq." + leaf.path).to_floats(),
                          tolerance);
    }
}

TEST_CASE("AdamW finds the numbers of every kind of parameter, and leaves frozen ones alone") {
    OddModel model;
    randomize(model, 3);
    const std::vector<float> frozen = numbers_of(LeafRef(model.key));
    Gradients gradients(model, [](std::string_view path) { return path != "key.weight"; });
    std::vector<double> want, m(gradients.values().size()), v(m);
    for (const LearningLeaf& leaf : gradients.leaves())
        for (const float x : numbers_of(leaf.leaf)) want.push_back(static_cast<double>(x));
    const AdamWOptions options{.decay_of = Decay::lavis()};
    AdamW adamw(gradients, options);
    constexpr double rate = 0.01, scale = 0.25;
    constexpr int steps = 3;
    for (int step = 1; step <= steps; ++step) {
        draw(gradients, static_cast<std::uint64_t>(step));
        adamw.step(gradients, rate, scale);
        for (const LearningLeaf& leaf : gradients.leaves()) {
            const double decay = leaf.path == "up.bias" ? 0.0 : options.decay;
            for (auto i = static_cast<std::size_t>(leaf.first); i < static_cast<std::size_t>(leaf.first + leaf.size());
                 ++i) {
                const double g = scale * static_cast<double>(gradients.values()[i]);
                m[i] = options.beta1 * m[i] + (1 - options.beta1) * g;
                v[i] = options.beta2 * v[i] + (1 - options.beta2) * g * g;
                const double mean = m[i] / (1 - std::pow(options.beta1, step));
                const double square = v[i] / (1 - std::pow(options.beta2, step));
                want[i] += -rate * decay * want[i] - rate * mean / (std::sqrt(square) + options.eps);
            }
        }
    }
    for (const LearningLeaf& leaf : gradients.leaves()) {
        INFO(leaf.path);
        const std::vector<float> got = numbers_of(leaf.leaf);
        double worst = 0;
        for (std::size_t i = 0; i < got.size(); ++i)
            worst =
                std::max(worst, std::abs(static_cast<double>(got[i]) - want[static_cast<std::size_t>(leaf.first) + i]));
        // Of numbers up to 1.1: three roundings of each step, and those of a step of 1e-2.
        CHECK(worst <= 4 * steps * 0x1p-24 * 1.1);
    }
    CHECK(numbers_of(LeafRef(model.key)) == frozen);
}

TEST_CASE("the same bits at any number of threads") {
    std::vector<float> first;
    std::vector<double> norms;
    for (const int threads : {1, 2, 3}) {
        kernel::set_threads(threads);
        Large model;
        randomize(model, 5);
        Gradients gradients(model);
        AdamW adamw(gradients);
        for (std::uint64_t step = 0; step < 2; ++step) {
            draw(gradients, step);
            const double found = clip(gradients, 1);
            if (threads == 1) norms.push_back(found);
            CHECK(found == norms[step]);
            adamw.step(gradients, 1e-3);
        }
        if (threads == 1) first = all_numbers(model);
        CHECK(all_numbers(model) == first);
    }
    kernel::set_threads(2);
}

TEST_CASE("a step allocates nothing after the first one") {
    Large model;
    randomize(model, 5);
    Gradients gradients(model);
    AdamW adamw(gradients);
    adamw.step(gradients, 1e-3);
    const Index before = test::allocations();
    for (int step = 0; step < 3; ++step) {
        clip(gradients, 1);
        adamw.step(gradients, 1e-3);
    }
    CHECK(test::allocations() == before);
}

TEST_CASE("a state that is carried over goes on with the same bits") {
    OddModel once, twice;
    randomize(once, 1);
    randomize(twice, 1);
    Gradients gradients(once), others(twice);
    AdamW adamw(gradients), before(others);
    for (std::uint64_t step = 0; step < 4; ++step) {
        draw(gradients, step);
        adamw.step(gradients, 1e-3);
    }
    for (std::uint64_t step = 0; step < 2; ++step) {
        draw(others, step);
        before.step(others, 1e-3);
    }
    AdamW after(others);
    std::ranges::copy(before.exp_avg(), after.exp_avg().begin());
    std::ranges::copy(before.exp_avg_sq(), after.exp_avg_sq().begin());
    after.set_steps(before.steps());
    for (std::uint64_t step = 2; step < 4; ++step) {
        draw(others, step);
        after.step(others, 1e-3);
    }
    CHECK(all_numbers(once) == all_numbers(twice));
    CHECK(after.steps() == 4);
}

TEST_CASE("what decays") {
    Layer layer;
    randomize(layer, 1);
    const Gradients gradients(layer);
    const auto decayed = [&](const Decay& rule) {
        std::string out;
        for (const LearningLeaf& leaf : gradients.leaves())
            if (rule(leaf)) out += leaf.path + ' ';
        return out;
    };
    CHECK(decayed(Decay::paper()) == "dense.weight qformer.queries position class_token ");
    CHECK(decayed(Decay::lavis()) == "dense.weight qformer.queries position class_token temperature ");
    CHECK(decayed({.queries = false}) == "dense.weight position class_token ");
}

TEST_CASE("what cannot learn") {
    OddModel model;
    randomize(model, 1, DType::bf16);
    const Gradients gradients(model);
    CHECK_THROWS_WITH_AS(
        AdamW{gradients},
        "[option.value] AdamW: 'up.weight': expected F32 for what learns, found BF16; load it as F32, or freeze it",
        Error);
    CHECK_THROWS_WITH_AS(
        AdamW{Gradients(model, [](auto path) { return path == "value.weight"; })},
        "[option.value] AdamW: 'value.weight': expected F32 for what learns, found fewer bits; load it as F32, or "
        "freeze it",
        Error);
    const Gradients rest(model, [](auto path) { return !path.ends_with("weight"); });
    CHECK(AdamW(rest).steps() == 0);
    CHECK_THROWS_WITH_AS(AdamW(rest, {.beta2 = 1}),
                         "[option.value] AdamW: beta2: expected at least 0 and less than 1, found 1", Error);
    CHECK_THROWS_WITH_AS(AdamW(rest, {.decay = std::nan("")}),
                         "[option.value] AdamW: decay: expected at least 0 and less than 1e+06, found nan", Error);
}

}  // namespace train_adamw
