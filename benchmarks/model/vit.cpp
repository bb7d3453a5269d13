// Image encoders on one picture of 224 pixels, and one layer of each.
//     vit [--threads N] [--weights f32|bf16] [--seconds S] [--only TEXT] [--json FILE]
#include <memory>
#include <tessera/model/stock.hpp>
#include <tessera/model/vit.hpp>
#include <tessera/nn/randomize.hpp>

#include "passes.hpp"

namespace {

using namespace tessera;
using benchmark::Ready;

template <VitConfig C>
Ready layer(Stored stored) {
    struct State {
        Block<C.width, C.heads, C.hidden, C.activation> block{C.eps};
        Tensor<float, dyn, C.width> input = benchmark::random_rows<C.width>(C.tokens()), x = input;
        Scratch scratch;
    };
    auto state = std::make_shared<State>();
    randomize(state->block, 1, stored);
    return {
        [state] {
            state->x = state->input;
            state->block(state->x, Full{}, state->scratch);
        },
        benchmark::matrix_flops(state->block, C.tokens()) + benchmark::attention_flops(C.tokens(), C.tokens(), C.width),
        static_cast<double>(parameter_bytes(state->block))};
}

template <VitConfig C>
Ready encoder(Stored stored) {
    struct State {
        Vit<C> vit;
        Tensor<float, dyn, C.patch_pixels()> patches = benchmark::random_rows<C.patch_pixels()>(C.tokens() - 1);
        Scratch scratch;
    };
    auto state = std::make_shared<State>();
    randomize(state->vit, 1, stored);
    double flops = benchmark::matrix_flops(state->vit.patch_embedding, C.tokens() - 1);
    for (const auto& block : state->vit.blocks)
        flops +=
            benchmark::matrix_flops(block, C.tokens()) + benchmark::attention_flops(C.tokens(), C.tokens(), C.width);
    return {[state] {
                const auto frame = state->scratch.frame();
                state->vit(state->patches, state->scratch);
            },
            flops, static_cast<double>(parameter_bytes(state->vit))};
}

}  // namespace

int main(int argc, char** argv) {
    return benchmark::time_passes(argc, argv, "Image encoders on one picture", "f32",
                                  {{"ViT-g layer", layer<eva_vit_g14>},
                                   {"CLIP-L layer", layer<clip_vit_l14>},
                                   {"ViT-g", encoder<eva_vit_g14>},
                                   {"CLIP-L", encoder<clip_vit_l14>}});
}
