#include <doctest/doctest.h>

#include <cstddef>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <tessera/text/byte_level.hpp>
#include <vector>

namespace text_byte_level {
using namespace tessera;

namespace {
std::string words(std::string_view text) {
    std::string out;
    for_each_gpt2_word(text, [&](std::string_view word) { (out += out.empty() ? "" : "|") += word; });
    return out;
}

// GPT-2's pattern as a backtracking matcher goes through it: alternative by alternative, each as long as it can be.
std::vector<std::u32string> words_by_pattern(const std::u32string& text) {
    const auto is_space = [](char32_t c) { return is_white_space(c); };
    const auto is_other = [](char32_t c) { return !is_white_space(c) && !is_letter(c) && !is_number(c); };
    std::vector<std::u32string> out;
    for (std::size_t begin = 0; begin < text.size();) {
        const auto rest = std::u32string_view(text).substr(begin);
        const auto longest = [&](std::size_t from, auto&& accepts) {
            std::size_t n = from;
            while (n < rest.size() && accepts(rest[n])) ++n;
            return n > from ? n : 0;
        };
        const auto with_space = [&](auto&& accepts) {  // " ?x+": with the space first, then without
            const std::size_t n = rest[0] == U' ' ? longest(1, accepts) : 0;
            return n > 0 ? n : longest(0, accepts);
        };
        std::size_t length = 0;
        for (const std::u32string_view ending : {U"'s", U"'t", U"'re", U"'ve", U"'m", U"'ll", U"'d"})
            if (length == 0 && rest.starts_with(ending)) length = ending.size();
        if (length == 0) length = with_space([](char32_t c) { return is_letter(c); });
        if (length == 0) length = with_space([](char32_t c) { return is_number(c); });
        if (length == 0) length = with_space(is_other);
        for (std::size_t n = longest(0, is_space); length == 0 && n > 0; --n)  // "\s+(?!\S)" gives back, one at a time
            if (n == rest.size() || is_space(rest[n])) length = n;
        if (length == 0) length = longest(0, is_space);
        REQUIRE(length > 0);
        out.emplace_back(rest.substr(0, length));
        begin += length;
    }
    return out;
}
}  // namespace

TEST_CASE("every byte has a character of its own, and back") {
    constexpr auto characters = byte_characters();
    static_assert(characters[' '] == 0x120 && characters['\n'] == 0x10A && characters['a'] == 'a');
    static_assert(characters[0] == 0x100 && characters[0xAD] == 0x143 && characters[0xFF] == 0xFF);
    std::set<char32_t> seen;
    for (unsigned byte = 0; byte < 256; ++byte) {
        seen.insert(characters[byte]);
        CHECK(character_byte(characters[byte]) == static_cast<unsigned char>(byte));
    }
    CHECK(seen.size() == 256);
    for (const char32_t c : {U' ', U'\n', char32_t(0x7F), char32_t(0xAD), char32_t(0x144), U'猫'})
        CHECK(!character_byte(c));
}

TEST_CASE("a piece stands for bytes if all its characters do") {
    std::string out;
    append_bytes(out, "Ġphoto");
    append_bytes(out, "Ċ");
    append_bytes(out, "<my token>");  // an added token with a space
    append_bytes(out, "Ġ猫");
    append_bytes(out, "Ã©");
    CHECK(out == " photo\n<my token>Ġ猫é");
}

TEST_CASE("text falls into GPT-2's words") {
    CHECK(words("") == "");
    CHECK(words("it's they're we've I'm he'd she'll") == "it|'s| they|'re| we|'ve| I|'m| he|'d| she|'ll");
    CHECK(words("IT'S don''t '' 's") == "IT|'|S| don|''|t| ''| '|s");
    CHECK(words("a1b2½x") == "a|1|b|2½|x");
    CHECK(words("  a  b") == " | a| | b");
    CHECK(words("a   ") == "a|   ");
    CHECK(words("a\n\n b\n") == "a|\n\n| b|\n");
    CHECK(words("a\nb") == "a|\n|b");
    CHECK(words(" \t!x") == " |\t|!|x");
    CHECK(words("a\u00A0 b\u00A0c") == "a|\u00A0| b|\u00A0|c");
    CHECK(words("e\u0301 猫🐱!") == "e|\u0301| 猫|🐱!");
}

TEST_CASE("words are those of the pattern") {
    std::mt19937 random(3);
    const std::u32string pool = U"  \t\n\u00A0\u3000''''sstrevmlldDabéΩ猫12½ⅷ!.,_-+🐱\u0301\u200D";
    for (int round = 0; round < 20000; ++round) {
        std::u32string text;
        std::string utf8;
        for (std::size_t n = random() % 14; n > 0; --n) {
            text += pool[random() % pool.size()];
            append_utf8(utf8, text.back());
        }
        std::vector<std::string> found, expected;
        for_each_gpt2_word(utf8, [&](std::string_view word) { found.emplace_back(word); });
        for (const auto& word : words_by_pattern(text)) {
            expected.emplace_back();
            for (const char32_t c : word) append_utf8(expected.back(), c);
        }
        if (found != expected) FAIL("'", utf8, "': ", words(utf8));
    }
}

}  // namespace text_byte_level
