// Which way up a picture was taken, as cameras and editors write it into EXIF data and XMP, and the turn that puts it right.
#pragma once
#include <algorithm>
#include <optional>
#include <string_view>
#include <tessera/image/bytes.hpp>
#include <tessera/image/image.hpp>

namespace tessera::inline TESSERA_ISA {

/// Where the first row and the first column of the stored picture lie in the real one; EXIF's numbers.
enum class Orientation {
    top_left = 1,  // as it is
    top_right,
    bottom_right,
    bottom_left,
    left_top,
    right_top,
    right_bottom,
    left_bottom,
};

/// The orientation that EXIF data (a TIFF header and its first directory) gives; nothing where it gives none or is broken,
/// since a picture is worth more than its description.
/// source  EXIF 2.3 §4.6.4, tag 0x0112
inline std::optional<Orientation> exif_orientation(Bytes exif) {
    using namespace detail;
    if (constexpr std::string_view prefix("Exif\0\0", 6); has(exif, 0, prefix)) exif = exif.subspan(prefix.size());
    constexpr std::size_t header = 8, entry = 12;
    constexpr std::uint32_t tag = 0x0112, type_short = 3, type_long = 4;
    if (exif.size() < header) return {};
    const bool little = has(exif, 0, "II");
    if (!little && !has(exif, 0, "MM")) return {};
    const auto two = [&](std::size_t at) { return little ? little16(exif, at) : big16(exif, at); };
    const auto four = [&](std::size_t at) { return little ? little32(exif, at) : big32(exif, at); };
    const std::size_t directory = four(4);
    if (two(2) != 42 || directory > exif.size() - 2) return {};
    const std::size_t entries = std::min<std::size_t>(two(directory), (exif.size() - directory - 2) / entry);
    for (std::size_t i = 0; i < entries; ++i) {
        const std::size_t at = directory + 2 + i * entry;
        if (two(at) != tag || four(at + 4) != 1) continue;
        const std::uint32_t type = two(at + 2);
        const std::uint32_t value = type == type_short ? two(at + 8) : type == type_long ? four(at + 8) : 0;
        return value >= 1 && value <= 8 ? static_cast<Orientation>(value) : Orientation::top_left;
    }
    return {};
}

/// The orientation that an XMP packet gives, found as Pillow finds it: by its attribute or element `tiff:Orientation`.
inline std::optional<Orientation> xmp_orientation(std::string_view xmp) {
    constexpr std::string_view name = "tiff:Orientation";
    for (std::size_t at = 0; (at = xmp.find(name, at)) != xmp.npos;) {
        at += name.size();
        std::string_view value = xmp.substr(at);
        if (value.starts_with("=\""))
            value.remove_prefix(2);
        else if (value.starts_with('>'))
            value.remove_prefix(1);
        else
            continue;
        if (value.empty() || value[0] < '0' || value[0] > '9') continue;
        return value[0] >= '1' && value[0] <= '8' ? static_cast<Orientation>(value[0] - '0') : Orientation::top_left;
    }
    return {};
}

/// Turns and mirrors a stored picture the right way up.
/// shape   [H, W, 3] → [H, W, 3], or [W, H, 3] for the last four
inline Image turn_upright(Image stored, Orientation orientation) {
    using enum Orientation;
    if (orientation == top_left) return stored;
    const auto one_of = [&](auto... these) { return ((orientation == these) || ...); };
    const bool swap = one_of(left_top, right_top, right_bottom, left_bottom);
    const bool rows_back = one_of(bottom_right, bottom_left, right_top, right_bottom);
    const bool columns_back = one_of(top_right, bottom_right, right_bottom, left_bottom);
    const Index height = stored.height(), width = stored.width();
    Image out(swap ? width : height, swap ? height : width);
    for (Index y = 0; y < out.height(); ++y)
        for (Index x = 0; x < out.width(); ++x) {
            const Index row = swap ? x : y, column = swap ? y : x;
            const unsigned char* from =
                stored.row(rows_back ? height - 1 - row : row) + 3 * (columns_back ? width - 1 - column : column);
            std::copy_n(from, 3, out.row(y) + 3 * x);
        }
    return out;
}

}  // namespace tessera::inline TESSERA_ISA
