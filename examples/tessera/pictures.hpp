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

/// Looks whether there is such a file where it is the only picture, before minutes of loading a model for nothing.
/// errors  Errc::file_open
void expect_single_opens(const std::vector<std::string>& names);

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

/// How they are decoded.
tessera::DecodeOptions decode_options(const PictureOptions& options);

/// errors  those of read_image
tessera::Image read_picture(const std::string& name, const PictureOptions& options);

/// Says on standard error what was wrong, and with which picture, unless the message begins with it or `name` is empty.
void complain(const std::string& name, const tessera::Error& error);

/// Whether one picture is at fault, and others may get through; else it is an option, a text or the model.
inline bool is_of_a_picture(const tessera::Error& error) {
    return error.code == tessera::Errc::image_size || error.code == tessera::Errc::image_decode;
}

/// Calls f(name, image) for each picture that can be read and says which cannot, with a bar on a terminal where there are
/// several and `bar` is set. Stops where f returns false.
/// returns how many could not be read, or f refused; an error that is no picture's is the caller's
int for_each_picture(const std::vector<std::string>& names, const PictureOptions& options, bool bar, auto&& f) {
    int failures = 0;
    ProgressBar progress("pictures", bar && names.size() > 1 && is_terminal(stderr), Unit::count);
    for (std::size_t i = 0; i < names.size(); ++i) {
        progress(static_cast<Index>(i), static_cast<Index>(names.size()), names[i]);
        bool read = false;
        try {
            const tessera::Image image = read_picture(names[i], options);
            read = true;
            progress.hide();
            if (!f(names[i], image)) break;
        } catch (const tessera::Error& error) {
            if (read && !is_of_a_picture(error)) throw;
            progress.hide();
            complain(names.size() > 1 ? names[i] : "", error);
            ++failures;
        }
    }
    return failures;
}

/// The same, but f(names, images) has `together` pictures at a time, the last time fewer. A batch that f refuses comes again picture
/// by picture, so that the others get through beside the bad one. Stops where nothing can be printed any more: main says what went
/// wrong.
int for_each_batch(const std::vector<std::string>& names, const PictureOptions& options, bool bar, std::size_t together,
                   auto&& f) {
    std::vector<std::string> waiting;
    std::vector<tessera::Image> images;
    int refused = 0;
    const auto flush = [&] {
        const auto names_now = std::exchange(waiting, {});
        const auto images_now = std::exchange(images, {});
        if (names_now.size() > 1) {
            try {
                return f(names_now, images_now);
            } catch (const tessera::Error& error) {  // which of them is to blame shows below
                if (!is_of_a_picture(error)) throw;
            }
        }
        for (std::size_t i = 0; i < names_now.size(); ++i) {
            try {
                f({names_now[i]}, {images_now[i]});
            } catch (const tessera::Error& error) {
                if (!is_of_a_picture(error)) throw;
                complain(names.size() > 1 ? names_now[i] : "", error);
                ++refused;
            }
        }
    };
    const int unread = for_each_picture(names, options, bar, [&](const std::string& name, const tessera::Image& image) {
        waiting.push_back(name), images.push_back(image);
        if (images.size() == together) flush();
        return static_cast<bool>(std::cout);
    });
    flush();
    return unread + refused;
}

}  // namespace program
