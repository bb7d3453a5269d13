// Dropout whose choices are a function of a seed and a number's place: nothing is stored, whatever the threads and the pieces,
// and the backward pass makes the same choices again.
#pragma once
#include <tessera/core/dropout.hpp>
#include <tessera/kernel/compiled.hpp>
#include <tessera/kernel/row/dropout_choice.hpp>
#include <tessera/kernel/row/rows.hpp>

namespace tessera::inline TESSERA_ISA::kernel {

/// y[i] = x[i] / (1 − p) where number first + i of the seed is kept, else 0: each with probability 1 − p, p to 2⁻³². Applied to
/// dy it is the backward pass.
/// shape   count numbers; y may be x; `residual` is added last, where there is one, and may be y where x is not
/// units   0 ≤ p ≤ 1; a NaN that is dropped is 0
/// errors  none; the same bits at any number of threads and on every instruction set
/// cost    about 20 instructions a vector: as fast as memory
/// source  Srivastava 2014
TESSERA_KERNEL void dropout(float* y, const float* x, Index count, const Dropout& how,
                            const float* residual = nullptr) noexcept;

#if TESSERA_KERNEL_BODIES
TESSERA_KERNEL void dropout(float* y, const float* x, Index count, const Dropout& how, const float* residual) noexcept {
    for_each_piece(count, 16, [=](Index begin, Index numbers) {
        const Hashes lane = lane_numbers();
        while (numbers > 0) {
            const std::uint64_t number = how.first + static_cast<std::uint64_t>(begin);
            const auto low = static_cast<std::uint32_t>(number);
            // Up to where the lower half begins again.
            const auto run = static_cast<Index>(
                std::min<std::uint64_t>(static_cast<std::uint64_t>(numbers), (std::uint64_t{1} << 32) - low));
            const DropoutChoice choice(how, number);
            for_each_vec(run, [&](Index i, Index n) {
                const Vec left = choice(load(x + begin + i, n), lane + (low + static_cast<std::uint32_t>(i)));
                store(y + begin + i, residual == nullptr ? left : load(residual + begin + i, n) + left, n);
            });
            begin += run, numbers -= run;
        }
    });
}
#endif

}  // namespace tessera::inline TESSERA_ISA::kernel
