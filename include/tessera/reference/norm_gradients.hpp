// The gradients of the two norms, said as plainly as they can be.
#pragma once
#include <cmath>
#include <tessera/core/view.hpp>

namespace tessera::inline TESSERA_ISA::reference {

/// With x̂ = (x − mean)·rstd and g = dy·gain: dx = rstd·(g − mean g − x̂·mean(g·x̂)), d_gain += Σ dy·x̂, d_bias += Σ dy. RMS norm,
/// `centred` false, has no mean of x and none of g.
/// shape   dy, x [T, D], gain [D] → dx [T, D], d_gain, d_bias [D]
/// source  Ba et al. 2016; Zhang and Sennrich 2019
inline void norm_gradients(View<double, dyn, dyn> dx, double* d_gain, double* d_bias, View<const float, dyn, dyn> dy,
                           View<const float, dyn, dyn> x, const float* gain, double eps, bool centred) {
    const Index width = x.extent(1);
    const auto count = static_cast<double>(width);
    for (Index r = 0; r < x.extent(0); ++r) {
        double mean = 0, variance = 0;
        for (Index c = 0; c < width && centred; ++c) mean += double{x(r, c)} / count;
        for (Index c = 0; c < width; ++c) variance += (double{x(r, c)} - mean) * (double{x(r, c)} - mean) / count;
        const double rstd = 1 / std::sqrt(variance + eps);
        const auto normed = [&](Index c) { return (double{x(r, c)} - mean) * rstd; };
        const auto g = [&](Index c) { return double{dy(r, c)} * double{gain[c]}; };
        double mean_g = 0, mean_gx = 0;
        for (Index c = 0; c < width; ++c) {
            if (centred) mean_g += g(c) / count;
            mean_gx += g(c) * normed(c) / count;
            d_gain[c] += double{dy(r, c)} * normed(c);
            d_bias[c] += double{dy(r, c)};
        }
        for (Index c = 0; c < width; ++c) dx(r, c) = rstd * (g(c) - mean_g - normed(c) * mean_gx);
    }
}

}  // namespace tessera::inline TESSERA_ISA::reference
