// A step of the first stage with the Q-Former of BLIP-2: eight pictures as ViT-g leaves them, [257, 1408] each, a text of each, three
// losses forward and backward, AdamW. `padded`: texts of 32 tokens, as LAVIS pads them; `ragged`: of 8 to 15, as captions are.
//     stage1 [--benchmark_filter=REGEX] [...]      (all: --help)
#include <tessera/train/stage1.hpp>

#include <memory>
#include <tessera/model/blip2/stock.hpp>
#include <tessera/nn/randomize.hpp>
#include <tessera/train/adamw.hpp>
#include <tessera/train/tape.hpp>

#include "support/run.hpp"

namespace {
using namespace tessera;

constexpr Index pictures = 8, patches = eva_vit_g14.tokens();

struct Step {
    Blip2Stage1<QFormer<qformer_itm_vit_g>> model;
    Tensor<float, dyn, qformer_itm_vit_g.context> seen{{pictures * patches, qformer_itm_vit_g.context}};
    std::vector<Token> ids;
    std::vector<Index> starts{0};
    Gradients gradients;
    Tape tape;
    AdamW adamw;

    Step(Index shortest, Index longest, Recompute recompute)
        : gradients((randomize(model, 1), model)), tape(gradients, recompute), adamw(gradients) {
        model.temperature.fill(0.07f);
        std::copy_n(bench::numbers(seen.size()), seen.size(), seen.data());
        for (Index i = 0; i < pictures; ++i) {
            const Index length = shortest + (longest - shortest) * i / (pictures - 1);
            for (Index t = 0; t < length; ++t)
                ids.push_back(t == 0 ? 101 : static_cast<Token>(1000 + (i * 977 + t * 131) % 20000));
            starts.push_back(static_cast<Index>(ids.size()));
        }
    }
    void operator()() {
        tape.clear();
        gradients.clear();
        const auto losses = stage1_losses(model, {seen, {ids, starts}}, tape, {});
        tape.backward(losses.total);
        adamw.step(gradients, 1e-4);
    }
};

void time(bench::State& state, Index shortest, Index longest, Recompute recompute) {
    const auto step = std::make_unique<Step>(shortest, longest, recompute);
    bench::measure(state, {}, [&](Index) { (*step)(); });
    state.counters["MB of activations"] = static_cast<double>(step->tape.activation_bytes()) * 1e-6;
}

}  // namespace

int main(int argc, char** argv) {
    const auto add = [](const char* name, Index shortest, Index longest, Recompute recompute) {
        tessera::bench::add(name, [=](bench::State& state) { time(state, shortest, longest, recompute); })
            ->Unit(benchmark::kMillisecond)
            ->Iterations(1)
            ->Repetitions(3);
    };
    add("stage1/padded", 32, 32, Recompute::nothing);
    add("stage1/padded, recomputed", 32, 32, Recompute::blocks);
    add("stage1/ragged", 8, 15, Recompute::nothing);
    return bench::run(argc, argv);
}
