#include <doctest/doctest.h>

#include <random>
#include <string>
#include <string_view>
#include <tessera/text/clean_up.hpp>

namespace text_clean_up {
using namespace tessera;

namespace {
std::string cleaned(std::string text) {
    clean_up_spaces(text);
    return text;
}
std::string replaced(std::string text, std::string_view from, std::string_view to) {
    replace_all(text, from, to);
    return text;
}
}  // namespace

TEST_CASE("replacing goes from left to right, once") {
    CHECK(replaced("aaa", "aa", "b") == "ba");
    CHECK(replaced("abab", "ab", "abab") == "abababab");
    CHECK(replaced("x", "y", "z") == "x");
    CHECK(replaced("", "y", "z").empty());
}

TEST_CASE("spaces before punctuation go") {
    CHECK(cleaned("it 's here , is n't it ? no !") == "it's here, isn't it? no!");
    CHECK(cleaned("we 've seen they 're there and I 'm not .") == "we've seen they're there and I'm not.");
    CHECK(cleaned("a ' b") == "a'b");
    CHECK(cleaned("  ' s") == "'s");  // the last rules see what the first ones made
    CHECK(cleaned("a .5 ...") == "a.5...");
    CHECK(cleaned("don't, really") == "don't, really");
}

TEST_CASE("what is settled does not change, whatever follows") {
    std::mt19937 random(2);
    const std::string_view letters = "   ''.?!,nt'mstverxe'";
    for (int round = 0; round < 20000; ++round) {
        std::string front, back;
        for (std::size_t n = random() % 12; n > 0; --n) front += letters[random() % letters.size()];
        for (std::size_t n = random() % 8; n > 0; --n) back += letters[random() % letters.size()];
        const std::size_t settled = settled_spaces(front);
        REQUIRE(settled <= front.size());
        if (cleaned(front.substr(0, settled)) + cleaned(front.substr(settled) + back) != cleaned(front + back))
            FAIL("'", front, "' settled at ", settled, " before '", back, "'");
    }
    CHECK(settled_spaces("a cat") == 5);
    CHECK(settled_spaces("a cat ") == 5);
    CHECK(settled_spaces("a cat 't") == 5);
    CHECK(settled_spaces(" ") == 0);
}

}  // namespace text_clean_up
