// JPEG: every kind of sampling, scan and colour against Pillow, to the bit; and what is cut or contradicts itself.
#include <doctest/doctest.h>

#include <cmath>
#include <numbers>
#include <string>
#include <tessera/image/jpeg.hpp>
#include <vector>

#include "support/picture_bytes.hpp"
#include "support/small_pictures.hpp"

using namespace tessera;

namespace {

std::string message(const std::vector<unsigned char>& file) {
    try {
        read_jpeg(file, "x.jpg", {});
    } catch (const Error& error) {
        return error.what();
    }
    return "read";
}

// The place of the byte behind a marker.
std::size_t behind(const std::vector<unsigned char>& file, unsigned char marker) {
    for (std::size_t at = 0; at + 1 < file.size(); ++at)
        if (file[at] == 0xff && file[at + 1] == marker) return at + 2;
    FAIL("no such marker");
    return 0;
}

}  // namespace

TEST_CASE("all samplings, baseline and progressive, restarts, gray, RGB and CMYK: the bytes of Pillow") {
    CHECK(test::compare_small_pictures(".jpg") == 22);
}

TEST_CASE("a file is refused wherever it is cut") {
    for (const char* name : {"baseline_420.jpg", "progressive_422.jpg", "restarts.jpg"}) {
        CAPTURE(name);
        const auto file = test::small_picture(name);
        for (std::size_t size = 3; size < file.size(); ++size) {
            CAPTURE(size);
            const std::vector<unsigned char> cut(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size));
            CHECK_THROWS_AS(read_jpeg(cut, name, {}), Error);
        }
    }
}

TEST_CASE("an end marker does not make a picture of half a one") {
    const auto file = test::small_picture("baseline_420.jpg");
    const std::size_t data = behind(file, 0xda) + 12;
    for (std::size_t size = data; size + 4 < file.size(); ++size) {
        CAPTURE(size);
        if (file[size - 1] == 0xff) continue;  // the end marker's own byte would be taken for stuffing
        std::vector<unsigned char> cut(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size));
        cut.insert(cut.end(), {0xff, 0xd9});
        CHECK_THROWS_AS(read_jpeg(cut, "cut", {}), Error);
    }
}

TEST_CASE("what contradicts itself is named") {
    const auto good = test::small_picture("baseline_420.jpg");
    const auto changed = [&](unsigned char marker, std::size_t offset, unsigned char byte) {
        auto file = good;
        file[behind(file, marker) + offset] = byte;
        return message(file);
    };
    CHECK(message(good) == "read");
    CHECK(changed(0xc0, 2, 12) == "[image.decode] x.jpg: JPEG: expected samples of 8 bits, found 12");
    CHECK(changed(0xc0, 7, 2) == "[image.decode] x.jpg: JPEG: expected 1, 3 or 4 components, found 2");
    CHECK(changed(0xc0, 9, 0x20) == "[image.decode] x.jpg: JPEG: a sampling factor of 2×0 does not exist");
    CHECK(changed(0xc0, 12, 0x33) == "[image.decode] x.jpg: JPEG: sampling factors of 2×2 among 3×3 are not supported");
    CHECK(changed(0xc0, 10, 5) == "[image.decode] x.jpg: JPEG: there is no quantisation table 5");
    CHECK(changed(0xc0, 10, 3) == "[image.decode] x.jpg: JPEG: the quantisation table 3 is missing");
    CHECK(changed(0xc0, 3, 0xff) == "[image.decode] x.jpg: JPEG: the header claims 45×65315 pixels, " +
                                        std::to_string(good.size()) + " bytes cannot hold them");
    CHECK(changed(0xda, 2, 4) == "[image.decode] x.jpg: JPEG: a scan of 4 components does not fit");
    CHECK(changed(0xda, 3, 9) == "[image.decode] x.jpg: JPEG: a scan names component 9, which does not exist");
    CHECK(changed(0xda, 5, 1) == "[image.decode] x.jpg: JPEG: a scan names component 1 twice");
    CHECK(changed(0xda, 4, 0x20) == "[image.decode] x.jpg: JPEG: a table of codes is missing");
    CHECK(changed(0xc4, 3, 200) == "[image.decode] x.jpg: JPEG: a table of 212 codes does not fit");
    CHECK(changed(0xc4, 2, 0x20) == "[image.decode] x.jpg: JPEG: there is no table of codes 32");

    auto lossless = good;
    lossless[behind(lossless, 0xc0) - 1] = 0xc3;
    CHECK(message(lossless) ==
          "[image.decode] x.jpg: JPEG: lossless, hierarchical and arithmetically coded pictures are "
          "not supported (marker 195)");
    auto twice = good;
    const auto frame = static_cast<std::ptrdiff_t>(behind(good, 0xc0)) - 2;
    twice.insert(twice.begin() + frame, good.begin() + frame, good.begin() + frame + 19);
    CHECK(message(twice) == "[image.decode] x.jpg: JPEG: there are two frames");
    CHECK(message({0xff, 0xd8, 0xff, 0xd9}) == "[image.decode] x.jpg: JPEG: there is no picture");

    auto restarts = test::small_picture("restarts.jpg");
    restarts[behind(restarts, 0xd1) - 1] = 0xd2;
    CHECK(message(restarts).starts_with("[image.decode] x.jpg: JPEG: expected restart marker 1 at byte "));
}

