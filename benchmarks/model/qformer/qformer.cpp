// The Q-Former: 32 queries over what ViT-g makes of a picture, [257, 1408], and over the pictures of a batch.
//     qformer [--benchmark_filter=REGEX] [--benchmark_out=FILE] [...]      (all: --help)
#include <memory>
#include <tessera/model/blip2/stock.hpp>
#include <tessera/model/qformer/qformer.hpp>
#include <tessera/nn/randomize.hpp>

#include "../passes.hpp"

namespace {

using namespace tessera;
using bench::Ready;

/// The work of the usual order, with keys and values of every patch: what is saved by another order counts as speed.
double flops(const QFormer<qformer_vit_g>& model, Index queries, Index patches) {
    double sum = 0;
    for (const auto& layer : model.layers) {
        sum += bench::matrix_flops(layer.self.part, queries) + bench::matrix_flops(layer.query_mlp.part, queries) +
               bench::attention_flops(queries, queries, model.width);
        if (layer.has_cross)
            sum += bench::matrix_flops(layer.cross.part.query, queries) +
                   bench::matrix_flops(layer.cross.part.output, queries) +
                   bench::matrix_flops(layer.cross.part.key, patches) +
                   bench::matrix_flops(layer.cross.part.value, patches) +
                   bench::attention_flops(queries, patches, model.width);
    }
    return sum;
}

template <Index Pictures>
Ready queries(DType stored) {
    constexpr Index patches = eva_vit_g14.tokens();
    struct State {
        QFormer<qformer_vit_g> model;
        Tensor<float, dyn, qformer_vit_g.context> seen = bench::random_rows<qformer_vit_g.context>(Pictures * patches);
        Scratch scratch;
    };
    auto state = std::make_shared<State>();
    randomize(state->model, 1, stored);
    return {[state] {
                const auto frame = state->scratch.frame();
                state->model(state->seen, state->scratch, Pictures);
            },
            Pictures * flops(state->model, qformer_vit_g.queries, patches),
            static_cast<double>(parameter_bytes(state->model))};
}

}  // namespace

int main(int argc, char** argv) {
    bench::add("Q-Former", {DType::f32, DType::bf16}, queries<1>);
    bench::add("Q-Former, 8 pictures", {DType::f32, DType::bf16}, queries<8>);
    return bench::run_passes(argc, argv);
}
