// Checkpoints as LAVIS and OpenAI name them, made of those that Hugging Face's tools wrote.
#pragma once
#include <functional>
#include <string>
#include <string_view>
#include <support/torch_files.hpp>
#include <tessera/checkpoint/folder.hpp>
#include <vector>

namespace tessera::test {

/// `name` with each `from` replaced by its `to`.
inline std::string renamed(std::string name,
                           std::initializer_list<std::pair<std::string_view, std::string_view>> pairs) {
    for (const auto& [from, to] : pairs)
        if (const auto at = name.find(from); at != name.npos) name.replace(at, from.size(), to);
    return name;
}

/// Numbers `first` to `first + count` of the first extent of a tensor.
inline StoredTensor slice(const StoredTensor& whole, Index first, Index count) {
    StoredTensor part = whole;
    part.size = whole.size / whole.shape.at(0) * count;
    part.shape[0] = count;
    const Index bytes = static_cast<Index>(whole.bytes.size()) / whole.shape[0];
    part.bytes = whole.bytes.subspan(static_cast<std::size_t>(first * bytes), static_cast<std::size_t>(count * bytes));
    return part;
}

/// EVA-CLIP's image encoder as LAVIS names it: `vision_model.*` of a BLIP-2, without the norm after the last block.
inline void add_eva(TorchWriter& writer, const Checkpoint& blip2, const std::string& prefix) {
    for (const auto& entry : blip2.tensors()) {
        if (!entry.name().starts_with("vision_model.") || entry.name().find("post_layernorm") != std::string_view::npos)
            continue;
        const std::string name =
            prefix + renamed(std::string(entry.name()), {{"vision_model.", ""},
                                                         {"encoder.layers.", "blocks."},
                                                         {"embeddings.class_embedding", "cls_token"},
                                                         {"embeddings.position_embedding", "pos_embed"},
                                                         {"embeddings.patch_embedding", "patch_embed.proj"},
                                                         {"layer_norm", "norm"},
                                                         {"self_attn.projection", "attn.proj"},
                                                         {"self_attn.qkv", "attn.qkv"}});
        if (!name.ends_with("attn.qkv.bias")) {
            writer.add(name, *entry.tensor);
            continue;
        }
        const Index third = entry.tensor->shape[0] / 3;
        const std::string block = name.substr(0, name.size() - std::string_view("qkv.bias").size());
        writer.add(block + "q_bias", slice(*entry.tensor, 0, third));
        writer.add(block + "v_bias", slice(*entry.tensor, 2 * third, third));
    }
}

/// What LAVIS saves of either stage: all but the image encoder and the language model. `projection`: the name of the layer that leads to the language model.
inline void add_lavis(TorchWriter& writer, const Checkpoint& blip2, std::string_view projection = "opt_proj") {
    for (const auto& entry : blip2.tensors()) {
        const std::string name(entry.name());
        const bool is_norm = name.find("post_layernorm") != name.npos;
        if ((name.starts_with("vision_model.") && !is_norm) || name.starts_with("language_model.")) continue;
        writer.add(renamed(name, {{"vision_model.post_layernorm", "ln_vision"},
                                  {"qformer.layernorm", "Qformer.bert.embeddings.LayerNorm"},
                                  {"qformer.", "Qformer.bert."},
                                  {"attention.attention", "attention.self"},
                                  {"crossattention.attention", "crossattention.self"},
                                  {"language_projection", projection},
                                  {"vision_projection", "vision_proj"},
                                  {"text_projection", "text_proj"},
                                  {"embeddings.word_", "Qformer.bert.embeddings.word_"},
                                  {"embeddings.position_", "Qformer.bert.embeddings.position_"}}),
                   *entry.tensor);
    }
}

/// CLIP's image encoder as OpenAI names it: keys, queries and values in one.
inline void add_openai_clip(TorchWriter& writer, const Checkpoint& clip, const std::string& prefix,
                            std::vector<std::string>& buffers) {
    buffers.reserve(clip.tensors().size());
    for (const auto& entry : clip.tensors()) {
        const std::string name(entry.name());
        if (!name.starts_with("vision_model.") || name.find("k_proj") != name.npos ||
            name.find("v_proj") != name.npos || name.find("position_ids") != name.npos)
            continue;
        StoredTensor tensor = *entry.tensor;
        if (const auto at = name.find("q_proj"); at != name.npos) {
            std::string& all = buffers.emplace_back();
            for (const char* part : {"q_proj", "k_proj", "v_proj"}) {
                const auto bytes = clip.find(std::string(name).replace(at, 6, part))->tensor->bytes;
                all.append(bytes.begin(), bytes.end());
            }
            tensor.shape[0] *= 3;
            tensor.size *= 3;
            tensor.bytes = {reinterpret_cast<const unsigned char*>(all.data()), all.size()};
        }
        writer.add(prefix + renamed(name, {{"vision_model.", ""},
                                           {"encoder.layers.", "transformer.resblocks."},
                                           {"embeddings.class_embedding", "class_embedding"},
                                           {"embeddings.position_embedding.weight", "positional_embedding"},
                                           {"embeddings.patch_embedding", "conv1"},
                                           {"pre_layrnorm", "ln_pre"},
                                           {"post_layernorm", "ln_post"},
                                           {"layer_norm", "ln_"},
                                           {"self_attn.q_proj.", "attn.in_proj_"},
                                           {"self_attn.out_proj", "attn.out_proj"},
                                           {"mlp.fc1", "mlp.c_fc"},
                                           {"mlp.fc2", "mlp.c_proj"}}),
                   tensor);
    }
}

}  // namespace tessera::test
