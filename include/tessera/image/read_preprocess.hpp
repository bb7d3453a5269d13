// How a published model wants its pictures: preprocessor_config.json, or processor_config.json of transformers 5.
#pragma once
#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <string_view>
#include <tessera/core/json.hpp>
#include <tessera/image/preprocess.hpp>

namespace tessera::inline TESSERA_ISA {

namespace detail {

inline Index preprocess_side(const JsonValue& value) {
    constexpr Index most = 4096;  // far beyond any image encoder
    return value.whole(1, most);
}
/// One number for a square, or `height` and `width`.
inline void read_sides(const JsonValue& value, Index& height, Index& width) {
    if (value.is_number()) {
        height = width = preprocess_side(value);
    } else if (!value.is_object() || !value.find("height") || !value.find("width")) {
        value.expected("a number, or height and width");
    } else {
        height = preprocess_side(value["height"]);
        width = preprocess_side(value["width"]);
    }
}
inline void read_three(const std::optional<JsonValue>& value, std::array<float, 3>& out) {
    if (!value) return;
    if (!value->is_list() || value->size() != 3) value->expected("3 numbers");
    for (std::size_t i = 0; i < 3; ++i) {
        const JsonValue x = value->element(i);
        out[i] = static_cast<float>(x.number());
        if (!std::isfinite(out[i])) x.expected("a float");
    }
}

}  // namespace detail

/// Reads settings from an object. What it does not say is as in BLIP-2, or as in CLIP if that is the processor it names.
/// errors  Errc::config_value (the code of its file) names the key, what was expected and what was found;
///         Errc::config_unsupported for steps that this library has not
inline Preprocess read_preprocess(const JsonValue& json) {
    constexpr std::string_view known[] = {"do_resize", "do_center_crop", "do_rescale", "do_normalize",
                                          "do_convert_rgb"};  // RGB is all there is
    Preprocess out;
    for (const JsonValue member : json.object())
        if (member.key().starts_with("do_") && std::ranges::find(known, member.key()) == std::end(known) &&
            member.shown() == "true")
            json.fail_at(member.key(), Errc::config_unsupported, "this step is not supported");
    // CLIP's processors keep the aspect and crop where the file does not say so.
    bool clip = false;
    for (const char* key : {"feature_extractor_type", "image_processor_type"})
        if (const auto type = json.find(key); type && type->is_text()) clip = type->text().starts_with("CLIP");
    out.do_resize = json.flag("do_resize", true);
    out.do_center_crop = json.flag("do_center_crop", clip);
    out.do_rescale = json.flag("do_rescale", true);
    out.do_normalize = json.flag("do_normalize", true);
    if (const auto resample = json.find("resample"); resample && (!resample->is_number() || resample->number() != 3))
        resample->expected("3 (bicubic)");
    if (clip) out.shortest_edge = 224;
    if (const auto size = json.find("size")) {
        const auto edge = size->is_object() ? size->find("shortest_edge") : std::nullopt;
        if (edge && size->size() != 1)
            json.fail_at("size", Errc::config_unsupported, "beside 'shortest_edge' nothing is supported, found ",
                         size->shown());
        if (edge || (clip && !size->is_object())) {
            out.shortest_edge = detail::preprocess_side(edge.value_or(*size));
        } else {
            out.shortest_edge = 0;
            detail::read_sides(*size, out.height, out.width);
        }
    }
    if (const auto crop = json.find("crop_size")) detail::read_sides(*crop, out.crop_height, out.crop_width);
    if (const auto factor = json.find("rescale_factor")) out.rescale_factor = factor->number();
    detail::read_three(json.find("image_mean"), out.image_mean);
    detail::read_three(json.find("image_std"), out.image_std);
    for (const float deviation : out.image_std)
        if (!(deviation > 0)) json["image_std"].expected("numbers above 0");
    return out;
}

/// Reads preprocessor_config.json.
/// errors  those of above, and Errc::file_open
inline Preprocess read_preprocess(const std::filesystem::path& path) {
    return read_preprocess(JsonFile(path, Errc::config_value).root());
}

/// Reads preprocessor_config.json of a checkpoint folder, or else what processor_config.json has under `image_processor`.
inline Preprocess read_folder_preprocess(const std::filesystem::path& folder) {
    std::error_code ignored;
    const auto path = folder / "preprocessor_config.json", newer = folder / "processor_config.json";
    if (!std::filesystem::exists(path, ignored) && std::filesystem::exists(newer, ignored)) {
        const JsonFile json(newer, Errc::config_value);
        if (const auto settings = json.root().object().find("image_processor")) return read_preprocess(*settings);
    }
    return read_preprocess(path);
}

}  // namespace tessera::inline TESSERA_ISA
