// The tile of the matrix product with int8 weights and rows as digits: one digit of 8 rows.
// tile: digit_tile
// sums: avx512 24
// needs: avx512vnni
#include <tessera/kernel/matmul/matmul.hpp>

using namespace tessera::kernel;
[[gnu::used]] constexpr auto* whole = &digit_tile<strip_rows, 1, 1>;
