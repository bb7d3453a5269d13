// JSON from files that are not trusted: bounded depth, no key twice, and complaints that name the file, the place in it,
// what was expected and what was found. The only place for nlohmann/json.
#pragma once
#include <algorithm>
#include <bit>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <tessera/core/error.hpp>
#include <tessera/core/file.hpp>
#include <tessera/core/printable.hpp>
#include <tessera/core/view.hpp>
#include <utility>
#include <vector>

namespace tessera::inline TESSERA_ISA {

/// For writing.
using Json = nlohmann::json;

class JsonValue;

/// What null is to the functions of JsonValue that have a default: as if there were no such key, or of the wrong type.
enum class JsonNull { missing, refused };

/// A parsed JSON text. `root()` leads to its values, which point into it.
/// cost    64 bytes for each value, and once the text
class JsonFile {
  public:
    /// errors  file_open; `code` if it is not JSON, not UTF-8, nested deeper than 64, or has a key twice
    explicit JsonFile(const std::filesystem::path& path, Errc code = Errc::file_format,
                      JsonNull null = JsonNull::missing)
        : name_(path.string()), code_(code), null_(null) {
        const MappedFile file(path);
        if (file.text().empty()) throw Error(code, name_, ": the file is empty, expected JSON");
        parse(file.text());
    }
    /// From `text`, which came from `name`. A byte order mark is skipped.
    JsonFile(std::string_view text, std::string name, Errc code, JsonNull null = JsonNull::missing)
        : name_(std::move(name)), code_(code), null_(null) {
        parse(text);
    }
    JsonFile(const JsonFile&) = delete;

    JsonValue root() const;

  private:
    friend class JsonValue;
    enum class Kind : std::uint8_t { null, flag, whole, negative, real, text, list, object };

    // The values in the order of the text: those inside of a list or an object follow it.
    struct Node {
        std::string_view key, text;
        std::uint64_t number;  // a flag, a whole number, the bits of a real one
        std::size_t span;      // nodes from here to the next value beside this one
        Kind kind;
    };

    // What the parser calls.
    class Builder {
      public:
        explicit Builder(JsonFile& file) : file_(file) {}

        bool null() { return add(Kind::null); }
        bool boolean(bool value) { return add(Kind::flag, value); }
        bool number_integer(std::int64_t value) { return add(Kind::negative, std::bit_cast<std::uint64_t>(value)); }
        bool number_unsigned(std::uint64_t value) { return add(Kind::whole, value); }
        bool number_float(double value, const std::string&) {
            return add(Kind::real, std::bit_cast<std::uint64_t>(value));
        }
        bool string(const std::string& value) { return add(Kind::text, 0, keep(value)); }
        bool binary(const Json::binary_t&) { return false; }  // JSON has none
        bool start_array(std::size_t) { return begin(Kind::list); }
        bool start_object(std::size_t) { return begin(Kind::object); }
        bool end_array() { return end(), true; }
        bool end_object() {
            const Node& object = end();
            std::vector<std::string_view> keys;
            for (std::size_t at = 1; at < object.span; at += (&object)[at].span) keys.push_back((&object)[at].key);
            std::sort(keys.begin(), keys.end());
            const auto twice = std::adjacent_find(keys.begin(), keys.end());
            if (twice != keys.end()) refuse(&object, "the key " + in_quotes(*twice) + " appears twice");
            return true;
        }
        bool key(const std::string& value) {
            key_ = keep(value);
            return true;
        }
        bool parse_error(std::size_t, const std::string&, const Json::exception& error) {
            std::string_view reason = error.what();  // "[json.exception.parse_error.101] parse error at line 1, …"
            if (const auto id = reason.find("] "); id != reason.npos) reason.remove_prefix(id + 2);
            refuse(file_.nodes_.empty() ? nullptr : &file_.nodes_.back(), "not JSON: " + printable(reason));
        }

