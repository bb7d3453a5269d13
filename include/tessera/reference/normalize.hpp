// Rows made as long as 1, and what that gives back, said as plainly as they can be.
#pragma once
#include <cmath>
#include <tessera/core/view.hpp>

namespace tessera::inline TESSERA_ISA::reference {

/// y = x / max(‖x‖, 1e-12), row by row, and dx = (dy − y·(y·dy)) / ‖x‖, or dy / 1e-12 for shorter rows.
/// shape   x, dy [T, D] → y, dx [T, D]
/// source  torch.nn.functional.normalize
inline void normalize_rows(View<double, dyn, dyn> y, View<double, dyn, dyn> dx, View<const float, dyn, dyn> x,
                           View<const float, dyn, dyn> dy) {
    for (Index r = 0; r < x.extent(0); ++r) {
        double square = 0, along = 0;
        for (Index c = 0; c < x.extent(1); ++c) square += double{x(r, c)} * double{x(r, c)};
        const double norm = std::sqrt(square);
        const bool constant = norm < 1e-12;
        const double length = constant ? 1e-12 : norm;
        for (Index c = 0; c < x.extent(1); ++c) {
            y(r, c) = double{x(r, c)} / length;
            if (!constant) along += y(r, c) * double{dy(r, c)};
        }
        for (Index c = 0; c < x.extent(1); ++c) dx(r, c) = (double{dy(r, c)} - y(r, c) * along) / length;
    }
}

}  // namespace tessera::inline TESSERA_ISA::reference
