// Settings of a model in config.json, which is not trusted: each value has a range, each message the file and the key.
#pragma once
#include <initializer_list>
#include <optional>
#include <string>
#include <tessera/core/activation.hpp>
#include <tessera/core/json.hpp>
#include <vector>

namespace tessera::inline TESSERA_ISA {

/// An object of a JSON file; or several, of which the first that has a key counts. The file must be opened with
/// JsonNull::refused and outlive this.
/// errors  Errc::config_value: `config.json: text_config.hidden_size: expected …, found …`
class ConfigReader {
  public:
    explicit ConfigReader(JsonValue object) : objects_{object} { object.object(); }

    /// This one, and `other` for what it does not say.
    ConfigReader over(const ConfigReader& other) const {
        ConfigReader out = *this;
        out.objects_.insert(out.objects_.end(), other.objects_.begin(), other.objects_.end());
        return out;
    }
    /// An object inside of this one; empty if there is none of that key.
    ConfigReader part(std::string_view key) const { return ConfigReader(holder(key).part(key)); }

    std::string text(std::string_view key, std::string_view otherwise) const {
        return holder(key).text(key, otherwise);
    }
    bool flag(std::string_view key, bool otherwise) const { return holder(key).flag(key, otherwise); }
    float number(std::string_view key, float otherwise, float lowest, float highest) const {
        return static_cast<float>(holder(key).number(key, static_cast<double>(otherwise), static_cast<double>(lowest),
                                                     static_cast<double>(highest)));
    }
    Index whole(std::string_view key, Index otherwise, Index lowest, Index highest) const {
        return holder(key).whole(key, otherwise, lowest, highest);
    }
    /// The value of the first of `keys` that is there and not null.
    std::optional<Index> optional_whole(std::initializer_list<std::string_view> keys, Index lowest,
                                        Index highest) const {
        for (const std::string_view key : keys)
            if (const auto value = holder(key).find(key)) return value->whole(lowest, highest);
        return {};
    }
    std::optional<float> optional_number(std::string_view key, float lowest, float highest) const {
        if (!holder(key).find(key)) return {};
        return number(key, 0, lowest, highest);
    }
    /// One number or several; `otherwise` if there is no such key, none if it is null.
    std::vector<Index> wholes(std::string_view key, std::vector<Index> otherwise, Index lowest, Index highest) const {
        const std::optional<JsonValue> value = holder(key).find(key);
        if (!value) return has(key) ? std::vector<Index>() : otherwise;
        if (!value->is_list()) return {value->whole(lowest, highest)};
        std::vector<Index> out;
        for (const JsonValue each : *value) out.push_back(each.whole(lowest, highest));
        return out;
    }
    /// Whether the value is that text, or a list with that text in it.
    bool mentions(std::string_view key, std::string_view text) const {
        const auto is = [&](const JsonValue& value) { return value.is_text() && value.text() == text; };
        const std::optional<JsonValue> value = holder(key).find(key);
        if (!value || !value->is_list()) return value && is(*value);
        for (const JsonValue each : *value)
            if (is(each)) return true;
        return false;
    }

    // What the models here have in common. Nothing larger than these bounds is believed, so that products of them cannot
    // overflow.
    static constexpr Index most_width = 1 << 17, most_layers = 1 << 10, most_words = 1 << 24, most_positions = 1 << 20,
                           most_pixels = 1 << 14, most_queries = 1 << 14, most_token = 0x7fffffff;

    Index width(std::string_view key, Index otherwise) const { return whole(key, otherwise, 1, most_width); }
    Index layers(Index otherwise) const { return whole("num_hidden_layers", otherwise, 0, most_layers); }
    Index heads(Index otherwise, Index width) const {
        const Index heads = whole("num_attention_heads", otherwise, 1, most_width);
        if (width % heads != 0)
            fail("num_attention_heads", Errc::config_value, "expected a divisor of hidden_size ", width, ", found ",
                 heads);
        return heads;
    }
    /// A number, or the same number twice.
    Index side(std::string_view key, Index otherwise) const {
        const auto sides = wholes(key, {otherwise}, 1, most_pixels);
        if (sides.size() == 1 || (sides.size() == 2 && sides[0] == sides[1])) return sides[0];
        fail(key, Errc::config_unsupported, "expected one number, or two that are equal, found ",
             sides.size() == 2 ? std::to_string(sides[0]) + " and " + std::to_string(sides[1])
                               : std::to_string(sides.size()) + " numbers");
    }
    Activation activation(std::string_view key, std::string_view otherwise) const {
        const std::string name = text(key, otherwise);
        if (name == "relu") return Activation::relu;
        if (name == "gelu") return Activation::gelu;
        if (name == "gelu_new" || name == "gelu_pytorch_tanh" || name == "gelu_fast") return Activation::gelu_tanh;
        if (name == "quick_gelu") return Activation::quick_gelu;
        fail(key, Errc::config_value, "expected relu, gelu, gelu_new, gelu_pytorch_tanh or quick_gelu, found ",
             in_quotes(name));
    }
    /// errors  Errc::config_unsupported for another value than `wanted`
    void require(std::string_view key, bool otherwise, bool wanted) const {
        if (flag(key, otherwise) != wanted)
            fail(key, Errc::config_unsupported, wanted ? "false" : "true", " is not supported");
    }

    /// Complains of the value of `key`, be it there or not.
    template <class... Parts>
    [[noreturn]] void fail(std::string_view key, Errc code, const Parts&... parts) const {
        holder(key).fail_at(key, code, parts...);
    }

  private:
    static bool has(const JsonValue& object, std::string_view key) {
        for (const JsonValue member : object)
            if (member.key() == key) return true;
        return false;
    }
    bool has(std::string_view key) const { return has(holder(key), key); }
    /// The object whose `key` counts.
    const JsonValue& holder(std::string_view key) const {
        for (const JsonValue& object : objects_)
            if (has(object, key)) return object;
        return objects_.front();
    }

    std::vector<JsonValue> objects_;
};

}  // namespace tessera::inline TESSERA_ISA
