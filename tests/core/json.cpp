#include <doctest/doctest.h>

#include <string>
#include <tessera/core/json.hpp>

namespace core_json {
using namespace tessera;

namespace {
std::string message(std::string_view text) {
    try {
        parse_json(text, "here.json", Errc::file_format);
    } catch (const Error& error) {
        CHECK(error.code == Errc::file_format);
        return error.what();
    }
    return "no error";
}
}  // namespace

TEST_CASE("JSON is read, with or without a byte order mark") {
    CHECK(parse_json(R"({"a": [1, 2]})", "", Errc::file_format)["a"][1] == 2);
    CHECK(parse_json("\xEF\xBB\xBF{}", "", Errc::file_format).is_object());
    CHECK(parse_json(R"({"a": {"b": 1}, "c": {"b": 2}})", "", Errc::file_format)["c"]["b"] == 2);
}

TEST_CASE("what is not JSON is an error that names the file") {
    for (const std::string_view text : {"", "{", "[1,]", "{\"a\":1} x", "nan", "\"\xff\""}) {
        CAPTURE(text);
        CHECK(message(text).find("[file.format] here.json: not JSON") == 0);
    }
    CHECK(message(R"({"a": 1, "a": 2})").find("the key 'a' appears twice") != std::string::npos);
    CHECK(message(std::string(100000, '[')).find("nested deeper") != std::string::npos);
}

}  // namespace core_json
