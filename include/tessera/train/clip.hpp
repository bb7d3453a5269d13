// Gradients that are not longer than they should be.
#pragma once
#include <cmath>
#include <tessera/kernel/parallel.hpp>
#include <tessera/kernel/row/adamw.hpp>
#include <tessera/train/gradients.hpp>

namespace tessera::inline TESSERA_ISA {

/// The L2 norm of all gradients as one vector.
/// cost    reads them once; the same bits at any number of threads
inline double gradient_norm(const Gradients& gradients) {
    return std::sqrt(kernel::sum_of_squares(gradients.values().data(), std::ssize(gradients.values())));
}

/// Scales all gradients alike so that their L2 norm is at most `norm`, and returns what it was. Gradients that are not finite are left as
/// they are, which the returned norm tells.
/// errors  Errc::option_value where `norm` is not positive
/// source  Pascanu 2013; torch.nn.utils.clip_grad_norm_, whose 1e-6 is here too
inline double clip(Gradients& gradients, double norm) {
    if (!(norm > 0)) throw Error(Errc::option_value, "clip: expected a norm above 0, found ", norm);
    const double found = gradient_norm(gradients), scale = norm / (found + 1e-6);
    if (!(scale < 1) || !std::isfinite(found)) return found;
    float* const values = gradients.values().data();
    const Index count = std::ssize(gradients.values());
    kernel::parallel_ranges(
        count,
        [&](Index begin, Index end) {
            const auto factor = static_cast<float>(scale);
            for (Index i = begin; i < end; ++i) values[i] *= factor;
        },
        count);
    return found;
}

}  // namespace tessera::inline TESSERA_ISA
