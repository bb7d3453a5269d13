#include <doctest/doctest.h>

#include <cstdlib>
#include <random>
#include <string>
#include <string_view>
#include <tessera/text/unicode.hpp>
#include <vector>

namespace text_unicode {
using namespace tessera;

namespace {
std::string nfd(std::string_view text) {
    std::string out;
    for (const char32_t c : decompose(text)) append_utf8(out, c);
    return out;
}
std::string library_nfd(std::string_view text) {
    utf8proc_uint8_t* result = nullptr;
    const auto length = utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                     static_cast<utf8proc_ssize_t>(text.size()), &result, UTF8PROC_DECOMPOSE);
    REQUIRE(length >= 0);
    std::string out(reinterpret_cast<const char*>(result), static_cast<std::size_t>(length));
    std::free(result);
    return out;
}
std::string lower(std::string_view text) {
    std::string out;
    for (std::size_t at = 0; at < text.size();) append_lower(out, next_character(text, at));
    return out;
}
std::vector<std::string> graphemes(std::string_view text) {
    std::vector<std::string> out;
    for_each_grapheme(text, [&](std::string_view cluster) { out.emplace_back(cluster); });
    return out;
}
}  // namespace

TEST_CASE("white space is what Unicode separates with, and the controls that do") {
    int count = 0;
    for (char32_t c = 0; c < 0x110000; ++c) {
        const bool separator =
            is_in_category(c, UTF8PROC_CATEGORY_ZS, UTF8PROC_CATEGORY_ZP) || (c >= 9 && c <= 13) || c == 0x85;
        if (is_white_space(c) != separator) FAIL("at ", static_cast<unsigned>(c));
        count += is_white_space(c);
    }
    CHECK(count == 25);
}

TEST_CASE("categories") {
    CHECK(is_letter(U'a'));
    CHECK(is_letter(U'ʰ'));
    CHECK(is_letter(U'ǅ'));
    CHECK(is_letter(U'猫'));
    CHECK(!is_letter(U'1'));
    CHECK(!is_letter(0x301));
    CHECK(is_number(U'7'));
    CHECK(is_number(U'½'));
    CHECK(is_number(U'ⅷ'));
    CHECK(!is_number(U'a'));
    CHECK(is_punctuation(U'_'));
    CHECK(is_punctuation(U'«'));
    CHECK(is_punctuation(U'。'));
    CHECK(!is_punctuation(U'+'));
    CHECK(!is_punctuation(U'€'));
    for (const char32_t c : {U'a', U'é', U'_', U'9', U'猫', U'Ⓐ', char32_t(0x301), char32_t(0x200D)})
        CHECK(is_word_character(c));
    for (const char32_t c : {U' ', U'-', U'½', U'€', U'🐱'}) CHECK(!is_word_character(c));
    CHECK(is_control(0));
    CHECK(is_control(0xAD));
    CHECK(is_control(0xE000));
    CHECK(!is_control(0x378));  // not assigned
    CHECK(is_nonspacing_mark(0x301));
    CHECK(!is_nonspacing_mark(0x903));
}

TEST_CASE("decomposition is the library's, in order") {
    CHECK(nfd("é한Å") == "e\u0301\u1112\u1161\u11AB\u0041\u030A");
    CHECK(nfd("a\u0301\u0323") == "a\u0323\u0301");  // below comes before above
    std::mt19937 random(1);
    const char32_t pool[] = {U'a',  U'é',  U'ṩ',   0x301,   0x323, 0x327, 0x302, 0x345, 0x34F,
                             0x5B4, 0x94D, 0x302E, 0x1D165, U'한', U'ấ',  0,     U' '};
    for (int i = 0; i < 500; ++i) {
        std::string text;
        for (int n = 0; n < 30; ++n) append_utf8(text, pool[random() % std::size(pool)]);
        CAPTURE(text);
        CHECK(nfd(text) == library_nfd(text));
    }
}

TEST_CASE("many marks on one letter do not take quadratic time") {
    std::string text = "a";
    for (int i = 0; i < 200000; ++i) text += i % 2 ? "\u0323" : "\u0301";
    const auto characters = decompose(text);
    REQUIRE(characters.size() == 200001);
    CHECK(characters[1] == 0x323);
    CHECK(characters[100000] == 0x323);
    CHECK(characters[100001] == 0x301);
}

TEST_CASE("lower case goes character by character") {
    CHECK(lower("ΣΊΣΥΦΟΣ") == "σίσυφοσ");
    CHECK(lower("ẞ Ǆ Ω") == "ß ǆ ω");
    CHECK(lower("İ") == "i\u0307");
}

TEST_CASE("graphemes are what a reader takes for one character") {
    using List = std::vector<std::string>;
    CHECK(graphemes("") == List{});
    CHECK(graphemes("ab") == List{"a", "b"});
    CHECK(graphemes("e\u0301a\r\n") == List{"e\u0301", "a", "\r\n"});
    CHECK(graphemes("👩‍👧🇫🇷🇯🇵x") == List{"👩‍👧", "🇫🇷", "🇯🇵", "x"});
    CHECK(graphemes("각") == List{"각"});
}

}  // namespace text_unicode
