// What image features were made of: if any of it changes, they are others.
#pragma once
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <limits>
#include <string>
#include <tessera/core/leaf_ref.hpp>
#include <tessera/core/products.hpp>
#include <tessera/image/preprocess.hpp>
#include <tessera/train/data/picture_list.hpp>
#include <vector>

namespace tessera::inline TESSERA_ISA {

/// In words and checksums, which are compared as text.
struct FeatureKey {
    std::string model;       // the numbers of the image encoder, as they are kept in memory, and its arithmetic
    std::string preprocess;  // how pictures were read and resized; never with augmentation
    std::string pictures;    // their paths, sizes and times of change
    friend bool operator==(const FeatureKey&, const FeatureKey&) = default;
};

namespace detail {

/// A checksum of bytes, eight at a time.
class Checksum {
  public:
    void add(const void* bytes, std::size_t size) {
        const auto* at = static_cast<const unsigned char*>(bytes);
        for (; size >= 8; at += 8, size -= 8) add_word(at, 8);
        if (size > 0) add_word(at, size);
    }
    void add(std::string_view text) {
        add(static_cast<std::int64_t>(text.size()));
        add(text.data(), text.size());
    }
    void add(std::int64_t number) { add(&number, sizeof number); }
    std::string text() const {
        char digits[17];
        std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(sum_));
        return digits;
    }

  private:
    void add_word(const unsigned char* bytes, std::size_t size) {
        std::uint64_t word = 0;
        std::memcpy(&word, bytes, size);
        sum_ = (sum_ ^ word) * 0x9e3779b97f4a7c15u;
        sum_ ^= sum_ >> 32;
    }
    std::uint64_t sum_ = 0xcbf29ce484222325u;
};

}  // namespace detail

/// A checksum of all learned numbers of `model` and their names, or of at most `rows` rows of each parameter: training and other
/// storage change the first one, too.
/// cost    one pass over them, about 4 s for a thousand million
std::string weights_checksum(const auto& model, Index rows = std::numeric_limits<Index>::max()) {
    detail::Checksum sum;
    std::vector<float> row;
    for (const auto& [path, leaf] : leaves_of(model)) {
        sum.add(path);
        row.resize(static_cast<std::size_t>(leaf.columns()));
        for (Index i = 0; i < std::min(leaf.rows(), rows); ++i) {
            leaf.read(i, row.data());
            sum.add(row.data(), row.size() * sizeof(float));
        }
    }
    return sum.text();
}

/// `resize 224x224 pillow_13, scale 0.00392157, mean …`
inline std::string describe(const Preprocess& settings, const DecodeOptions& decode) {
    std::string out;
    const auto print = [&](const char* format, auto... values) {
        std::array<char, 200> text;
        std::snprintf(text.data(), text.size(), format, values...);
        out += text.data();
    };
    if (settings.do_resize && settings.shortest_edge > 0) print("shortest edge %td, ", settings.shortest_edge);
    if (settings.do_resize && settings.shortest_edge == 0) print("resize %tdx%td, ", settings.height, settings.width);
    if (settings.pass_order == PassOrder::pillow_12) out += "Pillow 12, ";
    if (settings.do_center_crop) print("crop %tdx%td, ", settings.crop_height, settings.crop_width);
    if (settings.do_rescale) print("scale %.17g, ", settings.rescale_factor);
    if (settings.do_normalize)
        for (std::size_t i = 0; i < 3; ++i)
            print("mean %.9g std %.9g, ", static_cast<double>(settings.image_mean[i]),
                  static_cast<double>(settings.image_std[i]));
    print("%s, %s, %s, %td decoders", decode.transparency == Transparency::white ? "over white" : "alpha dropped",
          decode.turn_upright ? "upright" : "as stored",
          decode.deep_gray == DeepGray::scaled ? "gray scaled" : "gray saturated", std::ssize(decode.decoders));
    return out;
}

/// A checksum of the names of all pictures, in order, and of the sizes of their files and when they were changed.
/// errors  Errc::file_open names the row and the path of one that is not there
inline std::string files_checksum(const PictureList& pictures) {
    pictures.expect_files();
    detail::Checksum sum;
    for (Index i = 0; i < pictures.size(); ++i) {
        sum.add(pictures.name(i));
        std::error_code failed;
        sum.add(static_cast<std::int64_t>(std::filesystem::file_size(pictures.path(i), failed)));
        sum.add(std::filesystem::last_write_time(pictures.path(i), failed).time_since_epoch().count());
    }
    return sum.text();
}

/// The key of the features that `model` makes of `pictures`.
FeatureKey feature_key(const auto& model, const Preprocess& settings, const DecodeOptions& decode,
                       const PictureList& pictures, Products products = Products::f32) {
    return {weights_checksum(model) + (products == Products::bf16 ? " in bf16 arithmetic" : ""),
            describe(settings, decode), files_checksum(pictures)};
}

}  // namespace tessera::inline TESSERA_ISA