      private:
        bool add(Kind kind, std::uint64_t number = 0, std::string_view text = {}) {
            file_.nodes_.push_back({std::exchange(key_, {}), text, number, 1, kind});
            return true;
        }
        bool begin(Kind kind) {
            constexpr std::size_t deepest = 64;
            if (open_.size() == deepest)
                refuse(nullptr, "JSON nested deeper than " + std::to_string(deepest) + " levels");
            open_.push_back(file_.nodes_.size());
            return add(kind);
        }
        const Node& end() {
            Node& node = file_.nodes_[open_.back()];
            node.span = file_.nodes_.size() - open_.back();
            open_.pop_back();
            return node;
        }
        [[noreturn]] void refuse(const Node* place, const std::string& sentence) {
            while (!open_.empty()) end();  // so that the place can be found
            throw Error(file_.code_, file_.where(place), ": ", sentence);
        }
        std::string_view keep(std::string_view text) {
            TESSERA_EXPECTS(file_.text_.size() + text.size() <= file_.text_.capacity());
            file_.text_ += text;
            return std::string_view(file_.text_).substr(file_.text_.size() - text.size());
        }

        JsonFile& file_;
        std::vector<std::size_t> open_;  // lists and objects
        std::string_view key_;
    };

    void parse(std::string_view text) {
        if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
        text_.reserve(text.size());  // nothing is longer than it is spelled, so views of text_ stay valid
        Builder builder(*this);
        Json::sax_parse(text.begin(), text.end(), &builder);
        nodes_.push_back({{}, {}, 0, 1, Kind::object});  // the empty object, for JsonValue::part
    }

    // "FILE: model.merges[3]"
    std::string where(const Node* place) const {
        std::string path;
        for (const Node* at = nodes_.data(); place > at && place < at + at->span;) {
            const Node* child = at + 1;
            std::size_t index = 0;
            for (; child + child->span <= place; child += child->span) ++index;
            if (at->kind == Kind::list)
                path += '[' + std::to_string(index) + ']';
            else
                path += (path.empty() ? "" : ".") + printable(child->key);
            at = child;
        }
        return path.empty() ? name_ : name_ + ": " + path;
    }

    std::string name_, text_;  // text_: all keys and texts
    Errc code_;
    JsonNull null_;
    std::vector<Node> nodes_;
};

/// A value of a JsonFile, which must outlive it. It knows its place there.
/// errors  every function: the code of the file
class JsonValue {
    using Kind = JsonFile::Kind;
    using Node = JsonFile::Node;

  public:
    bool is_null() const { return node_->kind == Kind::null; }
    bool is_text() const { return node_->kind == Kind::text; }
    bool is_number() const { return node_->kind >= Kind::whole && node_->kind <= Kind::real; }
    bool is_list() const { return node_->kind == Kind::list; }
    bool is_object() const { return node_->kind == Kind::object; }

    std::string_view text() const { return expect(is_text(), "text").node_->text; }
    bool flag() const { return expect(node_->kind == Kind::flag, "true or false").node_->number != 0; }
    double number() const {
        expect(is_number(), "a number");
        if (node_->kind == Kind::real) return std::bit_cast<double>(node_->number);
        return node_->kind == Kind::negative ? static_cast<double>(negative()) : static_cast<double>(node_->number);
    }
    double number(double lowest, double highest) const {
        if (!is_number() || number() < lowest || number() > highest)
            fail("expected a number from ", lowest, " to ", highest, ", found ", shown());
        return number();
    }
    Index whole(Index lowest, Index highest) const {
        const bool fits =
            node_->kind == Kind::negative || (node_->kind == Kind::whole && std::in_range<Index>(node_->number));
        if (!fits || negative() < lowest || negative() > highest)
            fail("expected a whole number from ", lowest, " to ", highest, ", found ", shown());
        return negative();
    }

    /// The same value, if it is a list, or an object: `for (const JsonValue merge : model["merges"].list())`.
    JsonValue list() const { return expect(is_list(), "a list"); }
    JsonValue object() const { return expect(is_object(), "an object"); }

    /// Goes through the values inside, in the order of the text.
    struct Iterator {
        const JsonFile* file;
        const Node* node;
        JsonValue operator*() const { return {*file, *node}; }
        void operator++() { node += node->span; }
        bool operator==(const Iterator&) const = default;
    };
    Iterator begin() const { return {file_, node_ + 1}; }
    Iterator end() const { return {file_, node_ + node_->span}; }
    /// How many values are inside.
    std::size_t size() const {
        std::size_t count = 0;
        for ([[maybe_unused]] const JsonValue& value : *this) ++count;
        return count;
    }
    /// The value of that index in a list.
    JsonValue element(std::size_t index) const {
        for (const JsonValue value : list())
            if (index-- == 0) return value;
        fail("expected more than ", size(), " values");
    }
    /// The key of this value in its object.
    std::string_view key() const { return node_->key; }

