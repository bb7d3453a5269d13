// preprocessor_config.json: how a published model wants its pictures.
#pragma once
#include <array>
#include <cmath>
#include <filesystem>
#include <string>
#include <string_view>
#include <tessera/core/json.hpp>
#include <tessera/core/printable.hpp>
#include <tessera/image/preprocess.hpp>

namespace tessera::inline TESSERA_ISA {

/// The settings in one parsed file.
class PreprocessReader {
  public:
    PreprocessReader(const Json& json, std::string_view where) : json_(json), where_(where) {}

    Preprocess read() const {
        if (!json_.is_object()) fail("expected an object, found ", json_.type_name());
        Preprocess out;
        const bool clip = is_clip();
        for (const auto& [key, value] : json_.items())
            if (key.starts_with("do_") && !known(key) && value == true)
                throw Error(Errc::config_unsupported, where_, ": ", in_quotes(key), " is not supported");
        out.do_resize = flag("do_resize", true);
        out.do_center_crop = flag("do_center_crop", clip);
        out.do_rescale = flag("do_rescale", true);
        out.do_normalize = flag("do_normalize", true);
        if (const Json* resample = find("resample"); resample != nullptr && *resample != 3)
            fail("resample: expected 3 (bicubic), found ", shown(*resample));
        if (clip) out.shortest_edge = 224;
        if (const Json* size = find("size")) read_size(*size, clip, out);
        if (const Json* crop = find("crop_size")) read_sides("crop_size", *crop, out.crop_height, out.crop_width);
        out.rescale_factor = number("rescale_factor", find("rescale_factor"), out.rescale_factor);
        out.image_mean = three("image_mean", out.image_mean);
        out.image_std = three("image_std", out.image_std);
        for (const float deviation : out.image_std)
            if (!(deviation > 0)) fail("image_std: expected numbers above 0, found ", deviation);
        return out;
    }

  private:
    template <class... Parts>
    [[noreturn]] void fail(const Parts&... parts) const {
        throw Error(Errc::config_value, where_, ": ", parts...);
    }
    static std::string shown(const Json& value) {
        return printable(value.dump(-1, ' ', false, Json::error_handler_t::replace), 60);
    }
    const Json* find(const char* key) const {
        const auto at = json_.find(key);
        return at == json_.end() || at->is_null() ? nullptr : &*at;
    }

    /// CLIP's processors keep the aspect and crop where the file does not say so.
    bool is_clip() const {
        for (const char* key : {"image_processor_type", "feature_extractor_type"})
            if (const Json* type = find(key); type != nullptr && type->is_string())
                return type->get<std::string>().starts_with("CLIP");
        return false;
    }
    static bool known(std::string_view key) {
        for (const std::string_view each :
             {"do_resize", "do_center_crop", "do_rescale", "do_normalize", "do_convert_rgb"})  // RGB is all there is
            if (key == each) return true;
        return false;
    }
    bool flag(const char* key, bool otherwise) const {
        const Json* value = find(key);
        if (value == nullptr) return otherwise;
        if (!value->is_boolean()) fail(key, ": expected true or false, found ", shown(*value));
        return value->get<bool>();
    }
    double number(const char* key, const Json* value, double otherwise) const {
        if (value == nullptr) return otherwise;
        if (!value->is_number() || !std::isfinite(value->get<double>()))
            fail(key, ": expected a number, found ", shown(*value));
        return value->get<double>();
    }
    std::array<float, 3> three(const char* key, std::array<float, 3> otherwise) const {
        const Json* value = find(key);
        if (value == nullptr) return otherwise;
        if (!value->is_array() || value->size() != 3) fail(key, ": expected 3 numbers, found ", shown(*value));
        for (std::size_t i = 0; i < 3; ++i) {
            otherwise[i] = static_cast<float>(number(key, &(*value)[i], 0));
            if (!std::isfinite(otherwise[i])) fail(key, ": expected floats, found ", shown(*value));
        }
        return otherwise;
    }
    Index side(const char* key, const Json& value) const {
        constexpr Index most = 4096;  // far beyond any image encoder
        if (!value.is_number_integer() || value < 1 || value > most)
            fail(key, ": expected sides of 1 to ", most, " pixels, found ", shown(value));
        return value.get<Index>();
    }

    void read_size(const Json& size, bool clip, Preprocess& out) const {
        const bool keeps_aspect = size.is_object() ? size.contains("shortest_edge") : clip;
        if (!keeps_aspect) {
            out.shortest_edge = 0;
            read_sides("size", size, out.height, out.width);
            return;
        }
        if (size.is_object() && size.size() != 1)
            throw Error(Errc::config_unsupported, where_, ": size: beside 'shortest_edge' nothing is supported, found ",
                        shown(size));
        out.shortest_edge = side("size", size.is_object() ? size["shortest_edge"] : size);
    }
    /// One number for a square, or `height` and `width`.
    void read_sides(const char* key, const Json& value, Index& height, Index& width) const {
        if (value.is_number()) {
            height = width = side(key, value);
            return;
        }
        if (!value.is_object() || !value.contains("height") || !value.contains("width"))
            fail(key, ": expected a number, or height and width, found ", shown(value));
        height = side(key, value["height"]);
        width = side(key, value["width"]);
    }

    const Json& json_;
    std::string_view where_;
};

/// Reads preprocessor_config.json. What it does not say is as in BLIP-2, or as in CLIP if that is the processor it names.
/// errors  Errc::file_open; Errc::config_value names the key, what was expected and what was found;
///         Errc::config_unsupported for steps that this library has not
inline Preprocess read_preprocess(const std::filesystem::path& path) {
    return PreprocessReader(read_json(path, Errc::config_value), path.string()).read();
}

}  // namespace tessera::inline TESSERA_ISA
