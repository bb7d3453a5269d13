#include <doctest/doctest.h>

#include <cstdint>
#include <tessera/core/tensor.hpp>

namespace core_tensor {
using namespace tessera;

TEST_CASE("a tensor is aligned, starts as zeros, and copies deeply") {
    Tensor<float, dyn, 5> a({3, 5});
    CHECK(reinterpret_cast<std::uintptr_t>(a.data()) % alignment == 0);
    CHECK(a.size() == 15);
    for (const float x : a.view()) CHECK(x == 0);
    a(2, 4) = 7;
    const auto b = a;
    a(2, 4) = 8;
    CHECK(b(2, 4) == 7);
    const auto c = std::move(a);
    CHECK(c(2, 4) == 8);
    Tensor<float, dyn, 5> d({1, 5});
    d = b;
    CHECK(d.extent(0) == 3);
    CHECK(d(2, 4) == 7);
}

TEST_CASE("a tensor without elements holds no memory") {
    const Tensor<float, dyn, 5> a({0, 5});
    CHECK(a.size() == 0);
    CHECK(a.data() == nullptr);
    const Tensor<float, dyn> b;
    CHECK(b.size() == 0);
    CHECK(Tensor<float, 2, 2>().size() == 4);
}

}  // namespace core_tensor
