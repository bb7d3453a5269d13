#include <iostream>
#include <tessera/checkpoint/folder.hpp>
#include <tessera/checkpoint/hub.hpp>
#include <tessera/checkpoint/model_config.hpp>

#include "commands.hpp"
#include "models.hpp"
#include "progress.hpp"

namespace {

using namespace tessera;
using program::bytes_text;

// What a model would take in memory, without filling it.
template <class Model>
Index bytes_of(const Model& model, DType dtype) {
    Index bytes = 0;
    for_each_parameter(model, [&]<class Leaf>(const std::string&, const Leaf&) {
        // Matrices are kept as `dtype`, everything else as float.
        constexpr bool is_matrix = !requires(const Leaf& leaf) { leaf.view(); };
        bytes += Leaf::rows * Leaf::columns * (is_matrix && dtype == DType::bf16 ? 2 : 4);
    });
    return bytes;
}

// The largest of the temporaries: hidden rows of the image encoder, rows of the language model and the scores of all words, and
// keys and values of a short prompt and 30 tokens.
template <class Vision>
Index vision_floats() {
    return Vision::config.tokens() * (7 * Vision::width + Vision::config.hidden);
}
constexpr Index short_text = 64;
template <class Vision, class Query, OptConfig C>
Index working_bytes(const Blip2<Vision, Query, Opt<C>>&) {
    const Index text = Query::config.queries + short_text;
    const Index language = text * (6 * C.width + C.hidden) + C.vocabulary;
    return 4 * (std::max(vision_floats<Vision>(), language) + 2 * C.layers * text * C.width);
}
template <class Vision, class Query, T5Config C>
Index working_bytes(const Blip2<Vision, Query, T5<C>>&) {
    const Index text = Query::config.queries + short_text, inner = C.heads * C.head_size;
    const Index language = text * (3 * C.width + 4 * inner + 2 * C.hidden) + C.vocabulary;
    return 4 * (std::max(vision_floats<Vision>(), language) + 2 * C.decoder_layers * (text + short_text) * inner);
}
template <class Vision, class Query>
Index working_bytes(const Blip2Retrieval<Vision, Query>&) {
    constexpr QFormerConfig c = Query::config;
    const Index patches = Vision::config.tokens(), cross = (c.layers + c.cross_every - 1) / c.cross_every;
    return 4 * (std::max(vision_floats<Vision>(), 1024 * (6 * c.width + c.hidden)) + 2 * cross * patches * c.width);
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
    const Checkpoint checkpoint(folder);
    const auto amounts = checkpoint.amounts();
    const std::size_t files = checkpoint.files().size();
    Checkpoint::Amount all;
    for (const auto& [type, amount] : amounts) {
        all.tensors += amount.tensors;
        all.numbers += amount.numbers;
        all.bytes += amount.bytes;
    }

    Json out = {{"folder", folder.string()}, {"model_type", config.model_type}, {"files", files},
                {"tensors", all.tensors},    {"parameters", all.numbers},       {"bytes", all.bytes},
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
        out["memory"] = {{"f32", bytes_of(model, DType::f32) + working_bytes(model)},
                         {"bf16", bytes_of(model, DType::bf16) + working_bytes(model)}};
        return true;
    });
    if (command.tensors)
        for (const auto& entry : checkpoint.tensors())
            out["list"].push_back({{"name", entry.tensor->name},
                                   {"type", name(entry.tensor->type)},
                                   {"shape", entry.tensor->shape},
                                   {"file", entry.file->path().filename().string()}});
    if (command.json) {
        std::cout << out.dump() << '\n';
        return 0;
    }

    std::cout << folder.string() << ": " << config.model_type << '\n'
              << parts << "  stored         " << all.numbers << " numbers in " << all.tensors << " tensors, "
              << bytes_text(all.bytes) << " in " << files << (files == 1 ? " file" : " files");
    for (const auto& [type, amount] : amounts) std::cout << "; " << name(type) << ' ' << bytes_text(amount.bytes);
    std::cout << '\n';
    if (out["compiled"].is_null())
        std::cout << "  compiled       none of these shapes: a line in examples/tessera/models.hpp adds them\n";
    else
        std::cout << "  compiled       " << out["compiled"].get<std::string>() << "\n  memory         "
                  << bytes_text(out["memory"]["f32"].get<Index>()) << " with --weights f32, "
                  << bytes_text(out["memory"]["bf16"].get<Index>()) << " with --weights bf16\n";
    if (command.tensors)
        for (const auto& entry : checkpoint.tensors())
            std::cout << "  " << entry.tensor->name << ' ' << shape_text(entry.tensor->shape) << ' '
                      << name(entry.tensor->type) << '\n';
    return 0;
}
