#include <cstdio>
#include <iostream>
#include <tessera/checkpoint/inventory.hpp>
#include <tessera/checkpoint/progress.hpp>
#include <tessera/generate/load.hpp>

#include "commands.hpp"
#include "models.hpp"

namespace {

using namespace tessera;

// What a model would take in memory, without filling it.
template <class Model>
Index bytes_of(const Model& model, DType stored) {
    Index bytes = 0;
    for_each_parameter(model, [&]<class Leaf>(const std::string&, const Leaf&) {
        // Matrices are kept as asked for, everything else as float.
        constexpr bool is_matrix = !requires(const Leaf& leaf) { leaf.view(); };
        bytes += Leaf::rows * Leaf::columns * (is_matrix && stored == DType::bf16 ? 2 : 4);
    });
    return bytes;
}

// The largest of the temporaries: hidden rows of the image encoder, scores of all words, keys and values.
template <class Vision, class Query, class Decoder>
Index working_bytes(const Blip2<Vision, Query, Decoder>&) {
    const Index vision = Vision::config.tokens() * (7 * Vision::width + Vision::config.hidden);
    const Index text = Query::config.queries + 64;  // a short prompt and 30 tokens
    const Index decoder = text * (6 * Decoder::width + Decoder::config.hidden) + Decoder::vocabulary;
    return 4 * (std::max(vision, decoder) + 2 * Decoder::config.layers * text * Decoder::width);
}

Json describe(const VitConfig& c) {
    return {{"image", c.image}, {"patch", c.patch},   {"width", c.width},
            {"heads", c.heads}, {"hidden", c.hidden}, {"layers", c.layers}};
}
Json describe(const QFormerConfig& c) {
    return {{"queries", c.queries}, {"width", c.width},     {"heads", c.heads},    {"hidden", c.hidden},
            {"layers", c.layers},   {"context", c.context}, {"text", c.has_text()}};
}
Json describe(const OptConfig& c) {
    return {{"vocabulary", c.vocabulary}, {"width", c.width},   {"heads", c.heads},
            {"hidden", c.hidden},         {"layers", c.layers}, {"positions", c.positions}};
}

void print(const char* label, const Json& part) {
    std::cout << label;
    for (const auto& [name, value] : part.items()) std::cout << ' ' << name << ' ' << value;
    std::cout << '\n';
}

}  // namespace

int run(const InfoCommand& command) {
    const auto folder = resolve_model(command.model);
    const Description d = read_description(folder);
    const Checkpoint checkpoint(folder);
    const Inventory inventory(checkpoint);

    Json out = {{"folder", folder.string()},
                {"model_type", d.model_type},
                {"files", inventory.files},
                {"tensors", inventory.all.tensors},
                {"parameters", inventory.all.numbers},
                {"bytes", inventory.all.bytes},
                {"compiled", nullptr}};
    for (const auto& [type, count] : inventory.by_type)
        out["types"][std::string(name(type))] = {{"tensors", count.tensors}, {"bytes", count.bytes}};
    if (d.vision) out["vision"] = describe(*d.vision);
    if (d.qformer) out["qformer"] = describe(*d.qformer);
    if (d.text) out["text"] = describe(*d.text);
    program::for_each_model([&]<class Model>(program::Named<Model> candidate) {
        if (!fits<Model>(d)) return false;
        const Model model;
        out["compiled"] = candidate.name;
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

    std::cout << folder.string() << ": " << d.model_type << '\n';
    if (d.vision) print("  image encoder ", out["vision"]);
    if (d.qformer) print("  Q-Former      ", out["qformer"]);
    if (d.text) print("  language model", out["text"]);
    std::cout << "  stored         " << inventory.all.numbers << " numbers in " << inventory.all.tensors << " tensors, "
              << bytes_text(inventory.all.bytes) << " in " << inventory.files
              << (inventory.files == 1 ? " file" : " files");
    for (const auto& [type, count] : inventory.by_type)
        std::cout << "; " << name(type) << ' ' << bytes_text(count.bytes);
    std::cout << '\n';
    if (out["compiled"].is_null())
        std::cout << "  compiled       none: `tessera caption` cannot run these shapes\n";
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