TEST_CASE("a table of more codes than there can be, or with the code of ones, is refused") {
    JpegHuffman code;
    std::vector<unsigned char> counts(16, 0), symbols(256, 0);
    counts[0] = 1;
    CHECK(code.build(counts, Bytes(symbols).first(1)));
    counts[0] = 2;
    CHECK_FALSE(code.build(counts, Bytes(symbols).first(2)));
    counts[0] = 0;
    counts[7] = 255;
    CHECK(code.build(counts, Bytes(symbols).first(255)));
    counts[8] = 2;
    CHECK_FALSE(code.build(counts, Bytes(symbols).first(257 - 1)));
}

TEST_CASE("codes of all lengths are found again") {
    std::vector<unsigned char> counts(16, 1), symbols(16);
    for (std::size_t i = 0; i < 16; ++i) symbols[i] = static_cast<unsigned char>(100 + i);
    JpegHuffman code;
    REQUIRE(code.build(counts, symbols));
    // Code i is i ones and a zero: all of them one behind another, with a zero stuffed behind each 0xff.
    std::vector<unsigned char> stream;
    int filled = 0, byte = 0;
    const auto put = [&](int bit) {
        byte = byte << 1 | bit;
        if (++filled < 8) return;
        stream.push_back(static_cast<unsigned char>(byte));
        if (byte == 0xff) stream.push_back(0);
        filled = byte = 0;
    };
    for (int i = 0; i < 16; ++i) {
        for (int one = 0; one < i; ++one) put(1);
        put(0);
    }
    stream.insert(stream.end(), {0xff, 0xd9});
    JpegBits bits(stream, 0);
    for (int i = 0; i < 16; ++i) CHECK(code.decode(bits) == 100 + i);
    CHECK_FALSE(bits.overrun());
    CHECK(code.decode(bits) == 100);  // made up
    CHECK(bits.overrun());
    CHECK(bits.skip_to_marker() == stream.size() - 2);
}

TEST_CASE("the integer transform is the cosine transform, to within a level") {
    std::uint32_t state = 7;
    double worst = 0;
    for (int round = 0; round < 200; ++round) {
        JpegBlock block{};
        std::array<std::uint16_t, 64> steps;
        for (std::size_t i = 0; i < 64; ++i) {
            state = state * 1664525u + 1013904223u;
            steps[i] = static_cast<std::uint16_t>(1 + (state >> 8) % 20);
            if (state >> 28 < 4) block[i] = static_cast<std::int16_t>(static_cast<int>(state >> 16) % 13 - 6);
        }
        std::array<unsigned char, 64> got;
        jpeg_samples(block, steps, got.data(), 8);
        for (std::size_t y = 0; y < 8; ++y)
            for (std::size_t x = 0; x < 8; ++x) {
                double sum = 0;
                for (std::size_t v = 0; v < 8; ++v)
                    for (std::size_t u = 0; u < 8; ++u) {
                        const double scale = (u == 0 ? std::sqrt(0.5) : 1.0) * (v == 0 ? std::sqrt(0.5) : 1.0) / 4;
                        const auto wave = [](std::size_t at, std::size_t frequency) {
                            return std::cos((2 * static_cast<double>(at) + 1) * static_cast<double>(frequency) *
                                            std::numbers::pi / 16);
                        };
                        sum += scale * block[v * 8 + u] * steps[v * 8 + u] * wave(x, u) * wave(y, v);
                    }
                // Half a level for the last rounding. After the first pass each of 8 numbers is rounded to 1/(4·√8) of
                // what it stands for; the second pass adds them with weights of at most 1/2, 1/√8 for the first:
                // 8 · (1/2) · 1/(8·√8) < 0.18. The constants' 13 bits stay below 0.01 here.
                const double exact = std::clamp(sum + 128, 0.0, 255.0);
                worst = std::max(worst, std::abs(got[y * 8 + x] - exact));
            }
    }
    CHECK(worst <= 0.5 + 0.18 + 0.01);
}
