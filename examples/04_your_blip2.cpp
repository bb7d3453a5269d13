// Your own BLIP-2 in ten lines: shapes that do not fit each other do not compile.
#include <cstdio>
#include <tessera/model/blip2/blip2.hpp>
#include <tessera/nn/randomize.hpp>

using namespace tessera;

inline constexpr VitConfig eyes =
    checked(VitConfig{.image = 112, .width = 192, .heads = 3, .hidden = 768, .layers = 4});
inline constexpr QFormerConfig bridge =
    checked(QFormerConfig{.queries = 8, .width = 128, .heads = 4, .hidden = 512, .layers = 4, .context = eyes.width});
inline constexpr OptConfig mouth = checked(OptConfig{
    .vocabulary = 1000, .width = 256, .heads = 4, .hidden = 1024, .layers = 4, .positions = 128, .embedding = 256});
using Mine = Blip2<Vit<eyes>, QFormer<bridge>, Opt<mouth>>;

int main() {
    Mine model;
    std::printf("%td parameters, of which the image encoder has %td, the Q-Former %td\n", parameter_count(model),
                parameter_count(model.vision), parameter_count(model.qformer));
    randomize(model, 1);

    Scratch s;
    Tensor<float, dyn, eyes.patch_pixels()> patches(
        {eyes.grid() * eyes.grid(), eyes.patch_pixels()});  // a black picture
    const auto seen = model.vision(patches, s);
    const auto said = model.projection(model.qformer(seen, s), s);
    std::printf("patches [%td, %td] -> [%td, %td] -> soft prompt [%td, %td]\n", patches.extent(0), patches.extent(1),
                seen.extent(0), seen.extent(1), said.extent(0), said.extent(1));
}
