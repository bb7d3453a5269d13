// Weights as Hugging Face has them: safetensors files of a limited size, and their index.
#pragma once
#include <cstdio>
#include <tessera/checkpoint/save.hpp>
#include <tessera/core/json.hpp>

#include "planned_file.hpp"

namespace tessera::random_checkpoint {

constexpr std::string_view safetensors_name(ElementType type) {
    return type == ElementType::bf16 ? "BF16" : type == ElementType::f16 ? "F16" : "F32";
}

/// The header, and where the tensors begin after it.
inline void lay_out(PlannedFile& shard) {
    Json header = {{"__metadata__", {{"format", "pt"}}}};
    Index end = 0;
    for (const PlannedTensor& tensor : shard.tensors) {
        const Index begin = end;
        end += tensor.size() * bytes_per_element(shard.type);
        shard.offsets.push_back(begin);
        header[tensor.name] = {
            {"dtype", safetensors_name(shard.type)}, {"shape", tensor.extents}, {"data_offsets", {begin, end}}};
    }
    std::string text = detail::header_bytes(header.dump(), 8);
    const auto front = static_cast<Index>(text.size());
    for (Index& offset : shard.offsets) offset += front;
    shard.bytes = front + end;
    shard.texts.push_back({0, std::move(text)});
}

/// Tensors in order of their names, a new file where `limit` bytes of weights would be exceeded.
inline std::vector<PlannedFile> plan_shards(std::vector<PlannedTensor> tensors, ElementType type, Index limit) {
    std::ranges::sort(tensors, {}, &PlannedTensor::name);
    std::vector<PlannedFile> shards(1);
    Index filled = 0;
    for (PlannedTensor& tensor : tensors) {
        const Index bytes = tensor.size() * bytes_per_element(type);
        if (filled > 0 && filled + bytes > limit) {
            shards.emplace_back();
            filled = 0;
        }
        filled += bytes;
        shards.back().tensors.push_back(std::move(tensor));
    }
    for (std::size_t i = 0; i < shards.size(); ++i) {
        char name[64] = "model.safetensors";
        if (shards.size() > 1)
            std::snprintf(name, sizeof name, "model-%05zu-of-%05zu.safetensors", i + 1, shards.size());
        shards[i].name = name;
        shards[i].type = type;
        lay_out(shards[i]);
    }
    return shards;
}

/// model.safetensors.index.json
inline Json shard_index(const std::vector<PlannedFile>& shards) {
    Json map = Json::object();
    Index total = 0;
    for (const PlannedFile& shard : shards) {
        for (const PlannedTensor& tensor : shard.tensors) {
            map[tensor.name] = shard.name;
            total += tensor.size() * bytes_per_element(shard.type);
        }
    }
    return {{"metadata", {{"total_size", total}}}, {"weight_map", std::move(map)}};
}

}  // namespace tessera::random_checkpoint
