// Cross entropy and its gradient, said as plainly as they can be.
#pragma once
#include <algorithm>
#include <cmath>
#include <limits>
#include <tessera/core/view.hpp>

namespace tessera::inline TESSERA_ISA::reference {

/// The loss of a row, −Σ q·log softmax(x), and its gradient Σq·softmax(x) − q. Where q is 0, a logit of −∞ costs nothing.
/// shape   x, q [V] → gradient [V]
inline double cross_entropy(double* gradient, const float* x, const double* q, Index size) {
    double top = -std::numeric_limits<double>::infinity(), total = 0, mass = 0, loss = 0;
    for (Index i = 0; i < size; ++i) top = std::max(top, double{x[i]});
    for (Index i = 0; i < size; ++i) total += std::exp(double{x[i]} - top), mass += q[i];
    for (Index i = 0; i < size; ++i) {
        if (q[i] != 0) loss -= q[i] * (double{x[i]} - top - std::log(total));
        gradient[i] = mass * std::exp(double{x[i]} - top) / total - q[i];
    }
    return loss;
}

}  // namespace tessera::inline TESSERA_ISA::reference
