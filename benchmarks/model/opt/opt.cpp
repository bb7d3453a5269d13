// OPT-2.7b: reading a prompt of 40 rows, and decoding: one token, scores of all words included, behind 40 others.
//     opt [--benchmark_filter=REGEX] [--benchmark_out=FILE] [...]      (all: --help)
// Weights take 5.3 GB as bf16; those of 8 layers 1.5 GB, and 3 GB as f32.
#include <memory>
#include <tessera/model/blip2/stock.hpp>
#include <tessera/model/opt/opt.hpp>
#include <tessera/nn/randomize.hpp>

#include "../passes.hpp"

namespace {

using namespace tessera;
using bench::Ready;

constexpr Index prompt = 40;

constexpr OptConfig with_layers(Index layers) {
    OptConfig config = blip2_opt_2_7b_decoder;
    config.layers = layers;
    return config;
}

template <Index Layers>
struct State {
    static constexpr OptConfig config = with_layers(Layers);
    Opt<config> model;
    typename Opt<config>::Cache cache = model.cache(prompt + 1);
    Tensor<float, dyn, config.embedding> rows = bench::random_rows<config.embedding>(prompt);
    Scratch scratch;

    explicit State(DType stored) {
        randomize(model, 1, stored);
        append(0, prompt);
    }
    /// Reads `count` rows behind `past` others; the scores of what follows the last.
    void append(Index past, Index count) {
        cache.length = past;
        const auto frame = scratch.frame();
        const auto states = model.append(rows.view().slice(0, count), cache, scratch);
        model.logits(states.slice(count - 1, 1), scratch);
    }
    double flops(Index past, Index count) const {
        double sum = bench::matrix_flops(model.embedding, 1);
        for (const auto& layer : model.layers)
            sum +=
                bench::matrix_flops(layer, count) + bench::attention_flops(count, past + (count + 1) / 2, config.width);
        return sum;
    }
    double bytes() const {
        Index sum = parameter_bytes(model.embedding);
        for (const auto& layer : model.layers) sum += parameter_bytes(layer);
        return static_cast<double>(sum);
    }
};

template <Index Layers, Index Past, Index Count>
Ready pass(DType stored) {
    auto state = std::make_shared<State<Layers>>(stored);
    return {[state] { state->append(Past, Count); }, state->flops(Past, Count), state->bytes()};
}

}  // namespace

int main(int argc, char** argv) {
    bench::add("OPT-2.7b decode", {DType::bf16, DType::i8}, pass<32, prompt, 1>);
    bench::add("OPT-2.7b prefill 40", {DType::bf16}, pass<32, 0, prompt>);
    bench::add("OPT-2.7b decode, 8 layers", {DType::f32, DType::bf16}, pass<8, prompt, 1>);
    bench::add("OPT-2.7b prefill 40, 8 layers", {DType::f32, DType::bf16}, pass<8, 0, prompt>);
    return bench::run_passes(argc, argv);
}
