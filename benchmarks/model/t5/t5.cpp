// FlanT5-xl: reading a prompt of 40 rows, up to where the first token can be written, and decoding: one token, scores of all
// words included, after 10 others.
//     t5 [--benchmark_filter=REGEX] [--benchmark_out=FILE] [...]      (all: --help)
// Weights take 5.7 GB as bf16.
#include <memory>
#include <tessera/model/blip2/stock.hpp>
#include <tessera/model/t5/t5.hpp>
#include <tessera/nn/randomize.hpp>

#include "../passes.hpp"

namespace {

using namespace tessera;
using bench::Ready;

constexpr Index prompt = 40, written = 10;
constexpr T5Config config = blip2_flan_t5_xl;

struct State {
    T5<config> model;
    Tensor<float, dyn, config.width> rows = bench::random_rows<config.width>(prompt);
    Scratch scratch;
    std::optional<T5<config>::Cache> cache;

    explicit State(DType stored) {
        randomize(model, 1, stored);
        read();
        for (Index i = 0; i < written; ++i) write(i);
    }
    /// Reads the prompt; the cache for what follows holds its keys and values.
    void read() {
        const auto frame = scratch.frame();
        const Index offsets[] = {0, prompt};
        cache.emplace(model.decoder.cache(model.encoder(rows, offsets, scratch), written + 1, scratch));
    }
    /// The token after `past` others.
    void write(Index past) {
        cache->length = past;
        const auto frame = scratch.frame();
        const Token token[] = {7};
        const Causal causal = Causal::after(past);
        const Continuation<T5<config>::Cache> text{&*cache, 1, causal, {&past, 1}};
        model.logits(model.append(model.embedding(token, scratch), {&text, 1}, scratch), scratch);
    }
};

double bytes_of(const auto&... parts) { return static_cast<double>((parameter_bytes(parts) + ...)); }

Ready encode(DType stored) {
    auto state = std::make_shared<State>(stored);
    double flops = bench::matrix_flops(state->model.encoder, prompt), bytes = bytes_of(state->model.encoder);
    flops += static_cast<double>(config.encoder_layers) *
             bench::attention_flops(prompt, prompt, config.heads * config.head_size);
    for (const auto& layer : state->model.decoder.layers) {
        const auto& cross = layer.cross.part;
        flops += bench::matrix_flops(cross.key, prompt) + bench::matrix_flops(cross.value, prompt);
        bytes += bytes_of(cross.key, cross.value);
    }
    return {[state] { state->read(); }, flops, bytes};
}

Ready decode(DType stored) {
    auto state = std::make_shared<State>(stored);
    double flops = bench::matrix_flops(state->model.head, 1), bytes = bytes_of(state->model.head);
    for (const auto& layer : state->model.decoder.layers) {
        const auto& [self, cross, mlp] = std::tie(layer.attention.part, layer.cross.part, layer.mlp.part);
        flops += bench::matrix_flops(self, 1) + bench::matrix_flops(mlp, 1) + bench::matrix_flops(cross.query, 1) +
                 bench::matrix_flops(cross.output, 1) +
                 bench::attention_flops(1, prompt + written + 1, config.heads * config.head_size);
        bytes += bytes_of(self, mlp, cross.query, cross.output);
    }
    return {[state] { state->write(written); }, flops, bytes};
}

}  // namespace

int main(int argc, char** argv) {
    bench::add("FlanT5-xl decode", {DType::bf16}, decode);
    bench::add("FlanT5-xl encode 40", {DType::bf16}, encode);
    return bench::run_passes(argc, argv);
}
