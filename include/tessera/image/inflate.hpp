// Decompression of zlib streams, for PNG.
#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <span>
#include <tessera/image/bytes.hpp>

namespace tessera {

/// The bits of a deflate stream, lowest first. Behind its end there are zeros, and `overrun()` tells that some were used.
class DeflateBits {
  public:
    explicit DeflateBits(Bytes from) : from_(from) {}

    /// At least 48 bits, without using them up.
    std::uint64_t peek() {
        while (held_ < 48) {
            buffer_ |= std::uint64_t{at_ < from_.size() ? from_[at_] : std::uint8_t{0}} << held_;
            ++at_;
            held_ += 8;
        }
        return buffer_;
    }
    void drop(int count) {
        buffer_ >>= count;
        held_ -= count;
    }
    std::uint32_t take(int count) {
        const auto bits = static_cast<std::uint32_t>(peek() & ((std::uint64_t{1} << count) - 1));
        drop(count);
        return bits;
    }
    bool overrun() const { return at_ > from_.size() && at_ - from_.size() > static_cast<std::size_t>(held_) / 8; }

    /// `count` whole bytes from the next byte boundary on; none where there are not so many.
    Bytes take_bytes(std::size_t count) {
        at_ -= static_cast<std::size_t>(held_) / 8;
        held_ = 0;
        buffer_ = 0;
        if (at_ > from_.size() || count > from_.size() - at_) return {};
        at_ += count;
        return from_.subspan(at_ - count, count);
    }

  private:
    Bytes from_;
    std::size_t at_ = 0;
    std::uint64_t buffer_ = 0;
    int held_ = 0;
};

/// A Huffman code of deflate, given by the length of each symbol's code; 0 means that there is none.
/// source  RFC 1951 §3.2.2
class DeflateCode {
  public:
    /// False if more codes are claimed than there can be.
    bool build(std::span<const std::uint8_t> lengths) {
        counts_ = {};
        short_ = {};
        for (const std::uint8_t length : lengths) ++counts_[length];
        counts_[0] = 0;
        std::array<std::uint32_t, 17> code{}, symbol{};
        for (std::size_t length = 1; length <= 15; ++length) {
            if (code[length] + counts_[length] > 1u << length) return false;
            code[length + 1] = (code[length] + counts_[length]) << 1;
            symbol[length + 1] = symbol[length] + counts_[length];
        }
        for (std::size_t i = 0; i < lengths.size(); ++i) {
            const std::uint32_t length = lengths[i];
            if (length == 0) continue;
            symbols_[symbol[length]++] = static_cast<std::uint16_t>(i);
            const std::uint32_t reversed = reverse(code[length]++, length);
            if (length > short_bits) continue;
            for (std::uint32_t next = reversed; next < short_.size(); next += 1u << length)
                short_[next] = static_cast<std::uint16_t>(i << 4 | length);
        }
        return true;
    }

    /// The next symbol; −1 where the bits are no code.
    int decode(DeflateBits& bits) const {
        const std::uint64_t next = bits.peek();
        if (const std::uint32_t found = short_[next % short_.size()]; found != 0) {
            bits.drop(static_cast<int>(found & 15));
            return static_cast<int>(found >> 4);
        }
        // Codes of one length are consecutive numbers, first bit highest.
        std::uint32_t code = 0, first = 0, index = 0;
        for (std::size_t length = 1; length <= 15; ++length) {
            code = code << 1 | static_cast<std::uint32_t>(next >> (length - 1) & 1);
            first <<= 1;
            if (code - first < counts_[length]) {
                bits.drop(static_cast<int>(length));
                return symbols_[index + code - first];
            }
            index += counts_[length];
            first += counts_[length];
        }
        return -1;
    }

  private:
    static constexpr std::uint32_t short_bits = 10;
    static std::uint32_t reverse(std::uint32_t code, std::uint32_t length) {
        std::uint32_t out = 0;
        for (std::uint32_t i = 0; i < length; ++i) out = out << 1 | (code >> i & 1);
        return out;
    }
    std::array<std::uint16_t, 1 << short_bits> short_{};  // by the next bits: symbol and length of codes that are short
    std::array<std::uint32_t, 16> counts_{};              // by length
    std::array<std::uint16_t, 288> symbols_{};            // in the order of their codes
};

/// The two codes of a block of deflate: for bytes and lengths, and for how far back a copy begins.
struct DeflateCodes {
    DeflateCode literals, backward;

    /// The codes that every block may use without spelling them out.
    void fix() {
        std::array<std::uint8_t, 288 + 32> lengths{};
        std::fill_n(lengths.begin(), 144, std::uint8_t{8});
        std::fill_n(lengths.begin() + 144, 112, std::uint8_t{9});
        std::fill_n(lengths.begin() + 256, 24, std::uint8_t{7});
        std::fill_n(lengths.begin() + 280, 8, std::uint8_t{8});
        std::fill_n(lengths.begin() + 288, 32, std::uint8_t{5});
        literals.build(std::span(lengths).first(288));
        backward.build(std::span(lengths).subspan(288));
    }

