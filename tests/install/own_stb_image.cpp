// A program's own stb_image, in a file that uses this library as well: one before, one after the other's headers.
#include <stb/stb_image_write.h>
#include <tessera/image/decode.hpp>
#include <tessera/image/write.hpp>
#pragma GCC diagnostic ignored "-Wunused-function"
#define STB_IMAGE_IMPLEMENTATION
#define STB_IMAGE_WRITE_IMPLEMENTATION
#include <stb/stb_image.h>
#include <stb/stb_image_write.h>

int own_width(const char* path);

int own_width(const char* path) {
    int width = 0, height = 0, channels = 0;
    unsigned char* const pixels = stbi_load(path, &width, &height, &channels, 3);
    stbi_image_free(pixels);
    return pixels == nullptr ? 0 : width;
}
