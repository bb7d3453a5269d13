// The pictures of tests/image/pictures, what Pillow makes of them, and PNG files to order.
#pragma once
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <iterator>
#include <string>
#include <string_view>
#include <tessera/checkpoint/safetensors.hpp>
#include <tessera/image/decode.hpp>
#include <vector>

#include "support/picture_bytes.hpp"

namespace tessera::test {

inline std::filesystem::path small_pictures() {
    return std::filesystem::path(__FILE__).parent_path().parent_path() / "image" / "pictures";
}
inline std::vector<unsigned char> bytes_of(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    REQUIRE(file.good());
    return {std::istreambuf_iterator<char>(file), {}};
}
inline std::vector<unsigned char> small_picture(std::string_view name) { return bytes_of(small_pictures() / name); }

/// Compares all pictures with that ending with what Pillow made of them: `compare` is given what was decoded, what was expected
/// and the name. Returns how many pictures there are.
template <class Compare>
int compare_small_pictures(std::string_view ending, const std::vector<Decoder>& decoders, const Compare& compare) {
    const Safetensors expected(small_pictures() / "expected.safetensors");
    int compared = 0;
    for (const auto& entry : std::filesystem::directory_iterator(small_pictures())) {
        const std::string name = entry.path().filename().string();
        if (!name.ends_with(ending)) continue;
        CAPTURE(name);
        ++compared;
        DecodeOptions options{.turn_upright = false, .decoders = decoders};
        const Image dropped = picture_of(expected.tensor(name + ".rgb"));
        compare(read_image(entry.path(), options), dropped, name);
        options.transparency = Transparency::white;
        const StoredTensor* over_white = expected.find(name + ".over_white");
        compare(read_image(entry.path(), options), over_white != nullptr ? picture_of(*over_white) : dropped, name);
        const StoredTensor* upright = expected.find(name + ".upright");
        compare(read_image(entry.path(), {.decoders = decoders}), upright != nullptr ? picture_of(*upright) : dropped,
                name);
    }
    return compared;
}
inline int compare_small_pictures(std::string_view ending, const std::vector<Decoder>& decoders = {}) {
    return compare_small_pictures(ending, decoders, [](const Image& got, const Image& want, const std::string&) {
        CHECK(worst_difference(got, want) == 0);
    });
}

/// What is wrong with a file, or "read".
inline std::string complaint(Bytes file, std::string_view where, const DecodeOptions& options = {}) {
    try {
        decode_image(file, where, options);
    } catch (const Error& error) {
        return error.what();
    }
    return "read";
}

/// Cuts a file everywhere, and expects that it is refused until `whole` bytes are there.
inline void check_cuts(std::string_view name, std::size_t from, std::size_t whole, const DecodeOptions& options = {}) {
    CAPTURE(name);
    const auto file = small_picture(name);
    for (std::size_t size = from; size < whole; ++size) {
        CAPTURE(size);
        const std::vector<unsigned char> cut(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size));
        CHECK_THROWS_AS(decode_image(cut, name, options), Error);
    }
    CHECK(complaint(Bytes(file).first(whole), name, options) == "read");
}

/// A PNG file in the making, not compressed.
class Png {
  public:
    Png(std::uint32_t width, std::uint32_t height, unsigned char depth = 8, unsigned char colour = 2)
        : bytes_{0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'} {
        std::vector<unsigned char> header;
        put(header, width);
        put(header, height);
        header.insert(header.end(), {depth, colour, 0, 0, 0});
        chunk("IHDR", header);
    }
    Png& chunk(std::string_view type, const std::vector<unsigned char>& content) {
        put(bytes_, static_cast<std::uint32_t>(content.size()));
        const std::size_t begin = bytes_.size();
        bytes_.insert(bytes_.end(), type.begin(), type.end());
        bytes_.insert(bytes_.end(), content.begin(), content.end());
        put(bytes_, detail::crc32(Bytes(bytes_).subspan(begin)));
        return *this;
    }
    /// Rows with their filters in front, as one stored block.
    Png& rows(std::initializer_list<std::vector<unsigned char>> rows) {
        std::vector<unsigned char> all;
        for (const auto& row : rows) all.insert(all.end(), row.begin(), row.end());
        const auto size = static_cast<unsigned>(all.size());
        std::vector<unsigned char> stream{0x78, 0x01, 0x01};
        for (const unsigned half : {size, ~size}) {
            stream.push_back(static_cast<unsigned char>(half));
            stream.push_back(static_cast<unsigned char>(half >> 8));
        }
        stream.insert(stream.end(), all.begin(), all.end());
        std::uint32_t sum = 1, sums = 0;  // Adler-32
        for (const unsigned char byte : all) {
            sum = (sum + byte) % 65521;
            sums = (sums + sum) % 65521;
        }
        put(stream, sums << 16 | sum);
        return chunk("IDAT", stream);
    }
    std::vector<unsigned char> file() const {
        Png whole = *this;
        return whole.chunk("IEND", {}).bytes_;
    }

  private:
    static void put(std::vector<unsigned char>& to, std::uint32_t number) {
        for (int shift = 24; shift >= 0; shift -= 8) to.push_back(static_cast<unsigned char>(number >> shift));
    }
    std::vector<unsigned char> bytes_;
};

}  // namespace tessera::test
