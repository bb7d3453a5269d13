// The numbers that describe each model, checked when they are compiled.
#pragma once
#include <sstream>
#include <string>
#include <tessera/core/activation.hpp>
#include <tessera/core/view.hpp>

namespace tessera::inline TESSERA_ISA {

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

/// Every number of a description, by name.
void visit_numbers(const VitConfig&, auto&& f) {
    using C = VitConfig;
    f("image", &C::image), f("patch", &C::patch), f("width", &C::width), f("heads", &C::heads);
    f("hidden", &C::hidden), f("layers", &C::layers), f("activation", &C::activation);
    f("patch_bias", &C::patch_bias), f("input_norm", &C::input_norm), f("output_norm", &C::output_norm);
    f("eps", &C::eps), f("output_eps", &C::output_eps);
}
void visit_numbers(const QFormerConfig&, auto&& f) {
    using C = QFormerConfig;
    f("queries", &C::queries), f("width", &C::width), f("heads", &C::heads), f("hidden", &C::hidden);
    f("layers", &C::layers), f("cross_every", &C::cross_every), f("context", &C::context);
    f("vocabulary", &C::vocabulary), f("positions", &C::positions), f("activation", &C::activation);
    f("eps", &C::eps);
}
void visit_numbers(const OptConfig&, auto&& f) {
    using C = OptConfig;
    f("vocabulary", &C::vocabulary), f("width", &C::width), f("heads", &C::heads), f("hidden", &C::hidden);
    f("layers", &C::layers), f("positions", &C::positions), f("embedding", &C::embedding);
    f("pre_norm", &C::pre_norm), f("activation", &C::activation), f("eps", &C::eps);
}

/// The first number in which two descriptions differ: `width: expected 1408, found 1024`; empty where they agree.
template <class Config>
std::string difference(const Config& expected, const Config& found) {
    std::ostringstream out;
    visit_numbers(expected, [&, first = true](const char* name, auto Config::*member) mutable {
        if (!first || expected.*member == found.*member) return;
        first = false;
        const auto show = [](auto x) {
            if constexpr (std::is_same_v<decltype(x), Activation>)
                return tessera::name(x);
            else
                return x;
        };
        out << std::boolalpha << name << ": expected " << show(expected.*member) << ", found " << show(found.*member);
    });
    return out.str();
}

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

}  // namespace tessera::inline TESSERA_ISA
