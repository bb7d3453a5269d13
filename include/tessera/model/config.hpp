// The numbers that describe each model, checked when they are compiled.
#pragma once
#include <tessera/core/activation.hpp>
#include <tessera/core/view.hpp>

namespace tessera {

/// A vision transformer: EVA-CLIP as it stands, CLIP with `input_norm`, no `patch_bias`, `quick_gelu`, 1e-5.
struct VitConfig {
    Index image = 224;    // pixels, each side, for which the position table was made
    Index patch = 14;     // pixels, each side
    Index width = 1408;   // D
    Index heads = 16;     // H
    Index hidden = 6144;  // M
    Index layers = 39;    // L
    Activation activation = Activation::gelu;
    bool patch_bias = true;   // a bias on the patch embedding
    bool input_norm = false;  // CLIP: a norm between the embedding and the first block
    bool output_norm = true;  // a norm behind the last block
    float eps = 1e-6f;        // of the norms in the blocks and of the input norm
    float output_eps = 1e-6f;

    constexpr Index grid() const { return image / patch; }
    constexpr Index tokens() const { return grid() * grid() + 1; }
    constexpr Index patch_pixels() const { return 3 * patch * patch; }
    friend constexpr bool operator==(const VitConfig&, const VitConfig&) = default;
};

/// The Q-Former: BERT with learned queries; cross-attention to the picture in layers 0, cross_every, 2·cross_every, …
struct QFormerConfig {
    Index queries = 32;   // Q
    Index width = 768;    // D
    Index heads = 12;     // H
    Index hidden = 3072;  // M
    Index layers = 12;    // L
    Index cross_every = 2;
    Index context = 1408;   // width of the image encoder's output
    Index vocabulary = 0;   // V; 0: no text path (Hugging Face's captioning checkpoints have none)
    Index positions = 512;  // of text
    Activation activation = Activation::gelu;
    float eps = 1e-12f;

    constexpr bool has_text() const { return vocabulary > 0; }
    friend constexpr bool operator==(const QFormerConfig&, const QFormerConfig&) = default;
};

/// OPT. `pre_norm` false and `embedding` narrower than `width`: opt-350m.
struct OptConfig {
    Index vocabulary = 50272;  // V
    Index width = 2560;        // D
    Index heads = 32;          // H
    Index hidden = 10240;      // M
    Index layers = 32;         // L
    Index positions = 2048;
    Index embedding = 2560;  // width of the word embeddings
    bool pre_norm = true;
    Activation activation = Activation::relu;
    float eps = 1e-5f;

    constexpr bool output_norm() const { return pre_norm; }
    friend constexpr bool operator==(const OptConfig&, const OptConfig&) = default;
};

/// Rejects, while compiling, numbers that no model can have.
consteval VitConfig checked(VitConfig c) {
    if (c.image <= 0 || c.patch <= 0 || c.width <= 0 || c.heads <= 0 || c.hidden <= 0 || c.layers < 0)
        throw "VitConfig: sizes must be positive";
    if (c.image % c.patch != 0) throw "VitConfig: image must be a multiple of patch";
    if (c.width % c.heads != 0) throw "VitConfig: width must be a multiple of heads";
    return c;
}
consteval QFormerConfig checked(QFormerConfig c) {
    if (c.queries <= 0 || c.width <= 0 || c.heads <= 0 || c.hidden <= 0 || c.layers < 0 || c.context <= 0)
        throw "QFormerConfig: sizes must be positive";
    if (c.cross_every <= 0) throw "QFormerConfig: cross_every must be positive";
    if (c.width % c.heads != 0) throw "QFormerConfig: width must be a multiple of heads";
    return c;
}
consteval OptConfig checked(OptConfig c) {
    if (c.vocabulary <= 0 || c.width <= 0 || c.heads <= 0 || c.hidden <= 0 || c.layers < 0 || c.positions <= 0 ||
        c.embedding <= 0)
        throw "OptConfig: sizes must be positive";
    if (c.width % c.heads != 0) throw "OptConfig: width must be a multiple of heads";
    return c;
}

}  // namespace tessera
