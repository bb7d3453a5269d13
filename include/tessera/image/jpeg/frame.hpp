// What a JPEG file says about its picture before the first scan: size, components and how they are sampled.
#pragma once
#include <array>
#include <cstdint>
#include <tessera/core/tensor.hpp>
#include <vector>

namespace tessera {

/// The 64 numbers of a block, [8, 8]; `jpeg_zigzag[i]` is where the i-th in the file belongs.
using JpegBlock = std::array<std::int16_t, 64>;
inline constexpr std::array<std::uint8_t, 64> jpeg_zigzag{
    0,  1,  8,  16, 9,  2,  3,  10, 17, 24, 32, 25, 18, 11, 4,  5,  12, 19, 26, 33, 40, 48,
    41, 34, 27, 20, 13, 6,  7,  14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23,
    30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63};

struct JpegComponent {
    int id = 0;
    Index across = 1, down = 1;   // samples for as many of the component that has most
    Index width = 0, height = 0;  // samples that belong to the picture
    Index columns = 0, rows = 0;  // blocks that are stored, whole MCUs
    int quantisation = 0;         // number of its table; the table itself is taken when the first scan begins
    std::array<std::uint16_t, 64> steps{};
    bool begun = false;

    Buffer<unsigned char> samples;   // [8·rows, 8·columns]
    Buffer<JpegBlock> coefficients;  // [rows, columns]; progressive files only

    Index stride() const { return 8 * columns; }
};

struct JpegFrame {
    Index width = 0, height = 0;
    bool progressive = false;
    Index most_across = 1, most_down = 1;  // of all components
    std::vector<JpegComponent> components;

    Index mcu_columns() const { return (width + 8 * most_across - 1) / (8 * most_across); }
    Index mcu_rows() const { return (height + 8 * most_down - 1) / (8 * most_down); }
    Index blocks() const {
        Index count = 0;
        for (const JpegComponent& component : components) count += component.rows * component.columns;
        return count;
    }
};

}  // namespace tessera
