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
#include <tessera/image/decode_options.hpp>

#if defined(STB_IMAGE_IMPLEMENTATION) && !defined(STBI_INCLUDE_STB_IMAGE_H)
#error "include tessera's headers first, then define STB_IMAGE_IMPLEMENTATION"
#endif

namespace tessera::inline TESSERA_ISA::detail::stb {

// In front of each block lies the size that was asked for at first. What zlib unpacks would otherwise grow for as long as
// there is input; the first guess is what the header of a PNG promises, or half of it where rows are interlaced.
// Memory is zero: the planes of a broken JPEG are not always written.
inline constexpr std::size_t block_header = alignof(max_align_t);

inline void* allocate(std::size_t size) {
    void* block = calloc(1, block_header + size);
    if (block == nullptr) return nullptr;
    memcpy(block, &size, sizeof(size));
    return static_cast<char*>(block) + block_header;
}
inline void release(void* data) {
    if (data != nullptr) free(static_cast<char*>(data) - block_header);
}
inline void* enlarge(void* data, std::size_t size) {
    if (data == nullptr) return allocate(size);
    void* block = static_cast<char*>(data) - block_header;
    std::size_t first = 0;
    memcpy(&first, block, sizeof(first));
    if (size > 4 * first + 0x10000) return nullptr;
    block = realloc(block, block_header + size);
    return block == nullptr ? nullptr : static_cast<char*>(block) + block_header;
}

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
#define STBI_MALLOC(size) ::tessera::detail::stb::allocate(size)
#define STBI_REALLOC_SIZED(data, old_size, size) ::tessera::detail::stb::enlarge(data, size)
#define STBI_FREE(data) ::tessera::detail::stb::release(data)
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
    void operator()(void* data) const { release(data); }
};

/// What stb_image makes of `file`: `channels` samples for each pixel, of 8 bits or of 16.
/// errors  Errc::image_decode with its reason
template <class Sample>
std::unique_ptr<Sample[], Release> decode(Bytes file, int channels, Complaint fail) {
    if (file.size() > INT_MAX) fail("the file is larger than 2 GiB");
    const int size = static_cast<int>(file.size());
    int width = 0, height = 0, found = 0;
    Sample* samples = nullptr;
    if constexpr (sizeof(Sample) == 1)
        samples = stbi_load_from_memory(file.data(), size, &width, &height, &found, channels);
    else
        samples = stbi_load_16_from_memory(file.data(), size, &width, &height, &found, channels);
    if (samples != nullptr) return std::unique_ptr<Sample[], Release>(samples);
    const char* reason = stbi_failure_reason();
    const std::string_view known = reason == nullptr ? "damaged" : reason;
    fail(known == "outofmem" ? "more data than the header promises, or no memory for it" : known);
}

}  // namespace tessera::inline TESSERA_ISA::detail::stb
