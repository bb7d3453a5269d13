// OPT-2.7b, the first 8 layers of it: 16 tokens after a prompt of one, greedy, with beams, and for several texts at once. Each
// step reads all weights once, however many texts and beams there are: GB/s says how fast.
//     search [--benchmark_filter=REGEX] [--benchmark_out=FILE] [...]      (all: --help)
#include <memory>
#include <tessera/generate/generate.hpp>
#include <tessera/model/blip2/stock.hpp>
#include <tessera/model/opt/opt.hpp>
#include <tessera/nn/randomize.hpp>

#include "../model/passes.hpp"

namespace {

using namespace tessera;
using bench::Ready;

constexpr OptConfig config = [] {
    OptConfig c = blip2_opt_2_7b_decoder;
    c.layers = 8;
    return c;
}();
constexpr Index tokens = 16;

template <Index Beams, Index Texts>
Ready pass(DType stored) {
    struct State {
        Opt<config> model;
        Scratch scratch;
    };
    const auto state = std::make_shared<State>();
    randomize(state->model, 1, stored);
    const auto run = [state] {
        const Token ids[] = {2}, end[] = {50118};
        const std::vector<Prompt<config.embedding>> prompts(std::size_t{Texts}, Prompt<config.embedding>{{}, ids});
        generate(state->model, prompts, {.max_tokens = tokens, .min_tokens = tokens, .beams = Beams}, end,
                 state->scratch);
    };
    Index bytes = parameter_bytes(state->model.embedding);
    double flops = bench::matrix_flops(state->model.embedding, 1);
    for (const auto& layer : state->model.layers) {
        bytes += parameter_bytes(layer);
        flops += bench::matrix_flops(layer, 1);
    }
    return {run, flops * static_cast<double>(tokens * Beams * Texts), static_cast<double>(tokens * bytes)};
}

}  // namespace

int main(int argc, char** argv) {
    bench::add("16 tokens, greedy", {DType::bf16}, pass<1, 1>);
    bench::add("16 tokens, 5 beams", {DType::bf16}, pass<5, 1>);
    bench::add("16 tokens, 4 texts", {DType::bf16}, pass<1, 4>);
    bench::add("16 tokens, 4 texts, 5 beams", {DType::bf16}, pass<5, 4>);
    return bench::run_passes(argc, argv);
}
