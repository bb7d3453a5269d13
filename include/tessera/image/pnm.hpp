// PPM and PGM, the portable pixel maps of netpbm: numbers in text, then plain samples.
#pragma once
#include <algorithm>
#include <cmath>
#include <string_view>
#include <tessera/image/bytes.hpp>
#include <tessera/image/decode_options.hpp>
#include <tessera/image/image.hpp>

namespace tessera::inline TESSERA_ISA::detail {

inline bool is_pnm_space(unsigned char byte) { return byte == ' ' || (byte >= '\t' && byte <= '\r'); }
inline bool is_pnm(Bytes file) {
    return (has(file, 0, "P5") || has(file, 0, "P6")) && file.size() > 2 && (is_pnm_space(file[2]) || file[2] == '#');
}

/// Decodes a PPM (P6) or PGM (P5) file of up to 16 bits a sample, scaled to 8 as Pillow does it.
/// shape   → [height, width, 3]
/// errors  Errc::image_decode, Errc::image_size name `where` and what is wrong
/// source  netpbm, ppm(5) and pgm(5)
inline Image decode_pnm(Bytes file, std::string_view where, const DecodeOptions& options) {
    const Complaint fail{where, file[1] == '6' ? "PPM" : "PGM"};
    std::size_t at = 2;
    const auto number = [&](std::string_view what) {
        while (at < file.size() && (is_pnm_space(file[at]) || file[at] == '#'))
            if (file[at++] == '#')
                while (at < file.size() && file[at] != '\n' && file[at] != '\r') ++at;
        Index out = 0;
        const std::size_t begin = at;
        for (; at < file.size() && file[at] >= '0' && file[at] <= '9' && at - begin < 10; ++at)
            out = 10 * out + (file[at] - '0');
        if (at == begin || at == file.size() || !is_pnm_space(file[at])) fail("expected ", what, " at byte ", begin);
        return out;
    };
    const Index width = number("a width"), height = number("a height");
    check_picture_size(width, height, options, where);
    const Index most = number("the largest sample");
    if (most < 1 || most > 65535) fail("the largest sample: expected 1 to 65535, found ", most);
    const std::size_t channels = file[1] == '6' ? 3 : 1, bytes = most > 255 ? 2 : 1;
    const Bytes samples = file.subspan(at + 1);
    if (samples.size() / (channels * bytes) / static_cast<std::size_t>(width) < static_cast<std::size_t>(height))
        fail.too_short(width, height, file);

    const bool deep_gray = channels == 1 && bytes == 2;
    const double whole = deep_gray ? 65535 : 255;
    const auto sample = [&](std::size_t i) {
        const double value = bytes == 2 ? big16(samples, 2 * i) : samples[i];
        const auto scaled =
            static_cast<int>(std::nearbyint(std::min(value / static_cast<double>(most) * whole, whole)));
        if (!deep_gray) return static_cast<unsigned char>(scaled);
        return static_cast<unsigned char>(options.deep_gray == DeepGray::saturated ? std::min(scaled, 255)
                                                                                   : scaled >> 8);
    };
    Image out(height, width);
    for (std::size_t i = 0; i < static_cast<std::size_t>(out.pixels.size()); ++i)
        out.pixels.data()[i] = sample(i * channels / 3);
    return out;
}

}  // namespace tessera::inline TESSERA_ISA::detail
