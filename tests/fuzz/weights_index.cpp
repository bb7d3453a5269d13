// The index of weights in several files.
#include <checkpoint/toy.hpp>
#include <fuzz/folder.hpp>
#include <fuzz/fuzz.hpp>
#include <support/golden.hpp>

using namespace tessera;

constexpr OptConfig tiny{
    .vocabulary = 24, .width = 8, .heads = 2, .hidden = 16, .layers = 2, .positions = 10, .embedding = 8};

const std::string_view fuzz::place = "safetensors";
const std::size_t fuzz::proportion = 64;

void fuzz::read(std::string_view bytes) {
    static const Folder folder(test::golden("malformed/checkpoints/index_ok"),
                               {"model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"});
    folder.write("model.safetensors.index.json", bytes);
    const Checkpoint checkpoint(folder.path());
    plan_load(tensor_specs(test::ToyOpt<tiny>()), checkpoint, opt_names());
}
