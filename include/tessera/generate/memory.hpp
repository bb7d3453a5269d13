// How much memory a model needs, without filling it.
#pragma once
#include <cstdio>
#include <string>
#include <tessera/core/leaf_ref.hpp>
#include <tessera/model/blip2/blip2.hpp>
#include <tessera/model/blip2/retrieval.hpp>
#include <tessera/model/config.hpp>
#include <tuple>

namespace tessera::inline TESSERA_ISA {

/// The published checkpoints of BLIP-2 at Hugging Face, all by Salesforce.
inline constexpr std::tuple published_models{
    Compiled<Blip2Opt2_7b>{"blip2-opt-2.7b"},           Compiled<Blip2Opt2_7bCoco>{"blip2-opt-2.7b-coco"},
    Compiled<Blip2Opt6_7b>{"blip2-opt-6.7b"},           Compiled<Blip2Opt6_7bCoco>{"blip2-opt-6.7b-coco"},
    Compiled<Blip2FlanT5Xl>{"blip2-flan-t5-xl"},        Compiled<Blip2FlanT5XlCoco>{"blip2-flan-t5-xl-coco"},
    Compiled<Blip2FlanT5Xxl>{"blip2-flan-t5-xxl"},      Compiled<Blip2ItmVitG>{"blip2-itm-vit-g"},
    Compiled<Blip2ItmVitGCoco>{"blip2-itm-vit-g-coco"},
};

/// Bytes that the learned numbers of `model` take where matrices are kept as `weights`; it may be empty.
Index parameter_bytes_as(const auto& model, DType weights) {
    Index bytes = 0;
    for (const auto& [path, leaf] : leaves_of(model)) bytes += leaf.bytes_as(weights);
    return bytes;
}

/// Bytes of keys and values that the decoder of a language model keeps for each row it reads, as f32 or bf16.
template <class Language>
constexpr Index cache_row_bytes(DType stored = DType::f32) {
    constexpr auto c = Language::config;
    if constexpr (requires { c.decoder_layers; })
        return 2 * c.decoder_layers * c.heads * c.head_size * bits(stored) / 8;
    else
        return 2 * c.layers * c.width * bits(stored) / 8;
}

/// Bytes that the widest layer of an image encoder takes for temporaries: its rows twice, their norm, queries, keys, values and
/// their mix, and the rows of the feed-forward part; and the picture.
/// shape   a picture of the size that the model is made for
template <class Vision>
constexpr Index vision_bytes() {
    constexpr auto c = Vision::config;
    return Index{sizeof(float)} * (c.tokens() * (7 * c.width + c.hidden) + 2 * 3 * c.image * c.image);
}

/// A line for each published checkpoint: learned numbers, and gigabytes (10⁹ bytes) that its weights take as each type; kilobytes
/// of keys and values for each row of a text, and megabytes of temporaries for a picture. Panels that are filled up count; those of
/// f16 and i8 are all whole.
inline std::string memory_table() {
    std::string out = "checkpoint               parameters     f32    bf16     f16      i8   cache   picture\n";
    const auto line = [&](const char* format, auto... values) {
        char text[160];
        std::snprintf(text, sizeof text, format, values...);
        out += text;
    };
    any_model(published_models, [&]<class Model>(const Compiled<Model>& compiled) {
        const Model model;
        const auto gigabytes = [&](DType weights) {
            return 1e-9 * static_cast<double>(parameter_bytes_as(model, weights));
        };
        Index cache = 0;
        if constexpr (requires { model.language; }) cache = cache_row_bytes<decltype(model.language)>();
        line("%-22s %12.0f %7.2f %7.2f %7.2f %7.2f %7.0f %9.0f\n", compiled.name,
             static_cast<double>(parameter_count(model)), gigabytes(DType::f32), gigabytes(DType::bf16),
             gigabytes(DType::f16), gigabytes(DType::i8), 1e-3 * static_cast<double>(cache),
             1e-6 * static_cast<double>(vision_bytes<decltype(model.vision)>()));
        return false;
    });
    return out;
}

}  // namespace tessera::inline TESSERA_ISA