    /// The member of an object, if there is one that is not null.
    std::optional<JsonValue> find(std::string_view key) const { return find(key, JsonNull::missing); }
    JsonValue operator[](std::string_view key) const {
        const auto member = find(key);
        if (!member) fail("expected ", in_quotes(key), ", found none");
        return *member;
    }
    /// The object of that key; without one, an empty object.
    JsonValue part(std::string_view key) const {
        const auto member = find(key);
        return member ? member->object() : JsonValue(*file_, file_->nodes_.back());
    }

    // With what to take where an object has no such key.
    std::string text(std::string_view key, std::string_view otherwise) const {
        const auto member = find(key, file_->null_);
        return std::string(member ? member->text() : otherwise);
    }
    bool flag(std::string_view key, bool otherwise) const {
        const auto member = find(key, file_->null_);
        return member ? member->flag() : otherwise;
    }
    double number(std::string_view key, double otherwise, double lowest, double highest) const {
        const auto member = find(key, file_->null_);
        return member ? member->number(lowest, highest) : otherwise;
    }
    Index whole(std::string_view key, Index otherwise, Index lowest, Index highest) const {
        const auto member = find(key, file_->null_);
        return member ? member->whole(lowest, highest) : otherwise;
    }

    /// "tokenizer.json: model.merges[3]"
    std::string where() const { return file_->where(node_); }
    const std::string& file() const { return file_->name_; }
    /// The value as JSON, for a message.
    std::string shown() const {
        constexpr std::size_t longest = 60;
        std::string out;
        show(out);
        return printable(out, longest);
    }

    [[noreturn]] void expected(std::string_view what) const { fail("expected ", what, ", found ", shown()); }
    template <class... Parts>
    [[noreturn]] void fail(const Parts&... parts) const {
        throw Error(file_->code_, where(), ": ", parts...);
    }
    /// Complains of a member of this object, be it there or not.
    template <class... Parts>
    [[noreturn]] void fail_at(std::string_view key, Errc code, const Parts&... parts) const {
        throw Error(code, where(), node_ == file_->nodes_.data() ? ": " : ".", printable(key), ": ", parts...);
    }

  private:
    friend class JsonFile;
    JsonValue(const JsonFile& file, const Node& node) : file_(&file), node_(&node) {}

    Index negative() const { return static_cast<Index>(node_->number); }
    const JsonValue& expect(bool right, std::string_view what) const {
        if (!right) expected(what);
        return *this;
    }
    std::optional<JsonValue> find(std::string_view key, JsonNull null) const {
        for (const JsonValue member : object())
            if (member.key() == key && !(member.is_null() && null == JsonNull::missing)) return member;
        return {};
    }
    void show(std::string& out) const {
        constexpr std::size_t enough = 100;  // longer than what is shown
        char digits[32];
        const auto print = [&](auto value) { out.append(digits, std::to_chars(digits, digits + 32, value).ptr); };
        if (is_null()) out += "null";
        if (node_->kind == Kind::flag) out += flag() ? "true" : "false";
        if (node_->kind == Kind::whole) print(node_->number);
        if (node_->kind == Kind::negative) print(negative());
        if (node_->kind == Kind::real) print(number());
        if (is_text()) ((out += '"') += node_->text) += '"';
        if (!is_list() && !is_object()) return;
        out += is_list() ? '[' : '{';
        for (const JsonValue value : *this) {
            if (out.size() > enough) return;
            if (value.node_ != node_ + 1) out += ',';
            if (is_object()) ((out += '"') += value.key()) += "\":";
            value.show(out);
        }
        out += is_list() ? ']' : '}';
    }

    const JsonFile* file_;
    const Node* node_;
};

inline JsonValue JsonFile::root() const { return {*this, nodes_.front()}; }

}  // namespace tessera::inline TESSERA_ISA
