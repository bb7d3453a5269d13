// The register tile of the gradient of weights, as large as it gets.
// tile: microkernel
// sums: avx2 12, avx512 24
#include <tessera/kernel/matmul/backward.hpp>

using namespace tessera::kernel;
[[gnu::used]] constexpr auto* whole = &microkernel<strip_rows, panel_vectors, 1, PackedA, float>;
