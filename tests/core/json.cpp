#include <doctest/doctest.h>

#include <string>
#include <tessera/core/json.hpp>
#include <vector>

namespace core_json {
using namespace tessera;

namespace {
template <class F>
std::string message_of(F&& f) {
    try {
        f();
    } catch (const Error& error) {
        CHECK(error.code == Errc::file_format);
        return error.what();
    }
    return "no error";
}
JsonFile parsed(std::string_view text) { return {text, "f.json", Errc::file_format}; }
std::string message(std::string_view text) {
    return message_of([&] { parsed(text); });
}
}  // namespace

TEST_CASE("values are read, in the order of the text, with or without a byte order mark") {
    const auto file =
        parsed(R"({"b": [1, "x", null, true, -2.5, -7, 1e3], "a": {"b": {}, "ä\n": "\u00e4"}, "none": null})");
    const JsonValue root = file.root(), list = root["b"];
    CHECK(root.size() == 3);
    CHECK(list.size() == 7);
    CHECK(list.element(0).whole(0, 1) == 1);
    CHECK(list.element(1).text() == "x");
    CHECK(list.element(2).is_null());
    CHECK(list.element(3).flag());
    CHECK(list.element(4).number() == -2.5);
    CHECK(list.element(5).whole(-7, 0) == -7);
    CHECK(list.element(5).number() == -7);
    CHECK(list.element(6).number(0, 1000) == 1000);
    CHECK(root["a"]["b"].size() == 0);
    CHECK(root["a"]["ä\n"].text() == "ä");
    std::vector<std::string_view> keys;
    for (const JsonValue member : root.object()) keys.push_back(member.key());
    CHECK(keys == std::vector<std::string_view>{"b", "a", "none"});
    CHECK(parsed("\xEF\xBB\xBF[]").root().is_list());
    CHECK(parsed("5").root().whole(0, 5) == 5);
}

TEST_CASE("what is missing has a default; whether null is missing is up to whoever opens the file") {
    constexpr std::string_view text =
        R"({"flag": true, "number": 0.5, "whole": 3, "text": "t", "none": null, "part": {"a": 1}})";
    const auto file = parsed(text);
    const JsonValue root = file.root();
    CHECK(root.flag("flag", false));
    CHECK(root.number("number", 0, 0, 1) == 0.5);
    CHECK(root.whole("whole", 0, 0, 3) == 3);
    CHECK(root.text("text", "") == "t");
    CHECK(root.part("part")["a"].whole(0, 1) == 1);
    for (const char* key : {"none", "other"}) {
        CHECK(!root.find(key));
        CHECK(root.flag(key, true));
        CHECK(root.number(key, 2, 0, 1) == 2);
        CHECK(root.whole(key, -1, 0, 1) == -1);
        CHECK(root.text(key, "y") == "y");
        CHECK(root.part(key).whole("b", 7, 0, 1) == 7);
        CHECK(root.part(key).size() == 0);
    }
    const JsonFile strict(text, "f.json", Errc::file_format, JsonNull::refused);
    CHECK(!strict.root().find("none"));
    CHECK(strict.root().whole("other", 5, 0, 1) == 5);
    CHECK(message_of([&] { strict.root().whole("none", 5, 0, 1); }) ==
          "[file.format] f.json: none: expected a whole number from 0 to 1, found null");
    CHECK(message_of([&] { strict.root().flag("none", true); }).find("expected true or false") != std::string::npos);
}

TEST_CASE("complaints name the file, the place, what was expected and what was found") {
    const auto file =
        parsed(R"({"a": [-1, 18446744073709551615, "5", {"k": [true, null]}, 1.5, 7, -9], "k\u0007": 1})");
    const JsonValue root = file.root(), list = root["a"];
    CHECK(root.where() == "f.json");
    CHECK(list.where() == "f.json: a");
    CHECK(list.element(3)["k"].element(0).where() == "f.json: a[3].k[0]");
    CHECK(message_of([&] { root["b"]; }) == "[file.format] f.json: expected 'b', found none");
    CHECK(message_of([&] { list.element(3)["b"]; }) == "[file.format] f.json: a[3]: expected 'b', found none");
    CHECK(message_of([&] { root["k\a"].flag(); }) == "[file.format] f.json: k\\x07: expected true or false, found 1");
    CHECK(
        message_of([&] { list["x"]; }) ==
        R"([file.format] f.json: a: expected an object, found [-1,18446744073709551615,"5",{"k":[true,null]},1.5,7,-9])");
    CHECK(message_of([&] { list.element(3).list(); }) ==
          R"([file.format] f.json: a[3]: expected a list, found {"k":[true,null]})");
    CHECK(message_of([&] { list.element(2).number(); }) ==
          R"([file.format] f.json: a[2]: expected a number, found "5")");
    CHECK(message_of([&] { list.element(4).text(); }) == "[file.format] f.json: a[4]: expected text, found 1.5");
    CHECK(message_of([&] { list.element(4).number(2, 3); }) ==
          "[file.format] f.json: a[4]: expected a number from 2 to 3, found 1.5");
    CHECK(message_of([&] { list.element(7); }) == "[file.format] f.json: a: expected more than 7 values");
    for (std::size_t i = 0; i < 5; ++i)
        CHECK(message_of([&] { list.element(i).whole(0, 6); }).find("expected a whole number from 0 to 6, found ") !=
              std::string::npos);
    CHECK(message_of([&] { list.element(5).whole(0, 6); }).ends_with("found 7"));
    CHECK(message_of([&] { list.element(6).whole(-8, 6); }).ends_with("found -9"));
    CHECK(message_of([&] { root.fail_at("x", Errc::file_format, "no ", 5); }) == "[file.format] f.json: x: no 5");
    CHECK(message_of([&] { list.element(3).fail_at("x", Errc::file_format, "no"); }) ==
          "[file.format] f.json: a[3].x: no");
}

TEST_CASE("a long value is cut in a complaint") {
    std::string text = "[\"" + std::string(500, 'x') + '"';
    for (int i = 0; i < 500; ++i) text += ", [1, 2, 3]";
    const auto file = parsed(text + ']');
    CHECK(file.root().shown().size() < 70);
    CHECK(file.root().element(1).shown() == "[1,2,3]");
}

TEST_CASE("what is not JSON is an error that names the file and the place") {
    for (const std::string_view text : {"", "{", "[1,]", "{\"a\":1} x", "nan", "\"\xff\"", "1e999"}) {
        CAPTURE(text);
        CHECK(message(text).find("[file.format] f.json: ") == 0);
        CHECK(message(text).find("not JSON: ") != std::string::npos);
    }
    CHECK(message(R"({"a": {"b": [1, 2}})").find("f.json: a.b[1]: not JSON: parse error at line 1, column 18") !=
          std::string::npos);
    CHECK(message(R"({"x": [{"a": 1, "b": 3, "a": 2}]})") == "[file.format] f.json: x[0]: the key 'a' appears twice");
    CHECK(message(std::string(100000, '[')) == "[file.format] f.json: JSON nested deeper than 64 levels");
    CHECK(message(std::string(64, '[') + std::string(64, ']')) == "no error");
}

}  // namespace core_json
