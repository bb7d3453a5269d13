// What reading a picture leaves to the caller, and the checks of size that come before any memory is asked for.
#pragma once
#include <string_view>
#include <tessera/core/error.hpp>
#include <tessera/core/view.hpp>

namespace tessera::inline TESSERA_ISA {

/// What becomes of transparency, since the models know none.
enum class Transparency {
    over_white,  // laid over white, as transformers 5 does
    dropped,     // the colour that lies under it, as transformers 4 and LAVIS take it
};

/// How 16 bits of gray become 8.
enum class DeepGray {
    saturated,  // 255 and above is white, as Pillow's convert("RGB") has it
    scaled,     // the upper 8 bits, as in pictures with colour
};

struct ReadOptions {
    Transparency transparency = Transparency::over_white;
    bool turn_upright = true;  // by the orientation in EXIF data, as the load_image of transformers does
    DeepGray deep_gray = DeepGray::saturated;
    Index most_pixels = 178'956'970;  // where Pillow begins to see a decompression bomb
};

/// errors  Errc::image_size names the sides and the limit
inline void check_picture_size(Index width, Index height, const ReadOptions& options, std::string_view where) {
    if (width < 1 || height < 1)
        throw Error(Errc::image_size, where, ": the picture is empty (", width, "×", height, ")");
    if (width > options.most_pixels / height)
        throw Error(Errc::image_size, where, ": expected at most ", options.most_pixels, " pixels, found ", width, "×",
                    height);
}

/// What is seen of a colour under `alpha`, rounded as Pillow's alpha_composite rounds it.
constexpr unsigned char seen(std::uint32_t colour, std::uint32_t alpha, Transparency transparency) {
    if (transparency == Transparency::dropped || alpha == 255) return static_cast<unsigned char>(colour);
    const std::uint32_t sum = (colour * alpha + 255 * (255 - alpha) + 128) << 7;  // in 1/(255·128)
    return static_cast<unsigned char>(((sum >> 8) + sum) >> 15);
}

}  // namespace tessera::inline TESSERA_ISA
