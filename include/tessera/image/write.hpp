// Pictures into PNG files, through stb_image_write, which is a header: nothing has to be linked. It lies in a namespace and has
// internal linkage, as stb_image does.
#pragma once
// Its own includes would open in our namespace, if they were not here.
#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cerrno>
#include <filesystem>
#include <memory>
#include <new>
#include <tessera/core/error.hpp>
#include <tessera/image/bytes.hpp>
#include <tessera/image/image.hpp>

#if defined(STB_IMAGE_WRITE_IMPLEMENTATION) && !defined(INCLUDE_STB_IMAGE_WRITE_H)
#error "include tessera's headers first, then define STB_IMAGE_WRITE_IMPLEMENTATION"
#endif

namespace tessera::inline TESSERA_ISA::detail::stb {

#pragma push_macro("INCLUDE_STB_IMAGE_WRITE_H")
#pragma push_macro("STBIWDEF")
#undef INCLUDE_STB_IMAGE_WRITE_H
#undef STBIWDEF
#undef STB_IMAGE_WRITE_IMPLEMENTATION
#undef STB_IMAGE_WRITE_STATIC
#undef STBI_WRITE_NO_STDIO
#undef STBIW_MALLOC
#undef STBIW_REALLOC
#undef STBIW_REALLOC_SIZED
#undef STBIW_FREE
#undef STBIW_MEMMOVE
#undef STBIW_ASSERT
#undef STBIW_ZLIB_COMPRESS
#undef STBIW_CRC32
#define STB_IMAGE_WRITE_IMPLEMENTATION
#define STB_IMAGE_WRITE_STATIC
#define STBIW_ASSERT(condition) static_cast<void>(0)
#define STBI_WRITE_NO_STDIO

#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wold-style-cast"
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wunused-variable"
#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#endif
#if __has_include(<stb/stb_image_write.h>)
#include <stb/stb_image_write.h>
#else
#include <stb_image_write.h>
#endif
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif

// Whoever includes another copy of it later begins anew.
#undef STB_IMAGE_WRITE_IMPLEMENTATION
#undef STB_IMAGE_WRITE_STATIC
#undef STBIW_MALLOC
#undef STBIW_REALLOC
#undef STBIW_REALLOC_SIZED
#undef STBIW_FREE
#undef STBIW_MEMMOVE
#undef STBIW_ASSERT
#undef STBI_WRITE_NO_STDIO
#pragma pop_macro("STBIWDEF")
#pragma pop_macro("INCLUDE_STB_IMAGE_WRITE_H")

}  // namespace tessera::inline TESSERA_ISA::detail::stb

namespace tessera::inline TESSERA_ISA {

namespace detail {

/// Replaces a file once the new one is whole; what is no file, as a device or a pipe, is written to and stays.
/// errors  Errc::file_open names the path and the system's reason; the file is then as it was before
inline void write_file(const std::filesystem::path& path, Bytes content) {
    std::error_code unknown;
    const auto kind = std::filesystem::status(path, unknown).type();
    const bool exists = kind == std::filesystem::file_type::regular;
    const bool replaces = exists || kind == std::filesystem::file_type::not_found;
    const std::filesystem::path place =
        exists ? std::filesystem::canonical(path, unknown) : path;  // where a link leads
    std::filesystem::path target = place;
    if (replaces) target += ".part";
    FILE* const file = fopen(target.c_str(), "wb");
    bool good = file != nullptr && fwrite(content.data(), 1, content.size(), file) == content.size();
    int reason = errno;
    if (file != nullptr && fclose(file) != 0 && good) good = false, reason = errno;
    if (good && replaces && rename(target.c_str(), place.c_str()) != 0) good = false, reason = errno;
    if (good) return;
    if (replaces && file != nullptr) std::filesystem::remove(target, unknown);
    throw Error(Errc::file_open, path.string(), ": cannot be written: ", strerror(reason));
}

}  // namespace detail

/// Writes a PNG file of 8-bit RGB.
/// errors  Errc::image_size where the picture is empty, or larger than stb_image_write can count; Errc::file_open names the
///         path and the reason, and leaves no half file
/// cost    memory for the picture twice and for the file
inline void write_png(const std::filesystem::path& path, const Image& image) {
    const Index height = image.height(), width = image.width();
    if (image.pixels.size() == 0)
        throw Error(Errc::image_size, path.string(), ": expected a picture to write, found an empty one (", width, "×",
                    height, ")");
    if (width > INT_MAX / 4 / height)
        throw Error(Errc::image_size, path.string(), ": a picture of ", width, "×", height, " is too large to write");
    int size = 0;
    const std::unique_ptr<unsigned char, void (*)(void*)> file(
        detail::stb::stbi_write_png_to_mem(image.pixels.data(), 0, static_cast<int>(width), static_cast<int>(height), 3,
                                           &size),
        &free);
    if (file == nullptr) throw std::bad_alloc();
    detail::write_file(path, {file.get(), static_cast<std::size_t>(size)});
}

}  // namespace tessera::inline TESSERA_ISA
