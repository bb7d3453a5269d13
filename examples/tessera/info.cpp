#include <iostream>
#include <tessera/checkpoint/folder.hpp>
#include <tessera/checkpoint/hub.hpp>
#include <tessera/checkpoint/model_config.hpp>
#include <tessera/checkpoint/packed.hpp>
#include <tessera/generate/memory.hpp>

#include "commands.hpp"
#include "json_line.hpp"
#include "models.hpp"
#include "progress.hpp"
#include "weights.hpp"

namespace {

using namespace tessera;
using program::bytes_text;

// What it takes in memory with a picture and a short text: its weights, the temporaries of the image encoder, keys and values.
template <class Model>
Index bytes_of(const Model& model, DType weights) {
    constexpr Index rows = 128;  // queries, a short prompt and 64 tokens
    Index cache = 0;
    if constexpr (requires { model.language; }) cache = rows * cache_row_bytes<decltype(model.language)>();
    return parameter_bytes_as(model, weights) + vision_bytes<decltype(model.vision)>() + cache;
}

// The members of a config, by name.
template <class Config>
Json to_json(const Config& config) {
    Json out;
    Config::visit([&](const char* name, auto Config::*member) {
        if constexpr (std::is_same_v<decltype(member), Activation Config::*>)
            out[name] = tessera::name(config.*member);
        else
            out[name] = config.*member;
    });
    return out;
}

}  // namespace

int run(const InfoCommand& command) {
    const auto folder = resolve_model(command.model);
    const ModelConfig config(folder);
    const bool packed = is_packed(folder);
    const Checkpoint checkpoint(packed ? folder / detail::packed_name : folder);
    const auto amounts = checkpoint.amounts();
    const std::size_t files = checkpoint.files().size();
    Checkpoint::Amount all;
    for (const auto& [type, amount] : amounts) {
        all.tensors += amount.tensors;
        all.numbers += amount.numbers;
        all.bytes += amount.bytes;
    }

    Json out = {{"folder", folder.string()},
                {"model_type", config.model_type},
                {"files", files},
                {"tensors", all.tensors},
                {"parameters", all.numbers},
                {"bytes", all.bytes},
                {"packed", packed},
                {"compiled", nullptr}};
    for (const auto& [type, amount] : amounts)
        out["types"][std::string(name(type))] = {{"tensors", amount.tensors}, {"bytes", amount.bytes}};
    std::string parts;
    for_each_part(program::all_models, config, [&]<class Config>(const Config& part) {
        out["parts"][Config::type_name] = to_json(part);
        std::string role(Config::role);
        role.resize(15, ' ');
        parts += "  " + role + as_code(part) + '\n';
    });
    if (parts.empty())
        throw Error(Errc::config_unsupported, config.file.string(), ": model_type: ", in_quotes(config.model_type),
                    " is none that this program knows");
    any_model(program::all_models, [&]<class Model>(const Compiled<Model>& compiled) {
        if (!mismatches<Model>(config).empty()) return false;
        const Model model;
        out["compiled"] = compiled.name;
        for (const std::string& weights : program::weight_words)
            out["memory"][weights] = bytes_of(model, program::weights_named(weights));
        return true;
    });
    if (command.tensors)
        for (const auto& entry : checkpoint.tensors())
            out["list"].push_back({{"name", entry.tensor->name},
                                   {"type", name(entry.tensor->type)},
                                   {"shape", entry.tensor->shape},
                                   {"file", entry.file->path().filename().string()}});
    if (command.json) {
        program::print(out);
        return 0;
    }

    std::cout << folder.string() << ": " << config.model_type << '\n' << parts << "  stored         ";
    if (!packed) std::cout << all.numbers << " numbers in ";
    std::cout << all.tensors << (packed ? " packed tensors, " : " tensors, ") << bytes_text(all.bytes) << " in "
              << files << (files == 1 ? " file" : " files");
    for (const auto& [type, amount] : amounts) std::cout << "; " << name(type) << ' ' << bytes_text(amount.bytes);
    std::cout << '\n';
    if (out["compiled"].is_null()) {
        std::cout << "  compiled       none of these shapes: a line in examples/tessera/models.hpp adds them\n";
    } else {
        std::cout << "  compiled       " << out["compiled"].get<std::string>() << "\n  memory        ";
        const char* comma = " ";
        for (const std::string& weights : program::weight_words) {
            std::cout << comma << bytes_text(out["memory"][weights].get<Index>()) << " with --weights " << weights;
            comma = ", ";
        }
        std::cout << '\n';
    }
    if (command.tensors)
        for (const auto& entry : checkpoint.tensors())
            std::cout << "  " << entry.tensor->name << ' ' << shape_text(entry.tensor->shape) << ' '
                      << name(entry.tensor->type) << '\n';
    return 0;
}
