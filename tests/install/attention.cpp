// A program that uses this library the way a stranger's project does.
#include <cstdio>
#include <tessera/core/tensor.hpp>

int main() {
    tessera::Tensor<float, tessera::dyn, 4> rows({2, 4});
    std::printf("%td values\n", rows.size());
    return rows.size() == 8 ? 0 : 1;
}
