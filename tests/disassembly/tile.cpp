// The register tile of attention and its gradients, as large as it gets.
// tile: tiles<
// sums: avx2 12, avx512 24
#include <tessera/kernel/matmul/small_gemm.hpp>

using namespace tessera::kernel;
[[gnu::used]] constexpr auto* whole = &tiles<tile_rows<2>, 2, false>;
