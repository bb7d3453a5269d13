// CLIP's image encoder against transformers, from a checkpoint that holds the whole of CLIP.
#include <doctest/doctest.h>

#include <tessera/checkpoint/dump.hpp>
#include <tessera/checkpoint/safetensors.hpp>
#include <tessera/generate/load.hpp>
#include <tessera/image/preprocess.hpp>
#include <tessera/model/vit/vit.hpp>

#include "support/compare.hpp"
#include "support/golden_models.hpp"
#include "support/golden_numbers.hpp"

namespace generate_clip {
using namespace tessera;

TEST_CASE("every layer of CLIP's image encoder, five pictures at once") {
    const auto path = test::golden("clip_vision");
    const Safetensors file(test::golden_expected("clip_vision"));
    const auto model = load<Vit<test::golden_clip>>(path.string());
    const auto [shape, pixels] = test::GoldenNumbers(file, "pixel_values");
    const Index pictures = shape[0];
    Tensor<float, dyn, 588> cut({pictures * 16, 588});
    for (Index i = 0; i < pictures; ++i)
        patchify(cut.view().slice(i * 16, 16),
                 View<const float, 3, dyn, dyn>(pixels.data() + i * 3 * 56 * 56, {3, 56, 56}), 14);
    Dump dump;
    Scratch s(dump);
    model(cut, s);
    for (const std::string name : {"vision.embeddings", "vision.pre_layrnorm", "vision.layer_0", "vision.layer_1",
                                   "vision.layer_2", "vision.layer_3", "vision.last_hidden_state"})
        test::check_close(name, dump.at(name).values, test::golden_numbers(file, name), 6e-5);
}

}  // namespace generate_clip
