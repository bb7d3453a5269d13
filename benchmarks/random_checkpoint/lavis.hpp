// What LAVIS publishes of a BLIP-2: what it trained as a file of torch.save, and the frozen models beside it as their own makers
// have them. The numbers are those of the same model in Hugging Face's layout.
#pragma once
#include <string>
#include <string_view>
#include <utility>

#include "shape.hpp"
#include "torch_file.hpp"

namespace tessera::random_checkpoint {

/// A BLIP-2's parts in one folder.
struct LavisNames {
    std::string_view shape;
    std::string_view trained;        // what LAVIS trained
    std::string_view language = {};  // the shape of the language model, and the folder for it
    bool trains_vision = false;      // as for COCO: the image encoder is in the same file then
};

/// source  lavis/configs/models/blip2
inline constexpr LavisNames lavis_names[] = {
    {"blip2-opt-2.7b", "blip2_pretrained_opt2.7b.pth", "opt-2.7b"},
    {"blip2-opt-2.7b-coco", "blip2_caption_opt2.7b.pth", "opt-2.7b", true},
    {"blip2-opt-6.7b", "blip2_pretrained_opt6.7b.pth", "opt-6.7b"},
    {"blip2-opt-6.7b-coco", "blip2_caption_opt6.7b.pth", "opt-6.7b", true},
    {"blip2-flan-t5-xl", "blip2_pretrained_flant5xl.pth", "flan-t5-xl"},
    {"blip2-flan-t5-xl-coco", "blip2_caption_flant5xl.pth", "flan-t5-xl", true},
    {"blip2-flan-t5-xxl", "blip2_pretrained_flant5xxl.pth", "flan-t5-xxl"},
    {"blip2-itm-vit-g", "blip2_pretrained.pth"},
    {"blip2-itm-vit-g-coco", "blip2_finetune_coco.pth", {}, true},
};

/// errors  Errc::option_value
inline const LavisNames& lavis_names_of(const Shape& shape) {
    for (const LavisNames& names : lavis_names)
        if (names.shape == shape.name) return names;
    throw Error(Errc::option_value, "--layout lavis: expected the shape of a BLIP-2, found ", shape.name);
}

/// How numbers are stored where no type is asked for: LAVIS trains in 32 bits what is not frozen, and EVA-CLIP and OPT come in 16.
struct LavisTypes {
    ElementType vision, trained, language;
};
inline LavisTypes published_types(const Shape& shape) {
    return {ElementType::f16, ElementType::f32, shape.opt ? ElementType::f16 : ElementType::f32};
}

/// `tensor` under another name.
inline PlannedTensor renamed(PlannedTensor tensor, std::string name) {
    tensor.drawn_as = std::exchange(tensor.name, std::move(name));
    return tensor;
}

/// `name` with each first of a pair, where it occurs, as the second.
inline std::string replaced(std::string name,
                            std::initializer_list<std::pair<std::string_view, std::string_view>> pairs) {
    for (const auto& [from, to] : pairs)
        if (const auto at = name.find(from); at != name.npos) name.replace(at, from.size(), to);
    return name;
}

/// EVA-CLIP's image encoder, but for what follows its blocks.
inline void add_lavis_eva(TorchFilePlan& file, const VitConfig& config, const std::string& prefix) {
    TensorList list;
    add_eva(list, config);
    for (PlannedTensor& tensor : list.take()) {
        if (tensor.name.find("post_layernorm") != tensor.name.npos) continue;
        const std::string name = prefix + replaced(tensor.name, {{"vision_model.", ""},
                                                                 {"encoder.layers", "blocks"},
                                                                 {"embeddings.class_embedding", "cls_token"},
                                                                 {"embeddings.position_embedding", "pos_embed"},
                                                                 {"embeddings.patch_embedding", "patch_embed.proj"},
                                                                 {"self_attn.projection", "attn.proj"},
                                                                 {"self_attn", "attn"},
                                                                 {"layer_norm", "norm"}});
        constexpr std::string_view bias = "qkv.bias";
        if (!name.ends_with(bias)) {
            file.add(renamed(std::move(tensor), name));
            continue;
        }
        const std::string attention = name.substr(0, name.size() - bias.size());
        for (const auto& [part, from] :
             {std::pair("q_bias", tensor.zeros_from - config.width), std::pair("v_bias", tensor.zeros_to)})
            file.add({attention + part, {config.width}, tensor.law, tensor.name, from});
    }
}

/// eva_vit_g.pth as it is downloaded: a block that BLIP-2 leaves out, and CLIP's norm and projection behind it.
inline PlannedFile lavis_vision(VitConfig config, ElementType type) {
    TorchFilePlan file("eva_vit_g.pth", type);
    ++config.layers;
    add_lavis_eva(file, config, "");
    constexpr Index clip_width = 1024;
    TensorList rest;
    rest.norm("norm", config.width);
    rest.linear("head", clip_width, config.width);
    for (PlannedTensor& tensor : rest.take()) file.add(std::move(tensor));
    return file.take("");
}

/// What LAVIS trained, below `model`.
inline PlannedFile lavis_trained(const Shape& shape, const LavisNames& names, ElementType type) {
    TorchFilePlan file(std::string(names.trained), type);
    const QFormerConfig& qformer = *shape.qformer;
    TensorList list;
    add_eva(list, *shape.vision);
    add_qformer(list, qformer);
    if (shape.retrieval())
        add_retrieval(list, qformer);
    else
        list.linear("language_projection", shape.language_width(), qformer.width);

    if (names.trains_vision) add_lavis_eva(file, *shape.vision, "visual_encoder.");
    const std::string bert = "Qformer.bert.";
    for (PlannedTensor& tensor : list.take()) {
        const bool is_norm = tensor.name.find("post_layernorm") != tensor.name.npos;
        if (tensor.name.starts_with("vision_model.") && !is_norm) continue;
        std::string name = replaced(tensor.name, {{"vision_model.post_layernorm", "ln_vision"},
                                                  {"qformer.layernorm", bert + "embeddings.LayerNorm"},
                                                  {"qformer.", bert},
                                                  {"attention.attention", "attention.self"},
                                                  {"language_projection", shape.opt ? "opt_proj" : "t5_proj"},
                                                  {"vision_projection", "vision_proj"},
                                                  {"text_projection", "text_proj"}});
        if (name.starts_with("embeddings.")) name = bert + name;
        file.add(renamed(std::move(tensor), std::move(name)));
    }
    file.add_positions(bert + "embeddings.position_ids", QFormerConfig{}.positions);
    if (!shape.retrieval()) return file.take("model");

    const std::string head = "Qformer.cls.predictions.";
    TensorList rest;
    rest.add("temp", {}, {0.07f, 0});
    rest.linear(head + "transform.dense", qformer.width, qformer.width);
    // Words have a deviation of 1; logits should have one of two.
    const float gain = 2 / std::sqrt(static_cast<float>(qformer.width));
    rest.add(head + "transform.LayerNorm.weight", {qformer.width}, {gain, 0.1f * gain});
    rest.add(head + "transform.LayerNorm.bias", {qformer.width}, {0, 0.05f * gain});
    rest.add(head + "bias", {qformer.vocabulary}, {0, 0.05f});
    for (PlannedTensor& tensor : rest.take()) file.add(std::move(tensor));
    file.add_tied(head + "decoder.weight", bert + "embeddings.word_embeddings.weight");
    file.add_tied(head + "decoder.bias", head + "bias");
    return file.take("model");
}

/// The files of torch.save.
inline std::vector<PlannedFile> lavis_files(const Shape& shape, const LavisNames& names, const LavisTypes& types) {
    std::vector<PlannedFile> files;
    files.push_back(lavis_trained(shape, names, types.trained));
    if (!names.trains_vision) files.push_back(lavis_vision(*shape.vision, types.vision));
    return files;
}

}  // namespace tessera::random_checkpoint
