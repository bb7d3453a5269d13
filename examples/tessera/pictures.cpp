// The decoders of pictures are compiled here, once for all commands.
#include "pictures.hpp"

#include <fstream>
#include <iterator>
#include <tessera/core/file.hpp>
#include <tessera/image/decode.hpp>
#include <tessera/image/decode_exact.hpp>
#include <tessera/image/decode_webp.hpp>

namespace program {

std::vector<std::string> picture_names(const PictureOptions& options) {
    std::vector<std::string> names = options.names;
    if (!options.list.empty()) {
        std::ifstream file;
        if (options.list != "-") file.open(options.list);
        std::istream& lines = options.list == "-" ? std::cin : file;
        if (!lines) throw tessera::Error(tessera::Errc::file_open, options.list, ": cannot be read");
        for (std::string line; std::getline(lines, line);) {
            if (line.ends_with('\r')) line.pop_back();
            if (!line.empty()) names.push_back(line);
        }
    }
    if (names.empty())
        throw tessera::Error(tessera::Errc::option_value,
                             "PICTURE or --list: expected at least one picture, found none");
    return names;
}

void expect_single_opens(const std::vector<std::string>& names) {
    if (names.size() == 1 && names[0] != "-") tessera::MappedFile opened(names[0]);
}

tessera::DecodeOptions decode_options(const PictureOptions& options) {
    using namespace tessera;
    return {.transparency = options.transparency == "white" ? Transparency::white : Transparency::drop,
            .turn_upright = options.turn.value_or(true),
            .decoders = {decode_exact, decode_webp}};
}

tessera::Image read_picture(const std::string& name, const PictureOptions& options) {
    using namespace tessera;
    const DecodeOptions how = decode_options(options);
    if (name != "-") return read_image(name, how);
    const std::string bytes{std::istreambuf_iterator<char>(std::cin), {}};
    return decode_image({reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()}, "standard input", how);
}

void complain(const std::string& name, const tessera::Error& error) {
    std::string text = error.what();
    const std::size_t begin = text.find("] ") + 2;  // after the kind of error
    const std::string where = name == "-" ? "standard input" : name;
    if (!name.empty() && !std::string_view(text).substr(begin).starts_with(where + ':'))
        text.insert(begin, where + ": ");
    std::cerr << "tessera: " << text << '\n';
}

}  // namespace program
