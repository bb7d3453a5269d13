// The pictures that a command is given.
#pragma once
#include <iostream>
#include <optional>
#include <string>
#include <tessera/generate/style.hpp>
#include <tessera/image/image.hpp>
#include <utility>
#include <vector>

#include "progress.hpp"

namespace program {

struct PictureOptions {
    std::vector<std::string> names;  // files; "-": a picture on standard input
    std::string list;                // a file with a name in each line; "-": standard input
    std::optional<bool> turn;        // as EXIF data says; not set: yes, or as the style does
    std::string transparency;        // "drop" or "white"; empty: drop, or as the style does

    bool any() const { return !names.empty() || !list.empty(); }
};

/// All names, those of the list last.
/// errors  Errc::file_open; Errc::option_value where there are none
std::vector<std::string> picture_names(const PictureOptions& options);

/// The style of that name: "transformers" or "lavis".
inline tessera::Style style_named(const std::string& name) {
    return name == "lavis" ? tessera::Style::lavis : tessera::Style::transformers;
}

/// How the style reads pictures, where nothing else was asked for.
inline void apply(const tessera::StyleDefaults& style, PictureOptions& options) {
    if (!options.turn) options.turn = style.turn_upright;
    if (options.transparency.empty())
        options.transparency = style.transparency == tessera::Transparency::white ? "white" : "drop";
}

/// errors  those of read_image
tessera::Image read_picture(const std::string& name, const PictureOptions& options);

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

/// The same, but f(names, images) has `together` pictures at a time, the last time fewer. A batch is not seen again, whatever becomes of
/// it. Stops where nothing can be printed any more: main says what went wrong.
int for_each_batch(const std::vector<std::string>& names, const PictureOptions& options, bool bar, std::size_t together,
                   auto&& f) {
    std::vector<std::string> waiting;
    std::vector<tessera::Image> images;
    const auto flush = [&] {
        const auto names_now = std::exchange(waiting, {});
        const auto images_now = std::exchange(images, {});
        if (!images_now.empty()) f(names_now, images_now);
    };
    const int failures =
        for_each_picture(names, options, bar, [&](const std::string& name, const tessera::Image& image) {
            waiting.push_back(name), images.push_back(image);
            if (images.size() == together) flush();
            return static_cast<bool>(std::cout);
        });
    flush();
    return failures;
}

}  // namespace program
