#include <doctest/doctest.h>

#include <cmath>
#include <tessera/kernel/row/mean.hpp>
#include <vector>

namespace kernel_row_mean {
using namespace tessera;

namespace {

TEST_CASE("means of groups of rows, and what they give back, are the plain ones to the bit, on any threads") {
    const int usual = kernel::threads();
    for (const int threads : {1, 2})
        for (const Index size : {0, 1, 2, 7, 33, 257, 768, 1408})
            for (const Index per_group : {1, 3, 32})
                for (const Index groups : {0, 1, 40}) {
                    kernel::set_threads(threads);
                    std::vector<float> x(std::size_t(groups * per_group * size)), y(std::size_t(groups * size), -7.0f);
                    for (std::size_t i = 0; i < x.size(); ++i) x[i] = std::sin(static_cast<float>(i));
                    std::vector<float> dx(x.size(), -7.0f), added(x.size(), 2.0f);
                    kernel::mean_rows(y.data(), x.data(), groups, per_group, size);
                    kernel::mean_rows_backward(dx.data(), false, y.data(), groups, per_group, size);
                    kernel::mean_rows_backward(added.data(), true, y.data(), groups, per_group, size);
                    bool same = true;
                    for (Index group = 0; group < groups; ++group)
                        for (Index c = 0; c < size; ++c) {
                            float sum = 0;
                            for (Index r = 0; r < per_group; ++r)
                                sum += x[std::size_t((group * per_group + r) * size + c)];
                            const float mean = sum / static_cast<float>(per_group);
                            const float each = mean / static_cast<float>(per_group);
                            same = same && y[std::size_t(group * size + c)] == mean;
                            for (Index r = 0; r < per_group; ++r) {
                                const auto at = std::size_t((group * per_group + r) * size + c);
                                same = same && dx[at] == each && added[at] == each + 2;
                            }
                        }
                    CAPTURE(threads);
                    CAPTURE(size);
                    CAPTURE(per_group);
                    CAPTURE(groups);
                    CHECK(same);
                }
    kernel::set_threads(usual);
}

}  // namespace

}  // namespace kernel_row_mean
