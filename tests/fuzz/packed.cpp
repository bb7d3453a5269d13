// model.tessera: packed weights, which are mapped and not copied.
#include <filesystem>
#include <fstream>
#include <fuzz/folder.hpp>
#include <fuzz/fuzz.hpp>
#include <model/toy/toy.hpp>
#include <support/stored.hpp>
#include <tessera/checkpoint/packed.hpp>
#include <tessera/nn/randomize.hpp>
#include <vector>

using namespace tessera;

const std::string_view fuzz::place = "model.tessera";
const std::size_t fuzz::proportion = 64;

namespace {

const fuzz::Folder& checkpoint() {
    static const fuzz::Folder folder;
    static const auto config = folder.write("config.json", R"({"model_type": "toy"})");
    return folder;
}

}  // namespace

// Where weights lie depends on the processor, so what to begin with is made here: in the last folder of the arguments.
extern "C" int LLVMFuzzerInitialize(int* count, char*** arguments) {
    const std::filesystem::path to = (*arguments)[*count - 1];
    if (!std::filesystem::is_directory(to)) return 0;
    for (const DType stored : test::weight_dtypes) {
        const fuzz::Folder packed;
        SmallToy model;
        randomize(model, 1, stored);
        pack(model, checkpoint().path(), packed.path());
        const MappedFile file(packed.path() / "model.tessera");
        const std::size_t end = file.text().find("}}") + 2;  // of the header, which is filled up to a page
        const std::string_view weights = file.text().substr(4096);
        std::ofstream(to / std::string(name(stored)), std::ios::binary)
            << detail::header_bytes(std::string(file.text().substr(8, end - 8)), alignment) << weights;
    }
    return 0;
}

void fuzz::read(std::string_view bytes) {
    checkpoint().write("model.tessera", bytes);
    SmallToy model;
    load_packed(model, checkpoint().path());
    std::vector<float> row;
    for (const auto& [path, leaf] : leaves_of(model)) {
        row.resize(static_cast<std::size_t>(leaf.columns()));
        for (Index i = 0; i < leaf.rows(); ++i) leaf.read(i, row.data());
        std::ranges::fill(row, 1.0f);
        leaf.write(leaf.rows() - 1, row.data(), 1);  // to a page of this process's own
    }
    const Tensor<float, dyn, SmallToy::config.width> x({3, SmallToy::config.width});
    Scratch s;
    expect(model(x, s).extent(0) == 3, "states of the rows");
    expect(MappedFile(checkpoint().path() / "model.tessera").text() == bytes, "the file as it was");
}
