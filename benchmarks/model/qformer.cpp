// The Q-Former: 32 queries over what ViT-g makes of a picture, [257, 1408], and over the pictures of a batch.
//     qformer [--threads N] [--weights f32|bf16] [--seconds S] [--only TEXT] [--json FILE]
#include <memory>
#include <tessera/model/qformer.hpp>
#include <tessera/model/stock.hpp>
#include <tessera/nn/randomize.hpp>

#include "passes.hpp"

namespace {

using namespace tessera;
using benchmark::Ready;

/// The work of the usual order, with keys and values of every patch: what is saved by another order counts as speed.
double flops(const QFormer<qformer_vit_g>& model, Index queries, Index patches) {
    double sum = 0;
    for (const auto& layer : model.layers) {
        sum += benchmark::matrix_flops(layer.self, queries) + benchmark::matrix_flops(layer.query_mlp, queries) +
               benchmark::attention_flops(queries, queries, model.width);
        if (layer.has_cross)
            sum += benchmark::matrix_flops(layer.cross.query, queries) +
                   benchmark::matrix_flops(layer.cross.output, queries) +
                   benchmark::matrix_flops(layer.cross.key, patches) +
                   benchmark::matrix_flops(layer.cross.value, patches) +
                   benchmark::attention_flops(queries, patches, model.width);
    }
    return sum;
}

template <Index Pictures>
Ready queries(Stored stored) {
    constexpr Index patches = eva_vit_g14.tokens();
    struct State {
        QFormer<qformer_vit_g> model;
        Tensor<float, dyn, qformer_vit_g.context> seen =
            benchmark::random_rows<qformer_vit_g.context>(Pictures * patches);
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
    return benchmark::time_passes(argc, argv, "The Q-Former", "f32",
                                  {{"Q-Former", queries<1>}, {"Q-Former, 8 pictures", queries<8>}});
}
