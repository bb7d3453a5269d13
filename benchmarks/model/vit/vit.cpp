// Image encoders on one picture of 224 pixels, and one layer of each.
//     vit [--benchmark_filter=REGEX] [--benchmark_out=FILE] [...]      (all: --help)
#include <memory>
#include <tessera/model/blip2/stock.hpp>
#include <tessera/model/vit/vit.hpp>
#include <tessera/nn/randomize.hpp>

#include "../passes.hpp"

namespace {

using namespace tessera;
using bench::Ready;

template <VitConfig C>
Ready layer(DType stored) {
    struct State {
        Block<C.width, C.heads, C.hidden, C.activation> block{C.eps};
        Tensor<float, dyn, C.width> x = bench::random_rows<C.width>(C.tokens()), y = x;
        Scratch scratch;
    };
    auto state = std::make_shared<State>();
    randomize(state->block, 1, stored);
    return {[state] { state->block.into(state->y, state->x, Full{}, state->scratch); },
            bench::matrix_flops(state->block, C.tokens()) + bench::attention_flops(C.tokens(), C.tokens(), C.width),
            static_cast<double>(parameter_bytes(state->block))};
}

template <VitConfig C>
Ready encoder(DType stored) {
    struct State {
        Vit<C> vit;
        Tensor<float, dyn, C.patch_pixels()> patches = bench::random_rows<C.patch_pixels()>(C.tokens() - 1);
        Scratch scratch;
    };
    auto state = std::make_shared<State>();
    randomize(state->vit, 1, stored);
    double flops = bench::matrix_flops(state->vit.patch_embedding, C.tokens() - 1);
    for (const auto& block : state->vit.blocks)
        flops += bench::matrix_flops(block, C.tokens()) + bench::attention_flops(C.tokens(), C.tokens(), C.width);
    return {[state] {
                const auto frame = state->scratch.frame();
                state->vit(state->patches, state->scratch);
            },
            flops, static_cast<double>(parameter_bytes(state->vit))};
}

}  // namespace

int main(int argc, char** argv) {
    bench::add("ViT-g layer", {DType::f32, DType::bf16}, layer<eva_vit_g14>);
    bench::add("CLIP-L layer", {DType::f32, DType::bf16}, layer<clip_vit_l14>);
    bench::add("ViT-g", {DType::f32, DType::bf16}, encoder<eva_vit_g14>);
    bench::add("CLIP-L", {DType::f32, DType::bf16}, encoder<clip_vit_l14>);
    return bench::run_passes(argc, argv);
}
