// Reading settings from JSON that is not trusted: each value has a range, each message the file and the key.
#pragma once
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <initializer_list>
#include <optional>
#include <sstream>
#include <string>
#include <tessera/core/json.hpp>
#include <tessera/core/view.hpp>
#include <vector>

namespace tessera::inline TESSERA_ISA {

/// An object of a JSON file: its keys with their ranges and defaults.
/// errors  Errc::config_value: `config.json: text_config.hidden_size: expected …, found …`
class Settings {
  public:
    /// The whole file.
    /// errors  Errc::file_open, Errc::config_value
    explicit Settings(const std::filesystem::path& path)
        : Settings(read_json(path, Errc::config_value), path.string(), {}) {
        if (!json_.is_object())
            throw Error(Errc::config_value, where_, ": expected an object, found ", json_.type_name());
    }

    bool has(const char* key) const { return json_.contains(key); }
    bool is_null(const char* key) const { return json_.contains(key) && json_[key].is_null(); }

    bool is_text(const char* key) const { return json_.contains(key) && json_[key].is_string(); }

    /// An object inside this one; empty if there is none of that key.
    Settings part(const char* key) const {
        if (!has(key) || json_[key].is_null()) return {Json::object(), where_, path_ + key + '.'};
        if (!json_[key].is_object()) reject(key, "an object", json_[key]);
        return {json_[key], where_, path_ + key + '.'};
    }
    /// This one, with `defaults` for what it does not say.
    Settings completed(Json defaults) const {
        Settings out = *this;
        defaults.update(out.json_);
        out.json_ = std::move(defaults);
        return out;
    }
    /// This one, with the values of `other` on top.
    Settings overlaid(const Settings& other) const {
        Settings out = *this;
        out.json_.update(other.json_);
        return out;
    }

    Index whole(const char* key, Index otherwise, Index lowest, Index highest) const {
        return has(key) ? checked_whole(key, json_[key], lowest, highest) : otherwise;
    }
    /// The value of the first of `keys` that is there and not null.
    std::optional<Index> optional_whole(std::initializer_list<const char*> keys, Index lowest, Index highest) const {
        for (const char* key : keys)
            if (has(key) && !is_null(key)) return checked_whole(key, json_[key], lowest, highest);
        return {};
    }
    /// One number or several.
    std::vector<Index> wholes(const char* key, std::vector<Index> otherwise, Index lowest, Index highest) const {
        if (!has(key)) return otherwise;
        std::vector<Index> out;
        if (json_[key].is_null()) return out;
        if (!json_[key].is_array()) return {checked_whole(key, json_[key], lowest, highest)};
        for (const Json& value : json_[key]) out.push_back(checked_whole(key, value, lowest, highest));
        return out;
    }
    bool flag(const char* key, bool otherwise) const {
        if (!has(key)) return otherwise;
        if (!json_[key].is_boolean()) reject(key, "true or false", json_[key]);
        return json_[key].get<bool>();
    }
    float number(const char* key, float otherwise, float lowest, float highest) const {
        if (!has(key)) return otherwise;
        const double value = json_[key].is_number() ? json_[key].get<double>() : std::nan("");
        if (!(value >= lowest && value <= highest)) {
            std::ostringstream range;
            range << "a number from " << lowest << " to " << highest;
            reject(key, range.str(), json_[key]);
        }
        return static_cast<float>(value);
    }
    std::string text(const char* key, std::string_view otherwise) const {
        if (!has(key)) return std::string(otherwise);
        if (!json_[key].is_string()) reject(key, "text", json_[key]);
        return json_[key].get<std::string>();
    }
    /// Whether the value is that text, or a list with that text in it.
    bool mentions(const char* key, std::string_view text) const {
        if (!has(key)) return false;
        const Json& value = json_[key];
        return value.is_array() ? std::ranges::find(value, text) != value.end() : value == text;
    }

    [[noreturn]] void reject(const char* key, const std::string& expected, const Json& found) const {
        fail(Errc::config_value, key, "expected ", expected, ", found ", printable(found.dump(), 60));
    }
    template <class... Parts>
    [[noreturn]] void fail(Errc code, const char* key, const Parts&... parts) const {
        throw Error(code, where_, ": ", path_, key, ": ", parts...);
    }

  private:
    Settings(Json json, std::string where, std::string path)
        : json_(std::move(json)), where_(std::move(where)), path_(std::move(path)) {}

    Index checked_whole(const char* key, const Json& value, Index lowest, Index highest) const {
        const bool is_whole = value.is_number_integer();
        const bool fits = is_whole && (!value.is_number_unsigned() ||
                                       value.get<std::uint64_t>() <= static_cast<std::uint64_t>(highest));
        if (!fits || value.get<Index>() < lowest || value.get<Index>() > highest)
            reject(key, "a whole number from " + std::to_string(lowest) + " to " + std::to_string(highest), value);
        return value.get<Index>();
    }

    Json json_;
    std::string where_;  // the file
    std::string path_;   // of this object in it, with a dot behind
};

}  // namespace tessera::inline TESSERA_ISA
