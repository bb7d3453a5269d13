// Decompression: hand-made streams here, those of zlib in every PNG file of the other tests.
#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <tessera/image/inflate.hpp>
#include <vector>

using namespace tessera;

namespace {

// What `stream` holds, or "broken".
std::string unpacked(const std::vector<unsigned char>& stream, std::size_t room = 100) {
    std::vector<unsigned char> out(room);
    const Index size = inflate(stream, out);
    return size < 0 ? "broken" : std::string(out.begin(), out.begin() + size);
}

// zlib.compress(b"abcabcabcabcabcabcabc hello hello"): one block with the fixed codes and two copies.
const std::vector<unsigned char> hello{0x78, 0x9c, 0x4b, 0x4c, 0x4a, 0x4e, 0xc4, 0x40, 0x0a, 0x19, 0xa9,
                                       0x39, 0x39, 0xf9, 0x10, 0x12, 0x00, 0xd3, 0xff, 0x0c, 0x73};
const std::string hello_text = "abcabcabcabcabcabcabc hello hello";

}  // namespace

TEST_CASE("stored, fixed and overlapping") {
    CHECK(unpacked({0x78, 0x01, 0x01, 0x03, 0x00, 0xfc, 0xff, 'a', 'b', 'c'}) == "abc");
    CHECK(unpacked({0x78, 0x01, 0x00, 0x01, 0x00, 0xfe, 0xff, 'a', 0x01, 0x01, 0x00, 0xfe, 0xff, 'b'}) == "ab");
    CHECK(unpacked(hello) == hello_text);
}

TEST_CASE("it stops where there is no more room, and does not touch what lies behind") {
    for (std::size_t room = 0; room <= hello_text.size(); ++room) {
        std::vector<unsigned char> out(hello_text.size() + 1, '#');
        CHECK(inflate(hello, std::span(out).first(room)) == static_cast<Index>(room));
        CHECK(std::string(out.begin(), out.end()) ==
              hello_text.substr(0, room) + std::string(hello_text.size() + 1 - room, '#'));
    }
}

TEST_CASE("a stream that is cut is broken, unless only its checksum is missing") {
    for (std::size_t size = 0; size < hello.size(); ++size) {
        CAPTURE(size);
        const std::vector<unsigned char> cut(hello.begin(), hello.begin() + static_cast<std::ptrdiff_t>(size));
        CHECK(unpacked(cut) == (size < hello.size() - 4 ? "broken" : hello_text));
    }
}

TEST_CASE("streams that are not") {
    CHECK(unpacked({0x78, 0x9d, 0x03, 0x00}) == "broken");                                   // check of the header
    CHECK(unpacked({0x77, 0x85, 0x03, 0x00}) == "broken");                                   // not deflate
    CHECK(unpacked({0x78, 0xbb, 0x03, 0x00}) == "broken");                                   // a dictionary is wanted
    CHECK(unpacked({0x78, 0x01, 0x07}) == "broken");                                         // no such kind of block
    CHECK(unpacked({0x78, 0x01, 0x01, 0x03, 0x00, 0xfd, 0xff, 'a', 'b', 'c'}) == "broken");  // length and complement
    CHECK(unpacked({0x78, 0x01, 0x01, 0x04, 0x00, 0xfb, 0xff, 'a', 'b', 'c'}) == "broken");  // fewer than claimed
    CHECK(unpacked({0x78, 0x01, 0x03, 0x02, 0x00, 0x00}) == "broken");  // a copy from before the start
}

TEST_CASE("a code with more symbols than fit is refused, one with fewer is not") {
    DeflateCode code;
    CHECK(code.build(std::vector<std::uint8_t>{1, 2, 2}));
    CHECK_FALSE(code.build(std::vector<std::uint8_t>{1, 2, 2, 15}));
    CHECK_FALSE(code.build(std::vector<std::uint8_t>{1, 1, 1}));
    CHECK(code.build(std::vector<std::uint8_t>{0, 15, 0, 3}));
    const std::vector<unsigned char> first{0x00, 0x00}, second{0x04, 0x00}, neither{0xff, 0xff};
    DeflateBits a(first), b(second), c(neither);
    CHECK(code.decode(a) == 3);  // 000
    CHECK(code.decode(b) == 1);  // 001 and twelve zeros: longer than the quick table
    CHECK(code.decode(c) == -1);
}
