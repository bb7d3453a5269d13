#include "pack.hpp"

#include <functional>
#include <iostream>
#include <tessera/checkpoint/packed.hpp>
#include <tessera/generate/load.hpp>

#include "models.hpp"
#include "progress.hpp"
#include "weights.hpp"

int run(const PackCommand& command) {
    using namespace tessera;
    const ModelConfig config(resolve_model(command.model));
    const std::filesystem::path from = config.file.parent_path();
    const bool done = any_model(program::models, [&]<class Model>(const Compiled<Model>&) {
        if (!mismatches<Model>(config).empty()) return false;
        LoadOptions options{.warn = [](const std::string& warning) { std::cerr << "tessera: " << warning << '\n'; }};
        if (!command.weights.empty()) options.weight_dtype = program::weights_named(command.weights);
        const Model model = [&] {
            program::ProgressBar bar;
            options.progress = std::ref(bar);
            return load_model<Model>(config, options);
        }();
        pack(model, from, command.out);
        std::cout << command.out << ": " << program::bytes_text(parameter_bytes(model)) << " of "
                  << name(kept_dtype(model)) << " weights for processors of this kind\n";
        return true;
    });
    if (!done) throw Error(Errc::config_unsupported, config.file.string(), ": no compiled model has these shapes");
    return 0;
}
