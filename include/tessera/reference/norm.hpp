// The two norms of transformers, said as plainly as they can be.
#pragma once
#include <cmath>
#include <tessera/core/view.hpp>

namespace tessera::inline TESSERA_ISA::reference {

/// y = (x − mean) / √(variance + eps) · gain + bias, row by row.
/// shape   x [T, D], gain, bias [D] → y [T, D]; y may be x
/// source  Ba et al. 2016; the variance is that of the row, divided by D
inline void layer_norm(View<float, dyn, dyn> y, View<const float, dyn, dyn> x, const float* gain, const float* bias,
                       double eps) {
    const Index width = x.extent(1);
    for (Index r = 0; r < x.extent(0); ++r) {
        double mean = 0, variance = 0;
        for (Index c = 0; c < width; ++c) mean += double{x(r, c)} / static_cast<double>(width);
        for (Index c = 0; c < width; ++c)
            variance += (double{x(r, c)} - mean) * (double{x(r, c)} - mean) / static_cast<double>(width);
        const double scale = 1 / std::sqrt(variance + eps);
        for (Index c = 0; c < width; ++c)
            y(r, c) = static_cast<float>((double{x(r, c)} - mean) * scale * double{gain[c]} + double{bias[c]});
    }
}

/// y = x / √(mean of x² + eps) · gain, row by row: what T5 calls a layer norm.
/// shape   x [T, D], gain [D] → y [T, D]; y may be x
/// source  Zhang and Sennrich 2019
inline void rms_norm(View<float, dyn, dyn> y, View<const float, dyn, dyn> x, const float* gain, double eps) {
    const Index width = x.extent(1);
    for (Index r = 0; r < x.extent(0); ++r) {
        double square = 0;
        for (Index c = 0; c < width; ++c) square += double{x(r, c)} * double{x(r, c)} / static_cast<double>(width);
        const double scale = 1 / std::sqrt(square + eps);
        for (Index c = 0; c < width; ++c) y(r, c) = static_cast<float>(double{x(r, c)} * scale * double{gain[c]});
    }
}

}  // namespace tessera::inline TESSERA_ISA::reference
