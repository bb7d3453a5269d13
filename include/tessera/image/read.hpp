// Pictures from files and from memory.
#pragma once
#include <filesystem>
#include <string_view>
#include <tessera/core/file.hpp>
#include <tessera/core/printable.hpp>
#include <tessera/image/bmp.hpp>
#include <tessera/image/image.hpp>
#include <tessera/image/jpeg.hpp>
#include <tessera/image/png.hpp>
#include <tessera/image/read_options.hpp>

namespace tessera::inline TESSERA_ISA {

/// Decodes a PNG, JPEG or BMP file that lies in memory; `where` names it in messages.
/// shape   → [height, width, 3]
/// errors  Errc::file_format where it is neither of the three; Errc::image_decode where it is broken or cut;
///         Errc::image_size where it is empty or larger than allowed. Nothing larger than the file can hold is allocated.
inline Image decode_image(Bytes file, std::string_view where, const ReadOptions& options = {}) {
    if (is_png(file)) return read_png(file, where, options);
    if (is_jpeg(file)) return read_jpeg(file, where, options);
    if (is_bmp(file)) return read_bmp(file, where, options);
    const std::string_view begin(reinterpret_cast<const char*>(file.data()), file.size());
    if (file.empty()) throw Error(Errc::file_format, where, ": the file is empty, expected PNG, JPEG or BMP");
    throw Error(Errc::file_format, where, ": expected PNG, JPEG or BMP, found a file that begins with ",
                in_quotes(begin.substr(0, 16)));
}

/// Reads a PNG, JPEG or BMP file: gray, palette, colour, CMYK, any depth, with or without transparency. The bytes are
/// those of Pillow and libjpeg-turbo.
/// shape   → [height, width, 3]
/// errors  Errc::file_open; those of decode_image, which name the path
inline Image read_image(const std::filesystem::path& path, const ReadOptions& options = {}) {
    const MappedFile file(path);
    return decode_image(file.bytes(), path.string(), options);
}

}  // namespace tessera::inline TESSERA_ISA
