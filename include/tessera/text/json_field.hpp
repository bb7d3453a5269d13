// A value of a JSON file that knows its place in it, so that a complaint names the file, the place and both types.
#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <tessera/core/error.hpp>
#include <tessera/core/json.hpp>
#include <tessera/core/printable.hpp>
#include <tessera/text/tokenizer.hpp>
#include <utility>

namespace tessera::inline TESSERA_ISA {

/// A view of a value of a tokenizer file; the value must outlive it.
/// errors  every function: tokenizer_format
class JsonField {
  public:
    /// The whole of a file.
    JsonField(const Json& value, const std::filesystem::path& file) : value_(&value), file_(file.string()) {}

    const Json& value() const { return *value_; }
    const std::string& file() const { return file_; }

    /// "FILE: model.vocab"
    std::string where() const { return place_.empty() ? file_ : file_ + ": " + place_; }

    template <class... Parts>
    [[noreturn]] void fail(const Parts&... parts) const {
        throw Error(Errc::tokenizer_format, where(), ": ", parts...);
    }

    /// The member called `key`, unless it is missing or null.
    std::optional<JsonField> find(std::string_view key) const {
        if (!value_->is_object()) fail("expected an object, found ", value_->type_name());
        const auto member = value_->find(std::string(key));
        if (member == value_->end() || member->is_null()) return {};
        return inside(*member, place_.empty() ? printable(key) : place_ + '.' + printable(key));
    }
    JsonField operator[](std::string_view key) const {
        auto member = find(key);
        if (!member) fail("expected ", in_quotes(key), ", found none");
        return *std::move(member);
    }
    JsonField element(std::size_t index) const {
        return inside(list().at(index), place_ + '[' + std::to_string(index) + ']');
    }

    const Json& list() const { return expect(value_->is_array(), "a list"); }
    const Json& object() const { return expect(value_->is_object(), "an object"); }
    const std::string& text() const {
        return expect(value_->is_string(), "text").template get_ref<const std::string&>();
    }
    bool flag() const { return expect(value_->is_boolean(), "true or false").template get<bool>(); }
    double number() const { return expect(value_->is_number(), "a number").template get<double>(); }
    static bool is_id(const Json& value, Token highest) {
        return value.is_number_unsigned() && value.get<std::uint64_t>() <= static_cast<std::uint64_t>(highest);
    }
    Token id(Token highest) const {
        if (!is_id(*value_, highest)) fail("expected an id from 0 to ", highest, ", found ", shown());
        return value_->get<Token>();
    }

    bool flag_or(std::string_view key, bool missing) const {
        const auto member = find(key);
        return member ? member->flag() : missing;
    }
    std::string text_or(std::string_view key, std::string_view missing) const {
        const auto member = find(key);
        return member ? member->text() : std::string(missing);
    }

  private:
    JsonField inside(const Json& value, std::string place) const {
        JsonField field = *this;
        field.value_ = &value;
        field.place_ = std::move(place);
        return field;
    }
    const Json& expect(bool right, std::string_view what) const {
        if (!right) fail("expected ", what, ", found ", shown());
        return *value_;
    }
    std::string shown() const {
        if (value_->is_structured()) return value_->type_name();
        constexpr std::size_t longest = 40;
        std::string text = value_->dump(-1, ' ', true);
        return text.size() > longest ? text.substr(0, longest) + "…" : text;
    }

    const Json* value_;
    std::string file_, place_;
};

}  // namespace tessera::inline TESSERA_ISA
