// Pictures from files and from memory: PNG and JPEG through stb_image, which is a header, and BMP, GIF, TGA, PPM and PGM. Nothing
// has to be linked. Other formats, and JPEG to the very bytes of Pillow, come in as decoders: decode_exact.hpp, decode_webp.hpp.
#pragma once
#include <filesystem>
#include <string_view>
#include <tessera/core/file.hpp>
#include <tessera/core/printable.hpp>
#include <tessera/image/bmp.hpp>
#include <tessera/image/decode_options.hpp>
#include <tessera/image/gif.hpp>
#include <tessera/image/image.hpp>
#include <tessera/image/jpeg.hpp>
#include <tessera/image/png.hpp>
#include <tessera/image/pnm.hpp>
#include <tessera/image/tga.hpp>

namespace tessera::inline TESSERA_ISA {

namespace detail {

/// What a file is that decode_image does not read, as far as its first bytes tell; else nothing.
inline std::string_view foreign_format(Bytes file) {
    struct Mark {
        std::size_t at;
        std::string_view bytes, format;
    };
    constexpr std::string_view heif = "a HEIC file", jxl = "a JPEG XL file", tiff = "a TIFF file",
                               plain = "a plain PNM file", page = "a web page";
    constexpr Mark marks[]{{8, "WEBP", "a WebP file"},
                           {0, {"II*\0", 4}, tiff},
                           {0, {"MM\0*", 4}, tiff},
                           {0, {"II+\0", 4}, tiff},
                           {0, {"MM\0+", 4}, tiff},
                           {4, "ftypavi", "an AVIF file"},
                           {4, "ftyphei", heif},
                           {4, "ftyphev", heif},
                           {4, "ftypmif1", heif},
                           {4, "ftypmsf1", heif},
                           {4, "ftyp", "a video"},
                           {4, "jP  ", "a JPEG 2000 file"},
                           {0, "\xff\x4f\xff\x51", "a JPEG 2000 file"},
                           {4, "JXL ", jxl},
                           {0, "\xff\x0a", jxl},
                           {0, "8BPS", "a Photoshop file"},
                           {0, {"\0\0\1\0", 4}, "an icon (ICO)"},
                           {0, "\x76\x2f\x31\x01", "an OpenEXR file"},
                           {0, "#?RADIANCE", "a Radiance HDR file"},
                           {0, "qoif", "a QOI file"},
                           {0, "P1", plain},
                           {0, "P2", plain},
                           {0, "P3", plain},
                           {0, "P4", "a PBM file"},
                           {0, "%PDF", "a PDF file"},
                           {0, "<svg", "an SVG file"},
                           {0, "<?xml", "an XML file"},
                           {0, "<!DOCTYPE html", page},
                           {0, "<!doctype html", page},
                           {0, "<html", page}};
    for (const Mark& mark : marks)
        if (has(file, mark.at, mark.bytes)) return mark.format;
    return {};
}

}  // namespace detail

/// Decodes a picture that lies in memory; `where` names it in messages. Options.decoders are asked first.
/// shape   → [height, width, 3]
/// errors  Errc::file_format where it is of no known format; Errc::image_decode where it is broken or cut; Errc::image_size
///         where it is empty or larger than allowed. Nothing larger than the file can hold is allocated
inline Image decode_image(Bytes file, std::string_view where, const DecodeOptions& options = {}) {
    using namespace detail;
    for (const Decoder decoder : options.decoders)
        if (std::optional<Image> image = decoder(file, where, options)) return *std::move(image);
    if (is_png(file)) return decode_png(file, where, options);
    if (is_jpeg(file)) return decode_jpeg(file, where, options);
    if (is_bmp(file)) return decode_bmp(file, where, options);
    if (is_gif(file)) return decode_gif(file, where, options);
    if (is_pnm(file)) return decode_pnm(file, where, options);
    constexpr std::string_view expected = "expected PNG, JPEG, BMP, GIF, TGA, PPM or PGM";
    if (file.empty()) throw Error(Errc::file_format, where, ": the file is empty, ", expected);
    if (const std::string_view format = foreign_format(file); !format.empty())
        throw Error(
            Errc::file_format, where, ": this is ", format, "; ", expected,
            has(file, 8, "WEBP") ? ", or decode_webp of <tessera/image/decode_webp.hpp> among the decoders" : "");
    if (is_tga(file)) return decode_tga(file, where, options);
    throw Error(Errc::file_format, where, ": ", expected, ", found a file that begins with ",
                in_quotes(text_of(file).substr(0, 16)));
}

/// Reads a picture: gray, palette, colour, CMYK, any depth, with or without transparency, of an animation the first one. The
/// bytes are those that Pillow's convert("RGB") gives; of JPEG they are near them, see decode_exact.hpp.
/// shape   → [height, width, 3]
/// errors  Errc::file_open; those of decode_image, which name the path
inline Image read_image(const std::filesystem::path& path, const DecodeOptions& options = {}) {
    const MappedFile file(path);
    return decode_image(file.bytes(), path.string(), options);
}

}  // namespace tessera::inline TESSERA_ISA
