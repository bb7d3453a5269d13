// What a model of given numbers consists of, without compiling that model: the same list that for_each_parameter gives.
#pragma once
#include <string>
#include <tessera/checkpoint/description.hpp>
#include <tessera/checkpoint/layout.hpp>
#include <tessera/checkpoint/names.hpp>
#include <vector>

namespace tessera::inline TESSERA_ISA {

namespace detail {

/// Collects the parameters of layers, in the order in which they are visited.
struct Parameters {
    std::vector<Need>& out;
    std::string prefix;

    void one(const std::string& path, Index rows, Index columns) const {
        out.push_back({prefix + path, rows, columns});
    }
    void norm(const std::string& path, Index width) const {
        one(path + ".weight", 1, width);
        one(path + ".bias", 1, width);
    }
    void linear(const std::string& path, Index in, Index to, bool bias = true) const {
        one(path + ".weight", to, in);
        if (bias) one(path + ".bias", 1, to);
    }
    void attention(const std::string& path, Index width, Index context) const {
        linear(path + ".query", width, width);
        linear(path + ".key", context, width);
        linear(path + ".value", context, width);
        linear(path + ".output", width, width);
    }
    void mlp(const std::string& path, Index width, Index hidden) const {
        linear(path + ".up", width, hidden);
        linear(path + ".down", hidden, width);
    }
    void block(const std::string& path, Index width, Index hidden) const {
        norm(path + ".norm1", width);
        attention(path + ".attention", width, width);
        norm(path + ".norm2", width);
        mlp(path + ".mlp", width, hidden);
    }

    void vit(const VitConfig& c) const {
        linear("patch_embedding", c.patch_pixels(), c.width, c.patch_bias);
        one("class_token", 1, c.width);
        one("position", c.tokens(), c.width);
        if (c.input_norm) norm("input_norm", c.width);
        for (Index i = 0; i < c.layers; ++i) block("blocks." + std::to_string(i), c.width, c.hidden);
        if (c.output_norm) norm("norm", c.width);
    }
    void qformer(const QFormerConfig& c) const {
        one("queries", c.queries, c.width);
        norm("norm", c.width);
        if (c.has_text()) {
            one("word.weight", c.vocabulary, c.width);
            one("position", c.positions, c.width);
        }
        for (Index i = 0; i < c.layers; ++i) {
            const std::string layer = "layers." + std::to_string(i);
            attention(layer + ".self", c.width, c.width);
            norm(layer + ".self_norm", c.width);
            if (i % c.cross_every == 0) {
                attention(layer + ".cross", c.width, c.context);
                norm(layer + ".cross_norm", c.width);
            }
            mlp(layer + ".query_mlp", c.width, c.hidden);
            norm(layer + ".query_norm", c.width);
            if (c.has_text()) {
                mlp(layer + ".text_mlp", c.width, c.hidden);
                norm(layer + ".text_norm", c.width);
            }
        }
    }
    void opt(const OptConfig& c) const {
        one("embedding.weight", c.vocabulary, c.embedding);
        one("position", c.positions + 2, c.width);
        if (c.embedding != c.width) {
            linear("project_in", c.embedding, c.width, false);
            linear("project_out", c.width, c.embedding, false);
        }
        for (Index i = 0; i < c.layers; ++i) block("layers." + std::to_string(i), c.width, c.hidden);
        if (c.output_norm()) norm("norm", c.width);
    }
};

}  // namespace detail

/// The parameters of the model that `d` describes.
inline std::vector<Need> parameters(const Description& d) {
    std::vector<Need> out;
    if (d.architecture == Architecture::vit) detail::Parameters{out, {}}.vit(d.vision.value());
    if (d.architecture == Architecture::opt) detail::Parameters{out, {}}.opt(d.text.value());
    if (d.architecture == Architecture::blip2) {
        detail::Parameters{out, "vision."}.vit(d.vision.value());
        detail::Parameters{out, "qformer."}.qformer(d.qformer.value());
        if (d.text) {
            detail::Parameters{out, {}}.linear("projection", d.qformer->width, d.text->embedding);
            detail::Parameters{out, "decoder."}.opt(*d.text);
        }
    }
    return out;
}

/// Number of learned numbers in all of them.
inline Index total_size(std::span<const Need> needs) {
    Index count = 0;
    for (const Need& need : needs) count += need.rows * need.columns;
    return count;
}

/// The tensors, names and shapes, of a checkpoint of that model as Hugging Face saves it.
struct StoredShape {
    std::string name;
    std::vector<Index> shape;
};
inline std::vector<StoredShape> stored_shapes(const Description& d) {
    const bool clip = d.vision && d.vision->input_norm;
    const auto sections = spelling::sections(d.architecture);
    const auto usual = [&](std::size_t s) {
        return clip ? sections[s].lines.data() != spelling::eva_spellings
                    : sections[s].lines.data() != spelling::clip_spellings;
    };
    std::vector<StoredShape> out;
    for (const Need& need : parameters(d)) {
        const StoredName stored = stored_name(d.architecture, need.path, usual).value();
        if (stored.layout.third <= 0) out.push_back({stored.name, stored.layout.shape(need)});
    }
    return out;
}

}  // namespace tessera::inline TESSERA_ISA
