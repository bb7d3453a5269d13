// stb_image, as the decoder of PNG and JPEG. It lies in a namespace and has internal linkage: there is nothing to link, and a
// program may have another stb_image of its own.
#pragma once
// Its own includes would open in our namespace, if they were not here.
#include <limits.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <memory>
#include <string_view>
#include <tessera/image/bytes.hpp>
#include <tessera/image/decode_options.hpp>
#include <vector>

#if defined(STB_IMAGE_IMPLEMENTATION) && !defined(STBI_INCLUDE_STB_IMAGE_H)
#error "include tessera's headers first, then define STB_IMAGE_IMPLEMENTATION"
#endif

namespace tessera::inline TESSERA_ISA::detail::stb {

// Its declarations are left out: they are extern "C", names that another copy in the same file has as well.
typedef unsigned char stbi_uc;
typedef unsigned short stbi_us;
enum { STBI_default, STBI_grey, STBI_grey_alpha, STBI_rgb, STBI_rgb_alpha };
struct stbi_io_callbacks {
    int (*read)(void* user, char* data, int size);
    void (*skip)(void* user, int n);
    int (*eof)(void* user);
};

#pragma push_macro("STBI_INCLUDE_STB_IMAGE_H")
#pragma push_macro("STBIDEF")
#undef STBI_INCLUDE_STB_IMAGE_H
#undef STBIDEF
#undef STB_IMAGE_IMPLEMENTATION
#undef STBI_NO_STDIO
#undef STBI_NO_SIMD
#undef STBI_NO_LINEAR
#undef STBI_ONLY_PNG
#undef STBI_ONLY_JPEG
#undef STBI_MALLOC
#undef STBI_REALLOC
#undef STBI_REALLOC_SIZED
#undef STBI_FREE
#undef STBI_ASSERT
#undef STBI_NO_PNG
#undef STBI_NO_JPEG
#undef STBI_NO_ZLIB
#undef stbi__err
#define STBI_INCLUDE_STB_IMAGE_H
#define STB_IMAGE_IMPLEMENTATION
#define STBIDEF static
#define STBI_MALLOC(size) calloc(1, size)  // not all planes of a broken JPEG are written
#define STBI_REALLOC(data, size) realloc(data, size)
#define STBI_FREE(data) free(data)
#define STBI_ASSERT(condition) static_cast<void>(0)
#define STBI_NO_STDIO
#define STBI_NO_SIMD  // the same code on every processor
#define STBI_NO_LINEAR
#define STBI_ONLY_PNG
#define STBI_ONLY_JPEG

#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wold-style-cast"
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#endif
#if __has_include(<stb/stb_image.h>)
#include <stb/stb_image.h>
#else
#include <stb_image.h>
#endif
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif

// Whoever includes another copy of it later begins anew.
#undef STB_IMAGE_IMPLEMENTATION
#undef STBI_MALLOC
#undef STBI_REALLOC
#undef STBI_REALLOC_SIZED
#undef STBI_FREE
#undef STBI_ASSERT
#undef STBI_NO_STDIO
#undef STBI_NO_SIMD
#undef STBI_NO_LINEAR
#undef STBI_ONLY_PNG
#undef STBI_ONLY_JPEG
#undef stbi__err
#undef STBI_NO_BMP
#undef STBI_NO_PSD
#undef STBI_NO_TGA
#undef STBI_NO_GIF
#undef STBI_NO_HDR
#undef STBI_NO_PIC
#undef STBI_NO_PNM
#pragma pop_macro("STBIDEF")
#pragma pop_macro("STBI_INCLUDE_STB_IMAGE_H")

struct Release {
    void operator()(void* data) const { free(data); }
};

/// What stb_image makes of `file`: `channels` samples for each pixel, of 8 bits or of 16.
/// errors  Errc::image_decode with its reason
template <class Sample>
std::unique_ptr<Sample[], Release> decode(Bytes file, int channels, Complaint fail) {
    if (file.size() > INT_MAX) fail("there are more than 2 GiB of data");
    const int size = static_cast<int>(file.size());
    int width = 0, height = 0, found = 0;
    Sample* samples = nullptr;
    stbi__err("damaged");  // what it says where it has no words
    if constexpr (sizeof(Sample) == 1)
        samples = stbi_load_from_memory(file.data(), size, &width, &height, &found, channels);
    else
        samples = stbi_load_16_from_memory(file.data(), size, &width, &height, &found, channels);
    if (samples != nullptr) return std::unique_ptr<Sample[], Release>(samples);
    fail(stbi_failure_reason());
}

/// The bytes that zlib packed, `size` of them and at most `excess` more; the checksum that follows them is checked.
/// errors  Errc::image_decode with stb_image's reason, or that something is missing
/// source  RFC 1950
inline std::vector<char> unpack(std::vector<unsigned char>& packed, std::size_t size, std::size_t excess,
                                Complaint fail) {
    if (size + excess > INT_MAX) fail("there are more than 2 GiB of data");
    std::vector<char> out(size + excess);
    stbi__zbuf z{};
    z.zbuffer = packed.data();
    z.zbuffer_end = packed.data() + packed.size();
    constexpr int grows = 0, has_header = 1;
    stbi__err("damaged");
    if (stbi__do_zlib(&z, out.data(), static_cast<int>(out.size()), grows, has_header) == 0) {
        const std::string_view reason = stbi_failure_reason();
        fail(reason == "output buffer limit" ? "there is far more data than the header promises" : reason);
    }
    out.resize(static_cast<std::size_t>(z.zout - z.zout_start));
    if (out.size() < size) fail("not enough pixels");
    std::uint32_t low = 1, high = 0;  // Adler-32
    for (std::size_t i = 0; i < out.size(); ++i) {
        low += static_cast<unsigned char>(out[i]);
        high += low;
        if (i % 5552 == 5551 || i + 1 == out.size()) low %= 65521, high %= 65521;  // before they overflow
    }
    const Bytes rest(z.zbuffer - z.num_bits / 8, z.zbuffer_end);  // of the bits in hand, whole bytes are not yet used
    if (rest.size() < 4 || big32(rest, 0) != (high << 16 | low)) fail("the data has a wrong checksum (Adler-32)");
    return out;
}

}  // namespace tessera::inline TESSERA_ISA::detail::stb
