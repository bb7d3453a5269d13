// Scenes as what models read: pixels in patches, and token ids one text after another.
#pragma once
#include <tessera/core/scratch.hpp>
#include <tessera/core/token.hpp>
#include <tessera/kernel/parallel.hpp>
#include <tessera/model/qformer/text_batch.hpp>
#include <tessera/text/tokenizer.hpp>

#include "../models.hpp"
#include "../text.hpp"

namespace scenes {

using tessera::Token;
using Pixels = tessera::Rows<vision_config.patch_pixels()>;
inline constexpr Index patches_of_picture = vision_config.grid() * vision_config.grid();

/// What the image encoder reads of a picture, as `preprocess` and `patchify` make it.
/// shape   [patches, 3·patch²]
inline void read_pixels(float* to, const tessera::Image& image) {
    constexpr Index patch = vision_config.patch;
    for (Index top = 0; top < picture_side; top += patch)
        for (Index left = 0; left < picture_side; left += patch)
            for (Index channel = 0; channel < 3; ++channel)
                for (Index y = top; y < top + patch; ++y)
                    for (Index x = left; x < left + patch; ++x)
                        *to++ =
                            (static_cast<float>(image.row(y)[3 * x + channel] * 0.00392156862745098) - 0.25f) / 0.25f;
}

/// A fresh picture of each scene.
inline Pixels draw_pixels(const std::vector<Scene>& scenes, Random& random, tessera::Scratch& s) {
    const auto count = static_cast<Index>(scenes.size());
    const auto out = s.rows<vision_config.patch_pixels()>(count * patches_of_picture);
    const std::uint64_t seed = random.next();
    tessera::kernel::parallel_for(count, [&](Index i) {
        Random own(seed, static_cast<std::uint64_t>(i));
        read_pixels(out.data() + i * patches_of_picture * vision_config.patch_pixels(),
                    draw(scenes[static_cast<std::size_t>(i)], own));
    });
    return out;
}

/// Texts as a model reads them, with all that their tokens need to stay.
struct Texts {
    std::vector<Token> ids;
    std::vector<Index> starts{0};

    void add(std::span<const Token> text) {
        ids.insert(ids.end(), text.begin(), text.end());
        starts.push_back(static_cast<Index>(ids.size()));
    }
    tessera::TextBatch batch() const { return {ids, starts}; }
};

inline Texts captions_of(const std::vector<Scene>& scenes, const tessera::Tokenizer& tokenizer) {
    Texts out;
    for (const Scene& scene : scenes) out.add(tokenizer.encode(caption(scene)));
    return out;
}

}  // namespace scenes
