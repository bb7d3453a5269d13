#include <doctest/doctest.h>

#include <tessera/text/json_field.hpp>

#include "text/scratch_folder.hpp"

namespace text_json_field {
using namespace tessera;
using test::check_says;
using test::message_of;

TEST_CASE("values are read, and missing ones have a default") {
    const Json json = Json::parse(R"({"a": {"b": [1, "x", null, true, 2.5]}, "none": null})");
    const JsonField root(json, "f.json");
    CHECK(root.where() == "f.json");
    const JsonField list = root["a"]["b"];
    CHECK(list.where() == "f.json: a.b");
    CHECK(list.element(0).id(1) == 1);
    CHECK(list.element(1).text() == "x");
    CHECK(list.element(3).flag());
    CHECK(list.element(4).number() == 2.5);
    CHECK(!root.find("none"));
    CHECK(!root.find("other"));
    CHECK(root.flag_or("none", true));
    CHECK(root.text_or("other", "y") == "y");
}

TEST_CASE("complaints name the file, the place, what was expected and what was found") {
    const Json json = Json::parse(R"({"a": [-1, 4294967295, "5", {}, 1.5, 7], "k\u0007": 1})");
    const JsonField root(json, "f.json"), list = root["a"];
    const auto said = [](auto&& f) { return message_of(Errc::tokenizer_format, f); };
    CHECK(said([&] { root["b"]; }) == "[tokenizer.format] f.json: expected 'b', found none");
    CHECK(said([&] { root.text(); }) == "[tokenizer.format] f.json: expected text, found object");
    CHECK(said([&] { root["k\a"].flag(); }) == "[tokenizer.format] f.json: k\\x07: expected true or false, found 1");
    CHECK(said([&] { list["x"]; }) == "[tokenizer.format] f.json: a: expected an object, found array");
    CHECK(said([&] { list.object(); }) == "[tokenizer.format] f.json: a: expected an object, found array");
    CHECK(said([&] { list.element(3).list(); }) == "[tokenizer.format] f.json: a[3]: expected a list, found object");
    CHECK(said([&] { list.element(2).number(); }) == "[tokenizer.format] f.json: a[2]: expected a number, found \"5\"");
    for (std::size_t i = 0; i < 5; ++i)
        check_says(said([&] { list.element(i).id(6); }), "expected an id from 0 to 6, found ");
    check_says(said([&] { list.element(5).id(6); }), "found 7");
}

}  // namespace text_json_field
