// The register tile of the matrix product with int8 weights, as large as it gets.
// tile: microkernel
// sums: avx2 12, avx512 24
// stack: g++ avx2 1
#include <tessera/kernel/matmul/matmul.hpp>

using namespace tessera::kernel;
[[gnu::used]] constexpr auto* whole = &microkernel<strip_rows, panel_vectors, 1, float, std::int8_t>;