    /// The codes at the head of a block, which are themselves coded. False if they are broken.
    bool read(DeflateBits& bits) {
        constexpr std::array<std::uint8_t, 19> order{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
        const std::size_t literal_count = bits.take(5) + 257, distance_count = bits.take(5) + 1;
        const std::size_t order_count = bits.take(4) + 4, count = literal_count + distance_count;
        std::array<std::uint8_t, 19> lengths_of_lengths{};
        for (std::size_t i = 0; i < order_count; ++i)
            lengths_of_lengths[order[i]] = static_cast<std::uint8_t>(bits.take(3));
        DeflateCode of_lengths;
        if (literal_count > 286 || !of_lengths.build(lengths_of_lengths)) return false;
        std::array<std::uint8_t, 286 + 32> lengths{};
        for (std::size_t i = 0; i < count;) {
            const int symbol = of_lengths.decode(bits);
            if (symbol < 0 || (symbol == 16 && i == 0)) return false;
            if (symbol < 16) {
                lengths[i++] = static_cast<std::uint8_t>(symbol);
                continue;
            }
            const std::uint8_t value = symbol == 16 ? lengths[i - 1] : std::uint8_t{0};
            const std::size_t times = symbol == 16   ? 3 + bits.take(2)
                                      : symbol == 17 ? 3 + bits.take(3)
                                                     : 11 + bits.take(7);
            if (times > count - i) return false;
            std::fill_n(lengths.begin() + static_cast<Index>(i), times, value);
            i += times;
        }
        return literals.build(std::span(lengths).first(literal_count)) &&
               backward.build(std::span(lengths).subspan(literal_count, distance_count));
    }

    /// One block of coded bytes to `to`, which is filled up to `at`. False if it is broken.
    bool unpack(DeflateBits& bits, std::span<unsigned char> to, std::size_t& at) const {
        constexpr std::array<std::uint16_t, 29> lengths{3,  4,  5,  6,  7,  8,  9,  10, 11,  13,  15,  17,  19,  23, 27,
                                                        31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258};
        constexpr std::array<std::uint16_t, 30> distances{
            1,   2,   3,   4,   5,   7,    9,    13,   17,   25,   33,   49,   65,    97,    129,
            193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577};
        while (at < to.size()) {
            const int symbol = literals.decode(bits);
            if (symbol < 0 || bits.overrun()) return false;
            if (symbol < 256) {
                to[at++] = static_cast<unsigned char>(symbol);
                continue;
            }
            if (symbol == 256) return true;
            const auto step = static_cast<std::size_t>(symbol - 257);
            if (step >= lengths.size()) return false;
            const std::size_t length = lengths[step] + bits.take(step < 8 || step == 28 ? 0 : int(step / 4) - 1);
            const int far = backward.decode(bits);
            if (far < 0 || far >= static_cast<int>(distances.size())) return false;
            const std::size_t distance = distances[std::size_t(far)] + bits.take(far < 4 ? 0 : far / 2 - 1);
            if (distance > at || bits.overrun()) return false;
            const std::size_t end = at + std::min(length, to.size() - at);
            if (distance >= length) {
                std::memcpy(&to[at], &to[at - distance], end - at);
                at = end;
            }
            for (; at < end; ++at) to[at] = to[at - distance];  // what is copied may be what was just written
        }
        return true;
    }
};

/// Decompresses the zlib stream `from` into `to`, and stops where `to` is full. Returns how many bytes it wrote; −1 where
/// the stream is broken or ends before its time. The checksum at the end is not looked at.
/// cost    10 KB of tables on the stack; nothing is allocated
/// source  RFC 1950, RFC 1951
inline Index inflate(Bytes from, std::span<unsigned char> to) {
    constexpr Index broken = -1;
    if (from.size() < 2 || big16(from, 0) % 31 != 0 || (from[0] & 15) != 8 || (from[1] & 32) != 0) return broken;
    DeflateBits bits(from.subspan(2));
    DeflateCodes codes;
    std::size_t at = 0;
    for (bool last = false; !last && at < to.size();) {
        last = bits.take(1) != 0;
        const std::uint32_t kind = bits.take(2);
        if (bits.overrun()) return broken;
        if (kind == 0) {
            const Bytes header = bits.take_bytes(4);
            if (header.empty() || little16(header, 0) != (little16(header, 2) ^ 0xffff)) return broken;
            const std::size_t size = little16(header, 0);
            const Bytes stored = bits.take_bytes(size);
            if (stored.size() != size) return broken;
            const std::size_t fits = std::min(size, to.size() - at);
            std::copy_n(stored.begin(), fits, to.begin() + static_cast<Index>(at));
            at += fits;
            continue;
        }
        if (kind == 1) codes.fix();
        if (kind == 3 || (kind == 2 && !codes.read(bits)) || !codes.unpack(bits, to, at)) return broken;
    }
    return static_cast<Index>(at);
}

}  // namespace tessera
