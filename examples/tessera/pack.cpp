#include "pack.hpp"

#include <iostream>
#include <tessera/checkpoint/packed.hpp>

#include "choose.hpp"
#include "load.hpp"
#include "models.hpp"

int run(const PackCommand& command) {
    using namespace tessera;
    const ModelConfig config(resolve_model(command.model));
    program::Choice choice(config);
    const bool done = choice.use(program::all_models, [&]<class Model>(const Compiled<Model>&) {
        const auto loaded = program::load_weights_only<Model>(choice, {.weights = command.weights});
        pack(loaded, config.file.parent_path(), command.out);
        std::cout << command.out << ": " << program::bytes_text(parameter_bytes(loaded)) << " of "
                  << name(kept_dtype(loaded)) << " weights for processors of this kind\n";
    });
    if (!done) choice.refuse();
    return 0;
}
