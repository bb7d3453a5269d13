// The tensors of a checkpoint: Hugging Face's names and shapes, and how each is drawn.
#pragma once
#include <cmath>
#include <string>
#include <vector>

#include "shape.hpp"
#include "values.hpp"

namespace tessera::random_checkpoint {

struct PlannedTensor {
    std::string name;
    std::vector<Index> extents;
    Law law;
    std::string drawn_as = {};  // the tensor whose numbers these are, from `drawn_from` on; empty: its own
    Index drawn_from = 0;
    Index zeros_from = 0, zeros_to = 0;  // numbers that are 0 whatever is drawn

    Index size() const {
        Index count = 1;
        for (const Index extent : extents) count *= extent;
        return count;
    }
};

/// Collects tensors. Weights are scaled to what they sum over, so that activations keep their size from layer to layer;
/// norms and biases lie near 1 and 0 but not on them, so that a reader that forgets one gives other numbers.
class TensorList {
  public:
    void add(std::string name, std::vector<Index> extents, Law law) {
        tensors_.push_back({std::move(name), std::move(extents), law});
    }
    /// `name.weight` [out, in] and `name.bias` [out].
    void linear(const std::string& name, Index out, Index in, float gain = 1, float mean_of_bias = 0) {
        matrix(name, out, in, gain);
        add(name + ".bias", {out}, {mean_of_bias, 0.05f});
    }
    void matrix(const std::string& name, Index out, Index in, float gain = 1) {
        add(name + ".weight", {out, in}, {0, gain / std::sqrt(static_cast<float>(in))});
    }
    /// Queries, keys and values in one; keys have no bias, and zeros in its place.
    void qkv(const std::string& name, Index width, float gain) {
        linear(name, 3 * width, width, gain);
        tensors_.back().zeros_from = width;
        tensors_.back().zeros_to = 2 * width;
    }
    void gain(const std::string& name, Index width) { add(name + ".weight", {width}, {1, 0.1f}); }
    void norm(const std::string& name, Index width) {
        gain(name, width);
        add(name + ".bias", {width}, {0, 0.05f});
    }
    std::vector<PlannedTensor> take() { return std::move(tensors_); }

