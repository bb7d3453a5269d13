// One step of AdamW for one number, said as plainly as it can be.
#pragma once
#include <cmath>
#include <tessera/core/compiler.hpp>

namespace tessera::inline TESSERA_ISA::reference {

struct AdamW {
    double rate, beta1, beta2, eps, decay;
};

/// Step number `step`, from 1, of a weight w with its moments m and v, after the gradient g.
/// source  Loshchilov and Hutter 2019, algorithm 2, with the learning rate as the schedule's multiplier
inline void adamw(double& w, double& m, double& v, double g, int step, const AdamW& n) {
    w -= n.rate * n.decay * w;
    m = n.beta1 * m + (1 - n.beta1) * g;
    v = n.beta2 * v + (1 - n.beta2) * g * g;
    const double m_unbiased = m / (1 - std::pow(n.beta1, step)), v_unbiased = v / (1 - std::pow(n.beta2, step));
    w -= n.rate * m_unbiased / (std::sqrt(v_unbiased) + n.eps);
}

}  // namespace tessera::inline TESSERA_ISA::reference
