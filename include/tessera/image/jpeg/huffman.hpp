// The bits of a JPEG scan and the Huffman codes in them.
#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <tessera/image/bytes.hpp>

namespace tessera {

/// Reads the entropy-coded bytes of a JPEG file bit by bit, highest first. Behind the last one, where a marker stands or
/// the file ends, it gives zeros, and `overrun()` tells that some of them were used.
/// source  ITU T.81 §F.2.2.5
class JpegBits {
  public:
    JpegBits(Bytes file, std::size_t at) : file_(file), at_(at) {}

    /// The next `count` bits, at most 16, without using them up.
    std::uint32_t peek(int count) {
        if (held_ < 16) fill();
        return static_cast<std::uint32_t>(buffer_ >> (64 - count));
    }
    /// Uses up bits that were peeked at.
    void drop(int count) {
        buffer_ <<= count;
        held_ -= count;
    }
    std::uint32_t take(int count) {
        if (count == 0) return 0;
        const std::uint32_t bits = peek(count);
        drop(count);
        return bits;
    }
    bool overrun() const { return held_ < made_up_; }

    /// Leaves out what is left before the next marker. Returns the place of its 0xff, or the end of the file.
    std::size_t skip_to_marker() {
        while (at_ < file_.size() && !at_marker()) ++at_;
        return at_;
    }
    /// Goes on behind a marker.
    void restart(std::size_t at) { *this = JpegBits(file_, at); }

  private:
    bool at_marker() const { return file_[at_] == 0xff && (at_ + 1 == file_.size() || file_[at_ + 1] != 0); }
    void fill() {
        for (; held_ <= 56; held_ += 8) {
            if (at_ >= file_.size() || at_marker()) {
                made_up_ += 8;
                continue;
            }
            buffer_ |= std::uint64_t{file_[at_]} << (56 - held_);
            at_ += file_[at_] == 0xff ? 2 : 1;  // a zero is stuffed behind each 0xff
        }
    }

    Bytes file_;
    std::size_t at_;
    std::uint64_t buffer_ = 0;  // the next bit is the highest
    int held_ = 0;              // bits in the buffer
    int made_up_ = 0;           // how many of the bits so far were not in the file
};

/// A Huffman code of up to 256 symbols.
/// source  ITU T.81 annex C, §F.2.2.3
class JpegHuffman {
  public:
    JpegHuffman() = default;

    /// Builds the code with `counts[i]` symbols of length i + 1. False if no code is like that.
    bool build(Bytes counts, Bytes symbols) {
        TESSERA_EXPECTS(counts.size() == 16 && symbols.size() <= symbols_.size());
        std::copy(symbols.begin(), symbols.end(), symbols_.begin());
        short_ = {};
        std::uint32_t code = 0, symbol = 0;
        for (std::uint32_t length = 1; length <= 16; ++length, code <<= 1) {
            first_[length] = symbol - code;
            for (std::uint32_t i = 0; i < counts[length - 1]; ++i, ++code, ++symbol) {
                if (code + 1 >= 1u << length) return false;  // too many, or all bits are ones, which T.81 forbids
                if (length <= short_bits)
                    std::fill_n(short_.begin() + (code << (short_bits - length)), 1u << (short_bits - length),
                                Short{static_cast<std::uint8_t>(length), symbols_[symbol]});
            }
            end_[length] = code << (16 - length);
        }
        defined_ = true;
        return true;
    }
    bool defined() const { return defined_; }

    /// The next symbol; −1 where the bits are no code.
    int decode(JpegBits& bits) const {
        const std::uint32_t next = bits.peek(16);
        if (const Short found = short_[next >> (16 - short_bits)]; found.length != 0) {
            bits.drop(found.length);
            return found.symbol;
        }
        for (std::uint32_t length = short_bits + 1; length <= 16; ++length)
            if (next < end_[length]) {
                bits.drop(static_cast<int>(length));
                return symbols_[((next >> (16 - length)) + first_[length]) & 0xff];
            }
        return -1;
    }

  private:
    static constexpr int short_bits = 9;
    struct Short {
        std::uint8_t length = 0, symbol = 0;
    };
    std::array<Short, 1 << short_bits> short_{};  // by the next bits, for codes that are not longer
    std::array<std::uint32_t, 17> end_{};         // the first 16 bits that are behind all codes of a length
    std::array<std::uint32_t, 17> first_{};       // what leads from a code of a length to its symbol, modulo 2³²
    std::array<std::uint8_t, 256> symbols_{};
    bool defined_ = false;
};

}  // namespace tessera
