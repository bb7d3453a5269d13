// A view knows its shape in its type: what is known while compiling is checked while compiling.
#include <cstdio>
#include <tessera/core/tensor.hpp>

using namespace tessera;

// Takes any number of rows of three floats, and nothing else.
float largest_sum(ConstRows<3> rows) {
    float largest = 0;
    for (Index i = 0; i < rows.extent(0); ++i) {
        float sum = 0;
        for (const float x : rows.slice(i, 1)) sum += x;
        largest = sum > largest ? sum : largest;
    }
    return largest;
}

int main() {
    Tensor<float, dyn, 3> t({4, 3});  // four rows, aligned, zeros
    for (Index i = 0; i < t.extent(0); ++i)
        for (Index j = 0; j < 3; ++j) t(i, j) = static_cast<float>(i * j);

    float mine[] = {1, 2, 3, 4, 5, 6};
    const Rows<3> two(mine, {2, 3});  // a view of memory that was there before

    std::printf("%g %g\n", static_cast<double>(largest_sum(t)), static_cast<double>(largest_sum(two)));
    std::printf("%td x %td, rows 1 and 2: %g … %g\n", t.extent(0), t.extent(1),
                static_cast<double>(t.view().slice(1, 2)(0, 0)), static_cast<double>(t.view().slice(1, 2)(1, 2)));
    // largest_sum(Tensor<float, dyn, 4>({1, 4})) does not compile: a View of 4 columns is no View of 3.
}
