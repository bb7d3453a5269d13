// A view of the wrong width is refused by the compiler, which names the width it found and the width it wants.
// error g++: no match for call.*View<float, -1, 1408>
// error g++: candidate.*Rows<1024>
// error clang: no known conversion from .*1408.* to .*1024
#include <tessera/core/tensor.hpp>

struct Layer {
    void operator()(tessera::Rows<1024>) const {}
};

int main() {
    tessera::Tensor<float, tessera::dyn, 1024> right({2, 1024});
    Layer{}(right.view());
#ifdef TESSERA_FAULT
    tessera::Tensor<float, tessera::dyn, 1408> wrong({2, 1408});
    Layer{}(wrong.view());
#endif
}
