// The Q-Former: 32 queries over what ViT-g makes of a picture, [257, 1408], and over the pictures of a batch; and one picture matched
// with 64 texts of 8 to 20 tokens, from what ViT-g makes of it.
//     qformer [--benchmark_filter=REGEX] [--benchmark_out=FILE] [...]      (all: --help)
#include <memory>
#include <tessera/model/blip2/stock.hpp>
#include <tessera/model/qformer/matching.hpp>
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

/// The work of keys and values once, and of the rows of every pair without padding.
double matching_flops(const QFormer<qformer_itm_vit_g>& model, const TextBatch& texts, Index patches) {
    constexpr Index queries = qformer_itm_vit_g.queries;
    double sum = 0;
    for (const auto& layer : model.layers) {
        if (layer.has_cross)
            sum += bench::matrix_flops(layer.cross.part.key, patches) +
                   bench::matrix_flops(layer.cross.part.value, patches);
        for (Index i = 0; i < texts.count(); ++i) {
            const Index rows = queries + texts.length(i);
            sum += bench::matrix_flops(layer.self.part, rows) + bench::matrix_flops(layer.query_mlp.part, queries) +
                   bench::matrix_flops(layer.text_mlp.part, texts.length(i)) +
                   bench::attention_flops(rows, rows, model.width);
            if (layer.has_cross)
                sum += bench::matrix_flops(layer.cross.part.query, queries) +
                       bench::matrix_flops(layer.cross.part.output, queries) +
                       bench::attention_flops(queries, patches, model.width);
        }
    }
    return sum;
}

Ready matching(DType stored) {
    constexpr Index patches = eva_vit_g14.tokens();
    struct State {
        ImageTextMatching<QFormer<qformer_itm_vit_g>> model;
        Tensor<float, dyn, qformer_itm_vit_g.context> seen = bench::random_rows<qformer_itm_vit_g.context>(patches);
        std::vector<Token> ids;
        std::vector<Index> starts{0};
        std::vector<ImageTextPair> pairs;
        Scratch scratch;
    };
    auto state = std::make_shared<State>();
    randomize(state->model, 1, stored);
    for (Index i = 0; i < 64; ++i) {
        state->ids.resize(state->ids.size() + static_cast<std::size_t>(8 + 5 * i % 13), static_cast<Token>(1000 + i));
        state->starts.push_back(static_cast<Index>(state->ids.size()));
        state->pairs.push_back({0, i});
    }
    return {[state] {
                const auto frame = state->scratch.frame();
                const auto keys = state->model.qformer.read(state->seen, state->scratch);
                state->model.itm(keys, state->pairs, {state->ids, state->starts}, state->scratch);
            },
            matching_flops(state->model.qformer, {state->ids, state->starts}, patches),
            static_cast<double>(parameter_bytes(state->model))};
}

}  // namespace

int main(int argc, char** argv) {
    bench::add("Q-Former", {DType::f32, DType::bf16}, queries<1>);
    bench::add("Q-Former, 8 pictures", {DType::f32, DType::bf16}, queries<8>);
    bench::add("ITM, 64 texts", {DType::f32, DType::bf16}, matching);
    return bench::run_passes(argc, argv);
}
