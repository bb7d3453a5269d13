// Your own BLIP-2 in ten lines: shapes that do not fit each other do not compile.
#include <cstdio>
#include <tessera/model/blip2/blip2.hpp>
#include <tessera/nn/randomize.hpp>

using namespace tessera;

inline constexpr VitConfig vision =
    checked(VitConfig{.image = 112, .width = 192, .heads = 3, .hidden = 768, .layers = 4});
inline constexpr QFormerConfig qformer =
    checked(QFormerConfig{.queries = 8, .width = 128, .heads = 4, .hidden = 512, .layers = 4, .context = vision.width});
inline constexpr OptConfig decoder = checked(OptConfig{
    .vocabulary = 1000, .width = 256, .heads = 4, .hidden = 1024, .layers = 4, .positions = 128, .embedding = 256});
using Mine = Blip2<Vit<vision>, QFormer<qformer>, Opt<decoder>>;

int main() {
    Mine model;
    std::printf("%td parameters, of which the image encoder has %td, the Q-Former %td\n", parameter_count(model),
                parameter_count(model.vision), parameter_count(model.qformer));
    randomize(model, 1);

    Scratch s;
    Tensor<float, dyn, vision.patch_pixels()> patches(
        {vision.grid() * vision.grid(), vision.patch_pixels()});  // a black picture
    const auto image_embeds = model.vision(patches, s);
    const auto soft_prompt = model.projection(model.qformer(image_embeds, s), s);
    std::printf("patches [%td, %td] -> [%td, %td] -> soft prompt [%td, %td]\n", patches.extent(0), patches.extent(1),
                image_embeds.extent(0), image_embeds.extent(1), soft_prompt.extent(0), soft_prompt.extent(1));
}
