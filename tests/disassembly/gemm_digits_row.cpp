// The tile of the matrix product with int8 weights and one row as digits, all of them, of two panels.
// tile: digit_tile
// sums: avx512 18
// needs: avx512vnni
#include <tessera/kernel/matmul/matmul.hpp>

using namespace tessera::kernel;
[[gnu::used]] constexpr auto* row = &digit_tile<1, Digits::planes, panels_of_digits(1)>;
