// The list of pictures of an index, what its header says of their features and, with zero bytes between them, these. What else a file
// of that format can say is read by safetensors.cpp.
#include <cstring>
#include <fuzz/folder.hpp>
#include <fuzz/fuzz.hpp>

#include "../../examples/tessera/index.hpp"

using namespace tessera;

const std::string_view fuzz::place = "pictures.index";
const std::size_t fuzz::proportion = 256;

namespace {

constexpr Index queries = 2, width = 4;
constexpr const char *weights = "0123456789abcdef", *reading = "resize";

bool same(const program::IndexedPicture& a, const program::IndexedPicture& b) {
    return a.name == b.name && a.bytes == b.bytes && a.changed == b.changed &&
           std::memcmp(a.features.data(), b.features.data(), queries * width * sizeof(float)) == 0;  // NaN too
}

}  // namespace

void fuzz::read(std::string_view bytes) {
    static const Folder folder;
    const auto part = [&] {
        const auto end = std::min(bytes.find('\0'), bytes.size());
        const std::string_view out = bytes.substr(0, end);
        bytes.remove_prefix(std::min(end + 1, bytes.size()));
        return out;
    };
    const std::string list = program::json_text(Json(part())), tensor(part());
    const auto path =
        folder.write("pictures.index", detail::header_bytes(R"({"__metadata__":{"weights":")" + std::string(weights) +
                                                            R"(","reading":")" + reading + R"(","pictures":)" + list +
                                                            R"(},"image_features":)" + tensor + '}') +
                                           std::string(bytes));
    const program::PictureIndex index(path, weights, reading, queries, width);
    for (const program::IndexedPicture& picture : index.pictures()) {
        expect(picture.features.size() == queries * width, "the features of a picture");
        const auto* const found = index.find(picture.name);
        expect(found == nullptr || found->name == picture.name, "the picture that was asked for");
    }
    index.save();
    const auto again = [&] {
        try {
            return program::PictureIndex(path, weights, reading, queries, width);
        } catch (const Error& error) {
            expect(false, "an index that was saved", error.what());
            std::abort();
        }
    }();
    expect(std::ranges::equal(again.pictures(), index.pictures(), same), "the pictures that were saved");
}
