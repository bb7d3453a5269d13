// The index of weights in several files.
#include <fuzz/folder.hpp>
#include <fuzz/fuzz.hpp>
#include <support/golden.hpp>
#include <tessera/checkpoint/description.hpp>
#include <tessera/checkpoint/parameters.hpp>
#include <tessera/checkpoint/plan.hpp>

using namespace tessera;

const std::string_view fuzz::place = "safetensors";
const std::size_t fuzz::proportion = 64;

void fuzz::read(std::string_view bytes) {
    static const Folder folder(test::golden("malformed/checkpoints/index_ok"),
                               {"config.json", "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"});
    static const Description description = read_description(folder.path());
    folder.write("model.safetensors.index.json", bytes);
    const Checkpoint checkpoint(folder.path());
    plan_load(parameters(description), checkpoint, description.architecture);
}
