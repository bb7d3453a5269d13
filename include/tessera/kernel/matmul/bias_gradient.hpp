// The gradient of a linear layer's bias: the sums of columns.
#pragma once
#include <algorithm>
#include <tessera/kernel/parallel.hpp>
#include <tessera/kernel/simd/vec.hpp>

namespace tessera::inline TESSERA_ISA::kernel {

/// db[n] += Σ_r dy[r, n], in the order of the rows.
/// shape   dy [rows, N], stride in elements
/// errors  none; the same bits at any number of threads
/// cost    dy is read once
inline void bias_gradient(float* db, const float* dy, Index dy_stride, Index rows, Index out) noexcept {
    constexpr Index wide = 8 * width;  // columns that go together: so many chains of sums, and so much of each row
    parallel_ranges(
        (out + wide - 1) / wide,
        [&](Index begin, Index end) {
            for (Index block = begin; block < end; ++block) {
                const Index first = block * wide, count = std::min(wide, out - first);
                if (count == wide) {
                    Vec sum[8];
                    unroll<8>([&](auto v) { sum[v] = broadcast(0.0f); });
                    for (Index r = 0; r < rows; ++r)
                        unroll<8>([&](auto v) { sum[v] += load(dy + r * dy_stride + first + v * width); });
                    unroll<8>([&](auto v) { store(db + first + v * width, load(db + first + v * width) + sum[v]); });
                } else {
                    for_each_vec(count, [&](Index i, Index lanes) {
                        Vec sum = broadcast(0.0f);
                        for (Index r = 0; r < rows; ++r) sum += load(dy + r * dy_stride + first + i, lanes);
                        store(db + first + i, load(db + first + i, lanes) + sum, lanes);
                    });
                }
            }
        },
        4 * rows * out);
}

}  // namespace tessera::inline TESSERA_ISA::kernel
