// What decoding a picture leaves to the caller, and the checks of size that come before any memory is asked for.
#pragma once
#include <optional>
#include <string_view>
#include <tessera/core/error.hpp>
#include <tessera/image/bytes.hpp>
#include <tessera/image/image.hpp>
#include <vector>

namespace tessera::inline TESSERA_ISA {

/// What becomes of transparency, since the models know none.
enum class Transparency {
    drop,  // the colour under it, as load_image of transformers (also where a processor is given a file's name), a model card's
    // convert("RGB") and LAVIS take it
    white,  // laid over white, as the image processors of transformers 5 do with a picture that comes to them with transparency
};

/// How 16 bits of gray become 8.
enum class DeepGray {
    saturated,  // 255 and above is white, as Pillow's convert("RGB") has it
    scaled,     // the upper 8 bits, as in pictures with colour
};

struct DecodeOptions;

/// Decodes the files of one format, and returns nothing for any other; `where` names the file in messages.
using Decoder = std::optional<Image> (*)(Bytes file, std::string_view where, const DecodeOptions& options);

struct DecodeOptions {
    Transparency transparency = Transparency::drop;
    bool turn_upright = true;  // by the orientation in EXIF data or XMP, as load_image of transformers does
    DeepGray deep_gray = DeepGray::saturated;
    Index most_pixels = 178'956'970;  // where Pillow begins to see a decompression bomb
    std::vector<Decoder> decoders{};  // asked first, in this order: decode_exact, decode_webp, or your own
};

namespace detail {

/// errors  Errc::image_size names the sides and the limit
inline void check_picture_size(Index width, Index height, const DecodeOptions& options, std::string_view where) {
    if (width < 1 || height < 1)
        throw Error(Errc::image_size, where, ": the picture is empty (", width, "×", height, ")");
    if (width > options.most_pixels / height)
        throw Error(Errc::image_size, where, ": expected at most ", options.most_pixels, " pixels, found ", width, "×",
                    height);
}

/// What is seen of a colour under `alpha`, rounded as Pillow's alpha_composite rounds it.
constexpr unsigned char seen(std::uint32_t colour, std::uint32_t alpha, Transparency transparency) {
    if (transparency == Transparency::drop || alpha == 255) return static_cast<unsigned char>(colour);
    const std::uint32_t sum = (colour * alpha + 255 * (255 - alpha) + 128) << 7;  // in 1/(255·128)
    return static_cast<unsigned char>(((sum >> 8) + sum) >> 15);
}

/// What is wrong with one file of one format, as exceptions.
struct Complaint {
    std::string_view where, format;

    template <class... Parts>
    [[noreturn]] void operator()(const Parts&... parts) const {
        throw Error(Errc::image_decode, where, ": ", format, ": ", parts...);
    }
    [[noreturn]] void too_short(Index width, Index height, Bytes file) const {
        (*this)("the header claims ", width, "×", height, " pixels, ", file.size(), " bytes cannot hold them");
    }
};

}  // namespace detail

}  // namespace tessera::inline TESSERA_ISA
