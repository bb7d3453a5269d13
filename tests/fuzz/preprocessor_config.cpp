// preprocessor_config.json, or processor_config.json, and a picture prepared as it says.
#include <fuzz/folder.hpp>
#include <fuzz/fuzz.hpp>
#include <tessera/image/read_preprocess.hpp>

using namespace tessera;

const std::string_view fuzz::place = "processor_config.json";
const std::size_t fuzz::proportion = 1 << 15;

void fuzz::read(std::string_view bytes) {
    static const Folder folder;
    const bool newer = bytes.find("\"image_processor\"") != bytes.npos;
    std::filesystem::remove(folder.path() / "preprocessor_config.json");
    folder.write(newer ? "processor_config.json" : "preprocessor_config.json", bytes);
    const Preprocess settings = read_folder_preprocess(folder.path());
    for (const Index side :
         {settings.height, settings.width, settings.shortest_edge, settings.crop_height, settings.crop_width})
        if (side > 64) return;  // right, but slow
    Image picture(3, 5);
    std::fill_n(picture.pixels.data(), picture.pixels.size(), static_cast<unsigned char>(77));
    preprocess(picture, settings);
}
