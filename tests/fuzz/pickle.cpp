// The pickle inside of a file of torch.save, beside twelve numbers.
#include <fuzz/folder.hpp>
#include <fuzz/fuzz.hpp>
#include <support/torch_files.hpp>
#include <tessera/checkpoint/torch_file.hpp>

using namespace tessera;

const std::string_view fuzz::place = "x.pth";
const std::size_t fuzz::proportion = 64;

void fuzz::read(std::string_view bytes) {
    static const Folder folder;
    const std::string numbers(48, '\1');
    const TorchFile file(folder.write("x.pth", test::torch_file(std::string(bytes), {{"0", numbers}, {"1", numbers}})));
    for (const StoredTensor& tensor : file.tensors()) {
        expect(tensor.bytes.size() <= numbers.size(), "a tensor inside of its storage");
        if (is_weight(tensor.type)) tensor.to_floats();
    }
}
