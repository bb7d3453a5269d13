#include <doctest/doctest.h>

#include <tessera/core/printable.hpp>

namespace core_printable {
using namespace tessera;

TEST_CASE("text that is fit for a message stays as it is") {
    CHECK(in_quotes("model.decoder.layers.1.fc1.weight") == "'model.decoder.layers.1.fc1.weight'");
    CHECK(printable("Grüße, 世界, 😀") == "Grüße, 世界, 😀");
    CHECK(printable("").empty());
}

TEST_CASE("control characters and bytes that are not UTF-8 are spelled out") {
    CHECK(printable("a\x1b[31mb\n") == "a\\x1b[31mb\\x0a");
    CHECK(printable("\x7f") == "\\x7f");
    CHECK(printable("\xc2\x9b") == "\\xc2\\x9b");  // a control character of two bytes
    CHECK(printable("\xff\xfe") == "\\xff\\xfe");
    CHECK(printable("\xc3(") == "\\xc3(");         // the second byte is not one
    CHECK(printable("\xe4\xb8") == "\\xe4\\xb8");  // breaks off
    CHECK(printable("\xc0\xaf") == "\\xc0\\xaf");  // longer than it need be
    CHECK(printable("\xe0\x80\xaf") == "\\xe0\\x80\\xaf");
    CHECK(printable("\xed\xa0\x80") == "\\xed\\xa0\\x80");           // half a surrogate pair
    CHECK(printable("\xf4\x90\x80\x80") == "\\xf4\\x90\\x80\\x80");  // beyond U+10FFFF
    CHECK(printable(std::string_view("a\0b", 3)) == "a\\x00b");
}

TEST_CASE("long text is cut between characters") {
    CHECK(printable(std::string(300, 'x')) == std::string(200, 'x') + "…");
    CHECK(printable("äöü", 3) == "äö…");
    CHECK(printable("äöü", 6) == "äöü");
}

}  // namespace core_printable
