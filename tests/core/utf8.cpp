#include <doctest/doctest.h>

#include <string>
#include <tessera/core/utf8.hpp>

namespace core_utf8 {
using namespace tessera;

namespace {
std::string repaired(std::string bytes) {
    std::string out;
    repair_utf8(bytes, out, true);
    CHECK(bytes.empty());
    return out;
}
}  // namespace

TEST_CASE("every character is written and read back, and nothing else is UTF-8") {
    for (char32_t c = 0; c < 0x110000; ++c) {
        std::string text;
        append_utf8(text, c);
        const bool surrogate = c >= 0xD800 && c < 0xE000;
        if ((find_invalid_utf8(text) != std::string::npos) != surrogate) FAIL("at ", static_cast<unsigned>(c));
        if (surrogate) continue;
        std::size_t at = 0;
        const char32_t back = next_character(text, at);
        if (back != c || at != text.size()) FAIL("at ", static_cast<unsigned>(c));
    }
    for (const std::string_view wrong :
         {"\x80", "\xBF", "\xC0\x80", "\xC1\xBF", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xF0\x8F\xBF\xBF",
          "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF", "\xC3(", "\xE2\x82", "\xF0\x9F\x90"})
        CHECK(find_invalid_utf8(wrong) == 0);
    CHECK(find_invalid_utf8("caf\xC3\xA9 \xE2\x28\xA1") == 6);
}

TEST_CASE("what is not UTF-8 becomes one U+FFFD for each maximal subpart") {
    CHECK(repaired("caf\xC3\xA9") == "café");
    CHECK(repaired("\x80\x80") == "��");
    CHECK(repaired("\xE2\x82") == "�");  // a beginning that could go on
    CHECK(repaired("\xE2\x82z") == "�z");
    CHECK(repaired("\xF0\x9F\x90\xF0\x9F\x90\xB1") == "�🐱");
    CHECK(repaired("\xED\xA0\x80") == "���");            // half a surrogate pair
    CHECK(repaired("\xF4\x90\x80\x80") == "����");       // past U+10FFFF
    CHECK(repaired("\xC0\xAF\xE0\x80\xBF") == "�����");  // overlong forms
    // Unicode 15, table 3-11
    CHECK(repaired("\x61\xF1\x80\x80\xE1\x80\xC2\x62\x80\x63\x80\xBF\x64") == "a���b�c��d");
}

TEST_CASE("a character that breaks off waits for the rest") {
    std::string bytes = "a\xF0\x9F", out;
    repair_utf8(bytes, out, false);
    CHECK(out == "a");
    CHECK(bytes == "\xF0\x9F");
    bytes += "\x90\xB1\xE2";
    repair_utf8(bytes, out, false);
    CHECK(out == "a🐱");
    repair_utf8(bytes, out, true);
    CHECK(out == "a🐱�");
    CHECK(bytes.empty());
}

TEST_CASE("the error says which byte, and where") {
    CHECK_NOTHROW(expect_utf8("ä", "here", Errc::text_encoding));
    CHECK_THROWS_WITH_AS(expect_utf8("ab\xFE", "here", Errc::text_encoding),
                         "[text.encoding] here: expected UTF-8, found the byte 0xfe at position 2", Error);
}

}  // namespace core_utf8
