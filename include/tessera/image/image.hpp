// A picture in memory.
#pragma once
#include <tessera/core/tensor.hpp>
#include <utility>

namespace tessera::inline TESSERA_ISA {

/// Bytes of red, green and blue, row by row from the top; copies deeply.
/// shape   pixels [height, width, 3]
struct Image {
    Tensor<unsigned char, dyn, dyn, 3> pixels;

    Image() = default;
    /// Black.
    Image(Index height, Index width) : pixels({height, width, 3}) {}

    Index height() const { return pixels.extent(0); }
    Index width() const { return pixels.extent(1); }
    unsigned char* row(Index y) { return pixels.data() + y * width() * 3; }
    const unsigned char* row(Index y) const { return pixels.data() + y * width() * 3; }
};

}  // namespace tessera::inline TESSERA_ISA
