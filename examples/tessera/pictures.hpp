// The pictures that a command is given.
#pragma once
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <optional>
#include <string>
#include <tessera/generate/style.hpp>
#include <tessera/image/decode.hpp>
#include <tessera/image/decode_exact.hpp>
#include <tessera/image/decode_webp.hpp>
#include <vector>

#include "progress.hpp"

namespace program {

struct PictureOptions {
    std::vector<std::string> names;  // files; "-": a picture on standard input
    std::string list;                // a file with a name in each line; "-": standard input
    std::optional<bool> turn;        // as EXIF data says; not set: yes, or as the style does
    std::string transparency;        // "drop" or "white"; empty: drop, or as the style does
};

/// All names, those of the list last.
/// errors  Errc::file_open; Errc::option_value where there are none
inline std::vector<std::string> picture_names(const PictureOptions& options) {
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

/// How the style reads pictures, where nothing else was asked for.
inline void apply(const tessera::StyleDefaults& style, PictureOptions& options) {
    if (!options.turn) options.turn = style.turn_upright;
    if (options.transparency.empty())
        options.transparency = style.transparency == tessera::Transparency::white ? "white" : "drop";
}

inline tessera::Image read_picture(const std::string& name, const PictureOptions& options) {
    using namespace tessera;
    const DecodeOptions how{.transparency = options.transparency == "white" ? Transparency::white : Transparency::drop,
                            .turn_upright = options.turn.value_or(true),
                            .decoders = {decode_exact, decode_webp}};
    if (name != "-") return read_image(name, how);
    const std::string bytes{std::istreambuf_iterator<char>(std::cin), {}};
    return decode_image({reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()}, "standard input", how);
}

/// Calls f(name, image) for each picture that can be read and says which cannot, with a bar on a terminal where there are
/// several and `bar` is set. Stops where f returns false.
/// returns how many could not be read, or f refused with an Error
int for_each_picture(const std::vector<std::string>& names, const PictureOptions& options, bool bar, auto&& f) {
    int failures = 0;
    ProgressBar progress("pictures", bar && names.size() > 1 && is_terminal(stderr), Unit::count);
    for (std::size_t i = 0; i < names.size(); ++i) {
        progress(static_cast<Index>(i), static_cast<Index>(names.size()), names[i]);
        try {
            const tessera::Image image = read_picture(names[i], options);
            progress.hide();
            if (!f(names[i], image)) break;
        } catch (const tessera::Error& error) {
            progress.hide();
            std::cerr << "tessera: " << error.what() << '\n';
            ++failures;
        }
    }
    return failures;
}

}  // namespace program
