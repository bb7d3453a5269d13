// A file of torch.save, from its zip directory to the parameters of a model.
#include <checkpoint/toy.hpp>
#include <fuzz/folder.hpp>
#include <fuzz/fuzz.hpp>
#include <tessera/checkpoint/load.hpp>

using namespace tessera;

constexpr OptConfig tiny{
    .vocabulary = 24, .width = 8, .heads = 2, .hidden = 16, .layers = 2, .positions = 10, .embedding = 8};

const std::string_view fuzz::place = "pytorch_model.bin";
const std::size_t fuzz::proportion = 64;

void fuzz::read(std::string_view bytes) {
    static const Folder folder;
    folder.write("pytorch_model.bin", bytes);
    const Checkpoint checkpoint(folder.path());
    for (const auto& entry : checkpoint.tensors())
        if (is_weight(entry.tensor->type)) entry.tensor->to_floats();
    test::ToyOpt<tiny> model;
    load_weights(model, checkpoint, {.weight_dtype = DType::bf16});
}
