// A step of the second stage: the Q-Former of BLIP-2 and the projection learn through a frozen OPT-2.7b whose weights are bf16. Eight
// pictures as ViT-g leaves them, [257, 1408] each, and a caption of 20 tokens behind each; forward, backward, AdamW.
//     stage2 [--benchmark_filter=REGEX] [...]      (all: --help)
#include <tessera/train/stage2.hpp>

#include <memory>
#include <optional>
#include <tessera/nn/randomize.hpp>
#include <tessera/train/adamw.hpp>
#include <tessera/train/tape.hpp>

#include "support/run.hpp"

namespace {
using namespace tessera;

constexpr Index pictures = 8, patches = eva_vit_g14.tokens(), tokens = 20;

struct Step {
    std::unique_ptr<Blip2Opt2_7b> model = std::make_unique<Blip2Opt2_7b>();  // without weights of the image encoder
    Tensor<float, dyn, qformer_vit_g.context> seen{{pictures * patches, qformer_vit_g.context}};
    std::vector<Token> ids;
    std::vector<Index> starts{0}, none;
    std::optional<Gradients> gradients;
    std::optional<Tape> tape;
    std::optional<AdamW> adamw;

    Step(Recompute recompute, Products products) {
        randomize(model->qformer, 1), randomize(model->projection, 2), randomize(model->language, 3, DType::bf16);
        gradients.emplace(*model, [](std::string_view path) {
            return path.starts_with("qformer.") || path.starts_with("projection.");
        });
        tape.emplace(*gradients, recompute);
        tape->set_products(products);
        adamw.emplace(*gradients);
        std::copy_n(bench::numbers(seen.size()), seen.size(), seen.data());
        for (Index i = 0; i < pictures * tokens; ++i)
            ids.push_back(i % tokens == 0 ? 2 : static_cast<Token>(1000 + i * 131 % 40000));
        for (Index i = 1; i <= pictures; ++i) starts.push_back(i * tokens);
        none.assign(starts.size(), 0);
    }
    void operator()() {
        tape->clear();
        gradients->clear();
        tape->backward(stage2_loss(*model, {seen, {{}, none}, {ids, starts}}, *tape));
        adamw->step(*gradients, 1e-4);
    }
};

void time(bench::State& state, Recompute recompute, Products products) {
    const auto step = std::make_unique<Step>(recompute, products);
    bench::measure(state, {}, [&](Index) { (*step)(); });
    state.counters["MB of activations"] = static_cast<double>(step->tape->activation_bytes()) * 1e-6;
}

}  // namespace

int main(int argc, char** argv) {
    const auto add = [](const char* name, Recompute recompute, Products products = Products::f32) {
        tessera::bench::add(name, [=](bench::State& state) { time(state, recompute, products); })
            ->Unit(benchmark::kMillisecond)
            ->Iterations(1)
            ->Repetitions(2);
    };
    add("stage2", Recompute::nothing);
    add("stage2, recomputed", Recompute::blocks);
    add("stage2, products in bf16", Recompute::nothing, Products::bf16);
    return bench::run(argc, argv);
}
