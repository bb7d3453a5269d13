#include <doctest/doctest.h>

#include <tessera/core/tensor.hpp>
#include <tessera/model/vit/positions.hpp>

namespace model_vit_positions {
using namespace tessera;

TEST_CASE("the same grid gives the same positions") {
    Tensor<float, dyn, 3> table({6, 3}), out({6, 3});
    for (Index i = 0; i < table.size(); ++i) table.data()[i] = static_cast<float>(i * i % 17);
    interpolate_positions<3>(out, {2, 3}, table, {2, 3});
    for (Index i = 0; i < table.size(); ++i) CHECK(out.data()[i] == table.data()[i]);
}

// torch.nn.functional.interpolate(torch.tensor([[[[0., 1.], [4., 9.]]]]), size=(3, 4), mode="bicubic",
// align_corners=False)
TEST_CASE("another grid gives what torch gives") {
    Tensor<float, dyn, 1> table({4, 1}, {0, 1, 4, 9}), out({12, 1});
    interpolate_positions<1>(out, {3, 4}, table, {2, 2});
    const float want[] = {-0.41606998f, -0.19932735f, 0.15766056f, 0.37440324f, 1.6835938f, 2.6796875f,
                          4.3203125f,   5.3164062f,   3.783257f,   5.5587015f,  8.4829636f, 10.258408f};
    for (std::size_t i = 0; i < 12; ++i) CHECK(out.data()[i] == doctest::Approx(want[i]).epsilon(1e-6));
}

}  // namespace model_vit_positions
