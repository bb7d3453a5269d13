// A program with a stb_image of its own that reads pictures in all ways there are: each file has to be as wide for both, where both
// read it.
#include <cstdio>
#include <tessera/image/decode.hpp>
#include <tessera/image/decode_exact.hpp>
#include <tessera/image/decode_webp.hpp>
#include <tessera/image/write.hpp>

int own_width(const char* path);  // own_stb_image.cpp; 0 where it cannot read the file

int main(int count, char** arguments) {
    for (int i = 1; i < count; ++i) {
        const tessera::Image picture = tessera::read_image(
            arguments[i], {.turn_upright = false, .decoders = {tessera::decode_exact, tessera::decode_webp}});
        const int own = own_width(arguments[i]);
        std::printf("pictures: %td wide, %d for the other stb_image\n", picture.width(), own);
        if (own != 0 && own != picture.width()) return 1;
    }
    return count > 1 ? 0 : 2;
}
