// The scans of a JPEG file: from bits to coefficients, all at once or bit by bit.
#pragma once
#include <array>
#include <cstdint>
#include <tessera/image/jpeg/frame.hpp>
#include <tessera/image/jpeg/huffman.hpp>
#include <tessera/image/jpeg/idct.hpp>
#include <utility>
#include <vector>

namespace tessera {

/// A component of a scan with the codes that it is written in.
struct JpegScanComponent {
    JpegComponent* component = nullptr;
    const JpegHuffman* dc = nullptr;
    const JpegHuffman* ac = nullptr;
    std::uint32_t last_dc = 0;  // modulo 2³²: a broken file can add up to anything
};

/// One scan: which components, which coefficients of the zigzag order, which of their bits.
/// source  ITU T.81 §F.2, annex G
class JpegScan {
  public:
    std::vector<JpegScanComponent> components;
    int first = 0, last = 63;  // of the zigzag order
    bool refines = false;      // brings one more bit of what is there
    int shift = 0;             // the lowest bit of this scan

    /// Decodes all blocks from the byte `at` on. Returns the place of the marker behind them.
    /// errors  through `fail`, which throws
    template <class Fail>
    std::size_t decode(Bytes file, std::size_t at, const JpegFrame& frame, Index restart_interval, const Fail& fail) {
        JpegBits bits(file, at);
        const bool alone = components.size() == 1;  // then the unit is a block, otherwise an MCU
        const JpegComponent& only = *components.front().component;
        const Index unit_columns = alone ? (only.width + 7) / 8 : frame.mcu_columns();
        const Index unit_rows = alone ? (only.height + 7) / 8 : frame.mcu_rows();
        Index until_restart = restart_interval;
        int next_restart = 0;
        for (Index row = 0; row < unit_rows; ++row)
            for (Index column = 0; column < unit_columns; ++column) {
                if (restart_interval > 0 && until_restart-- == 0) {
                    const std::size_t marker = marker_end(file, bits.skip_to_marker());
                    if (marker == file.size() || file[marker] != 0xd0 + next_restart)
                        fail("expected restart marker ", next_restart, " at byte ", marker);
                    bits.restart(marker + 1);
                    for (JpegScanComponent& each : components) each.last_dc = 0;
                    blocks_to_skip_ = 0;
                    next_restart = (next_restart + 1) % 8;
                    until_restart = restart_interval - 1;
                }
                bool good = true;
                for (JpegScanComponent& each : components) {
                    const Index down = alone ? 1 : frame.most_down / each.component->down;
                    const Index across = alone ? 1 : frame.most_across / each.component->across;
                    for (Index y = row * down; y < (row + 1) * down; ++y)
                        for (Index x = column * across; x < (column + 1) * across; ++x)
                            good = good && decode_block(bits, each, y, x, frame.progressive);
                }
                if (bits.overrun()) fail("the picture data ends in row ", row, " of ", unit_rows, " rows of blocks");
                if (!good) fail("the codes are broken at row ", row, ", column ", column, " of the blocks");
            }
        return bits.skip_to_marker();
    }

    /// The place of a marker's second byte, where `at` is its first; any number of 0xff may fill the space.
    static std::size_t marker_end(Bytes file, std::size_t at) {
        while (at < file.size() && file[at] == 0xff) ++at;
        return std::min(at, file.size());
    }

  private:
    bool decode_block(JpegBits& bits, JpegScanComponent& of, Index y, Index x, bool progressive) {
        JpegComponent& component = *of.component;
        if (progressive) {
            JpegBlock& block = component.coefficients[y * component.columns + x];
            if (first == 0) return refines ? refine_dc(bits, block) : begin_dc(bits, of, block);
            return refines ? refine_ac(bits, *of.ac, block) : begin_ac(bits, *of.ac, block);
        }
        JpegBlock block{};
        const bool good = begin_dc(bits, of, block) && whole_ac(bits, *of.ac, block);
        jpeg_samples(block, component.steps, component.samples.data() + y * 8 * component.stride() + x * 8,
                     component.stride());
        return good;
    }

