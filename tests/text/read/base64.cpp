#include <doctest/doctest.h>

#include <tessera/text/read/unigram.hpp>

namespace text_base64 {
using tessera::detail::decode_base64;

TEST_CASE("base64 of RFC 4648") {
    CHECK(decode_base64("") == "");
    CHECK(decode_base64("Zg==") == "f");
    CHECK(decode_base64("Zm8=") == "fo");
    CHECK(decode_base64("Zm9v") == "foo");
    CHECK(decode_base64("Zm9vYmFy") == "foobar");
    CHECK(decode_base64("/+8A") == std::string("\xFF\xEF\0", 3));
}

TEST_CASE("what is not base64 gives nothing") {
    for (const char* text :
         {"Z", "Zg", "Zg=", "Z===", "====", "Zg==Zg==", "Zm9*", "Zm 9", "Z=9v", "***not base64***"}) {
        CAPTURE(text);
        CHECK(!decode_base64(text));
    }
}

}  // namespace text_base64
