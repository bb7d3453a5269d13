// The register tile of the gradient of weights, as large as it gets.
// tile: multiply_tile
// sums: avx2 12, avx512 24
#include <tessera/kernel/matmul/backward.hpp>

using namespace tessera::kernel;
[[gnu::used]] constexpr auto* whole = &multiply_tile<strip_rows, Panels::vectors, 1, Turned, float>;