  private:
    std::vector<PlannedTensor> tensors_;
};

// Queries and keys so large that scores have a standard deviation of about three: rows attend to some keys and not to
// others, and what comes out depends on what went in.
inline constexpr float sharp = 1.75f;

// Where a norm stands behind each sum, what a layer adds is smaller than what it adds to; otherwise a deep model forgets
// its input.
inline constexpr float behind_norm = 0.3f;

// Attention makes the rows of a picture alike; at half its size they still differ after forty layers.
inline constexpr float mixing = 0.5f;

// Few units pass a ReLU behind a bias of −1, as in trained OPT, and the gain makes up for it. With a bias of 0 every token
// makes nearly the same sum of them, and greedy decoding says one word for ever.
inline constexpr float relu_bias = -1, relu_gain = 3.6f;

/// EVA-CLIP as Blip2VisionModel has it.
inline void add_eva(TensorList& list, const VitConfig& c) {
    const std::string root = "vision_model.";
    list.add(root + "embeddings.class_embedding", {1, 1, c.width}, {0, 1});
    list.add(root + "embeddings.position_embedding", {1, c.tokens(), c.width}, {0, 0.5f});
    list.add(root + "embeddings.patch_embedding.weight", {c.width, 3, c.patch, c.patch},
             {0, 1 / std::sqrt(static_cast<float>(c.patch_pixels()))});
    list.add(root + "embeddings.patch_embedding.bias", {c.width}, {0, 0.05f});
    for (Index i = 0; i < c.layers; ++i) {
        const std::string layer = root + "encoder.layers." + std::to_string(i) + '.';
        list.qkv(layer + "self_attn.qkv", c.width, sharp);
        list.linear(layer + "self_attn.projection", c.width, c.width, mixing);
        list.norm(layer + "layer_norm1", c.width);
        list.linear(layer + "mlp.fc1", c.hidden, c.width);
        list.linear(layer + "mlp.fc2", c.width, c.hidden);
        list.norm(layer + "layer_norm2", c.width);
    }
    list.norm(root + "post_layernorm", c.width);
}

/// One tower of CLIP: its blocks, between `embeddings` and the last norm.
inline void add_clip_blocks(TensorList& list, const std::string& root, Index layers, Index width, Index hidden) {
    for (Index i = 0; i < layers; ++i) {
        const std::string layer = root + "encoder.layers." + std::to_string(i) + '.';
        for (const char* one : {"q_proj", "k_proj"}) list.linear(layer + "self_attn." + one, width, width, sharp);
        list.linear(layer + "self_attn.v_proj", width, width);
        list.linear(layer + "self_attn.out_proj", width, width, mixing);
        list.norm(layer + "layer_norm1", width);
        list.linear(layer + "mlp.fc1", hidden, width);
        list.linear(layer + "mlp.fc2", width, hidden);
        list.norm(layer + "layer_norm2", width);
    }
}

/// A whole CLIP ViT-L/14 as CLIPModel has it: the published file holds the text tower too.
struct ClipText {
    Index vocabulary = 49408, positions = 77, width = 768, heads = 12, hidden = 3072, layers = 12, projection = 768;
};
inline void add_clip(TensorList& list, const VitConfig& c) {
    const std::string vision = "vision_model.", text = "text_model.";
    list.add(vision + "embeddings.class_embedding", {c.width}, {0, 1});
    list.add(vision + "embeddings.patch_embedding.weight", {c.width, 3, c.patch, c.patch},
             {0, 1 / std::sqrt(static_cast<float>(c.patch_pixels()))});
    list.add(vision + "embeddings.position_embedding.weight", {c.tokens(), c.width}, {0, 0.5f});
    list.norm(vision + "pre_layrnorm", c.width);
    add_clip_blocks(list, vision, c.layers, c.width, c.hidden);
    list.norm(vision + "post_layernorm", c.width);

    const ClipText t;
    list.add(text + "embeddings.token_embedding.weight", {t.vocabulary, t.width}, {0, 0.5f});
    list.add(text + "embeddings.position_embedding.weight", {t.positions, t.width}, {0, 0.1f});
    add_clip_blocks(list, text, t.layers, t.width, t.hidden);
    list.norm(text + "final_layer_norm", t.width);
    list.matrix("visual_projection", t.projection, c.width);
    list.matrix("text_projection", t.projection, t.width);
    list.add("logit_scale", {}, {2.6592f, 0});
}

inline void add_qformer(TensorList& list, const QFormerConfig& c) {
    const auto attention = [&](const std::string& name, Index context) {
        list.linear(name + ".attention.query", c.width, c.width, sharp);
        list.linear(name + ".attention.key", c.width, context, sharp);
        list.linear(name + ".attention.value", c.width, context);
        list.linear(name + ".output.dense", c.width, c.width, behind_norm);
        list.norm(name + ".output.LayerNorm", c.width);
    };
    list.add("query_tokens", {1, c.queries, c.width}, {0, 1});
    list.norm("qformer.layernorm", c.width);
    for (Index i = 0; i < c.layers; ++i) {
        const std::string layer = "qformer.encoder.layer." + std::to_string(i) + '.';
        attention(layer + "attention", c.width);
        if (i % c.cross_every == 0) attention(layer + "crossattention", c.context);
        list.linear(layer + "intermediate_query.dense", c.hidden, c.width);
        list.linear(layer + "output_query.dense", c.width, c.hidden, behind_norm);
        list.norm(layer + "output_query.LayerNorm", c.width);
        if (!c.has_text()) continue;
        list.linear(layer + "intermediate.dense", c.hidden, c.width);
        list.linear(layer + "output.dense", c.width, c.hidden, behind_norm);
        list.norm(layer + "output.LayerNorm", c.width);
    }
}

/// Words, and the heads of contrast and matching.
inline void add_retrieval(TensorList& list, const QFormerConfig& c) {
    list.add("embeddings.word_embeddings.weight", {c.vocabulary, c.width}, {0, 1});
    list.add("embeddings.position_embeddings.weight", {c.positions, c.width}, {0, 0.3f});
    list.linear("vision_projection", c.embedding, c.width);
    list.linear("text_projection", c.embedding, c.width);
    list.linear("itm_head", 2, c.width);
}

/// OPTForCausalLM; the output layer is the embedding table, which is stored once.
inline void add_opt(TensorList& list, const OptConfig& c, const std::string& prefix) {
    const std::string root = prefix + "model.decoder.";
    const float gain = c.pre_norm ? 1 : behind_norm;
    // Logits with a standard deviation of two.
    list.add(root + "embed_tokens.weight", {c.vocabulary, c.embedding},
             {0, 2 / std::sqrt(static_cast<float>(c.embedding))});
    list.add(root + "embed_positions.weight", {c.positions + 2, c.width},
             {0, 1 / std::sqrt(static_cast<float>(c.width))});
    if (c.embedding != c.width) {
        list.matrix(root + "project_in", c.width, c.embedding);
        list.matrix(root + "project_out", c.embedding, c.width);
    }
    for (Index i = 0; i < c.layers; ++i) {
        const std::string layer = root + "layers." + std::to_string(i) + '.';
        for (const char* one : {"q_proj", "k_proj"}) list.linear(layer + "self_attn." + one, c.width, c.width, sharp);
        list.linear(layer + "self_attn.v_proj", c.width, c.width);
        list.linear(layer + "self_attn.out_proj", c.width, c.width, gain);
        list.norm(layer + "self_attn_layer_norm", c.width);
        list.linear(layer + "fc1", c.hidden, c.width, 1, relu_bias);
        list.linear(layer + "fc2", c.width, c.hidden, gain * relu_gain);
        list.norm(layer + "final_layer_norm", c.width);
    }
    if (c.output_norm()) list.norm(root + "final_layer_norm", c.width);
}

/// T5ForConditionalGeneration with an output layer of its own.
inline void add_t5(TensorList& list, const T5Config& c, const std::string& prefix) {
    const Index inner = c.heads * c.head_size;
    // As sharp as scores that are scaled by 1/√head_size.
    const float unscaled = sharp / std::sqrt(std::sqrt(static_cast<float>(c.head_size)));
    const float gated_gain = 1.5f;  // gelu(a)·b is smaller than a and b
    const auto attention = [&](const std::string& name, float gain) {
        for (const char* one : {".q", ".k"}) list.matrix(name + one, inner, c.width, unscaled);
        list.matrix(name + ".v", inner, c.width);
        list.matrix(name + ".o", c.width, inner, gain);
    };
    list.add(prefix + "shared.weight", {c.vocabulary, c.width}, {0, 1});
    for (const bool decoder : {false, true}) {
        const std::string stack = prefix + (decoder ? "decoder." : "encoder.");
        for (Index i = 0; i < (decoder ? c.decoder_layers : c.encoder_layers); ++i) {
            const std::string block = stack + "block." + std::to_string(i) + ".layer.";
            attention(block + "0.SelfAttention", decoder ? 1 : mixing);
            if (i == 0)
                list.add(block + "0.SelfAttention.relative_attention_bias.weight", {c.buckets, c.heads}, {0, 1});
            list.gain(block + "0.layer_norm", c.width);
            if (decoder) {
                attention(block + "1.EncDecAttention", 1);
                list.gain(block + "1.layer_norm", c.width);
            }
            const std::string feed = block + (decoder ? "2." : "1.");
            for (const char* one : {"wi_0", "wi_1"}) list.matrix(feed + "DenseReluDense." + one, c.hidden, c.width);
            list.matrix(feed + "DenseReluDense.wo", c.width, c.hidden, gated_gain);
            list.gain(feed + "layer_norm", c.width);
        }
        list.gain(stack + "final_layer_norm", c.width);
    }
    list.matrix(prefix + "lm_head", c.vocabulary, c.width, 2);
}

inline void add_language(TensorList& list, const Shape& shape, const std::string& prefix) {
    if (shape.opt)
        add_opt(list, *shape.opt, prefix);
    else
        add_t5(list, *shape.t5, prefix);
}

/// Everything the weight files of `shape` hold.
inline std::vector<PlannedTensor> planned_tensors(const Shape& shape) {
    TensorList list;
    if (shape.qformer) {
        add_eva(list, *shape.vision);
        add_qformer(list, *shape.qformer);
        if (shape.retrieval()) {
            add_retrieval(list, *shape.qformer);
            return list.take();
        }
        list.linear("language_projection", shape.language_width(), shape.qformer->width);
        add_language(list, shape, "language_model.");
    } else if (shape.opt || shape.t5) {
        add_language(list, shape, "");
    } else {
        add_clip(list, *shape.vision);
    }
    return list.take();
}

}  // namespace tessera::random_checkpoint
