// Pictures into files.
#pragma once
#include <png.h>

#include <filesystem>
#include <tessera/core/error.hpp>
#include <tessera/image/image.hpp>

namespace tessera::inline TESSERA_ISA {

/// Writes a PNG file of 8-bit RGB.
/// errors  Errc::image_size where the picture is empty; Errc::file_open names the path and the reason, and leaves no file
inline void write_png(const std::filesystem::path& path, const Image& image) {
    if (image.pixels.size() == 0)
        throw Error(Errc::image_size, path.string(), ": expected a picture to write, found an empty one (",
                    image.width(), "×", image.height(), ")");
    png_image header{};
    header.version = PNG_IMAGE_VERSION;
    header.width = static_cast<png_uint_32>(image.width());
    header.height = static_cast<png_uint_32>(image.height());
    header.format = PNG_FORMAT_RGB;
    constexpr int keep_8_bits = 0, rows_touch = 0;
    if (png_image_write_to_file(&header, path.c_str(), keep_8_bits, image.pixels.data(), rows_touch, nullptr) == 0)
        throw Error(Errc::file_open, path.string(), ": cannot be written: ", header.message);
}

}  // namespace tessera::inline TESSERA_ISA
