// Pictures of the reference data, and how far another is from them.
#pragma once
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <tessera/checkpoint/safetensors.hpp>
#include <tessera/image/image.hpp>

namespace tessera::test {

/// A stored tensor of bytes [height, width, 3].
inline Image picture_of(const StoredTensor& stored) {
    REQUIRE(stored.shape.size() == 3);
    REQUIRE(stored.shape[2] == 3);
    Image out(stored.shape[0], stored.shape[1]);
    std::copy(stored.bytes.begin(), stored.bytes.end(), out.pixels.data());
    return out;
}

/// The largest difference of a byte; 256 if the pictures differ in size.
inline int worst_difference(const Image& got, const Image& want) {
    if (got.pixels.extents() != want.pixels.extents()) return 256;
    int worst = 0;
    for (Index i = 0; i < want.pixels.size(); ++i)
        worst = std::max(worst, std::abs(got.pixels.data()[i] - want.pixels.data()[i]));
    return worst;
}
inline int worst_difference(const Image& got, const StoredTensor& want) {
    return worst_difference(got, picture_of(want));
}

}  // namespace tessera::test
