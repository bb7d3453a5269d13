// Pictures as the reference data has them: what the image processors of transformers make of a file that nobody else has touched.
#pragma once
#include <tessera/image/decode.hpp>
#include <tessera/image/decode_exact.hpp>

namespace tessera::test {

/// JPEG to the byte, transparency over white, not turned.
inline const DecodeOptions as_processors{
    .transparency = Transparency::white, .turn_upright = false, .decoders = {decode_exact}};

}  // namespace tessera::test