    /// A number of `size` bits whose highest one tells its sign.
    static int signed_bits(JpegBits& bits, int size) {
        const int value = static_cast<int>(bits.take(size));
        return size == 0 || value >> (size - 1) != 0 ? value : value - (1 << size) + 1;
    }
    static std::int16_t narrow(int value) { return static_cast<std::int16_t>(value); }

    bool begin_dc(JpegBits& bits, JpegScanComponent& of, JpegBlock& block) const {
        const int size = of.dc->decode(bits);
        if (size < 0 || size > 15) return false;
        of.last_dc += static_cast<std::uint32_t>(signed_bits(bits, size));
        block[0] = static_cast<std::int16_t>(of.last_dc << shift);
        return true;
    }
    bool refine_dc(JpegBits& bits, JpegBlock& block) const {
        if (bits.take(1) != 0) block[0] = narrow(block[0] | 1 << shift);
        return true;
    }

    static bool whole_ac(JpegBits& bits, const JpegHuffman& code, JpegBlock& block) {
        for (int k = 1; k < 64; ++k) {
            const int symbol = code.decode(bits), run = symbol >> 4, size = symbol & 15;
            if (symbol < 0) return false;
            if (size == 0 && run < 15) return true;  // the rest is zero
            k += run;
            if (k > 63) return false;
            if (size > 0) block[jpeg_zigzag[static_cast<std::size_t>(k)]] = narrow(signed_bits(bits, size));
        }
        return true;
    }
    bool begin_ac(JpegBits& bits, const JpegHuffman& code, JpegBlock& block) {
        if (blocks_to_skip_ > 0) {
            --blocks_to_skip_;
            return true;
        }
        for (int k = first; k <= last; ++k) {
            const int symbol = code.decode(bits), run = symbol >> 4, size = symbol & 15;
            if (symbol < 0) return false;
            if (size == 0 && run < 15) {  // this block is done, and so are some that follow
                blocks_to_skip_ = (1 << run) - 1 + static_cast<int>(bits.take(run));
                return true;
            }
            k += run;
            if (k > last) return false;
            if (size > 0)
                block[jpeg_zigzag[static_cast<std::size_t>(k)]] = narrow(signed_bits(bits, size) * (1 << shift));
        }
        return true;
    }
    bool refine_ac(JpegBits& bits, const JpegHuffman& code, JpegBlock& block) {
        const int plus = 1 << shift;
        const auto refine = [&](std::int16_t& value) {  // one more bit of what is not zero
            if (bits.take(1) != 0 && (value & plus) == 0) value = narrow(value > 0 ? value + plus : value - plus);
        };
        int k = first;
        if (blocks_to_skip_ == 0) {
            for (; k <= last; ++k) {
                const int symbol = code.decode(bits), size = symbol & 15;
                int run = symbol >> 4;
                if (symbol < 0 || size > 1) return false;
                if (size == 0 && run < 15) {
                    blocks_to_skip_ = (1 << run) + static_cast<int>(bits.take(run));
                    break;
                }
                const int value = size == 0 ? 0 : bits.take(1) != 0 ? plus : -plus;
                for (; k <= last; ++k) {  // the run counts zeros only
                    std::int16_t& there = block[jpeg_zigzag[static_cast<std::size_t>(k)]];
                    if (there != 0) {
                        refine(there);
                    } else if (run-- == 0) {
                        break;
                    }
                }
                if (size != 0) {
                    if (k > last) return false;
                    block[jpeg_zigzag[static_cast<std::size_t>(k)]] = narrow(value);
                }
            }
        }
        if (blocks_to_skip_ > 0) {
            for (; k <= last; ++k)
                if (std::int16_t& there = block[jpeg_zigzag[static_cast<std::size_t>(k)]]; there != 0) refine(there);
            --blocks_to_skip_;
        }
        return true;
    }

    int blocks_to_skip_ = 0;  // how many blocks have nothing (more) in this scan
};

}  // namespace tessera
