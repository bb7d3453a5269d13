// Learning rates that change in the course of training.
#pragma once
#include <algorithm>
#include <cmath>
#include <numbers>
#include <tessera/core/error.hpp>
#include <tessera/core/view.hpp>

namespace tessera::inline TESSERA_ISA {

namespace detail {
/// errors  Errc::option_value unless start and floor are at most the peak, which is a learning rate
inline void require_rates(const char* schedule, double peak, double floor, double start) {
    const auto fail = [&](const auto&... parts) { throw Error(Errc::option_value, schedule, ": ", parts...); };
    if (!(peak >= 0 && peak < 1e6)) fail("peak: expected a learning rate of 0 or more, found ", peak);
    if (!(floor >= 0 && floor <= peak)) fail("floor: expected 0 to the peak of ", peak, ", found ", floor);
    if (!(start >= 0 && start <= peak)) fail("start: expected 0 to the peak of ", peak, ", found ", start);
}
}  // namespace detail

/// How a learning rate falls after the warm-up.
enum class Anneal { none, linear, cosine, step };

/// The learning rate of each step, in the paper's form: a linear warm-up, then from the peak to the floor by steps.
/// units   steps from 0; in the warm-up start + (peak − start) · step / warmup_steps. After that, p being how far the rest is:
///         linear  floor + (peak − floor) · (1 − p)
///         cosine  floor + (peak − floor) · (1 + cos πp) / 2
///         step    max(floor, peak · factor^⌊(step − warmup_steps) / every⌋)
///         From `steps` on it stays where it is: at the floor for linear and cosine
/// source  BLIP-2 §3.4: cosine, peak 1e-4, 2000 steps of warm-up, at least 5e-5 in stage 2
struct Schedule {
    Anneal anneal = Anneal::cosine;
    double peak = 1e-4, floor = 0, start = 0;
    Index warmup_steps = 2000, steps = 250000;
    double factor = 0.1;  // of Anneal::step, every so many steps
    Index every = 30000;

    /// The same, or what is wrong with it.
    /// errors  Errc::option_value
    Schedule checked() const {
        const auto require = [](bool right, const auto&... parts) {
            if (!right) throw Error(Errc::option_value, "Schedule: ", parts...);
        };
        detail::require_rates("Schedule", peak, floor, start);
        require(warmup_steps >= 0 && warmup_steps <= steps, "warmup_steps: expected 0 to ", steps,
                ", the steps there are, found ", warmup_steps);
        require(anneal != Anneal::step || (factor > 0 && factor <= 1), "factor: expected above 0 and at most 1, found ",
                factor);
        require(anneal != Anneal::step || every > 0, "every: expected 1 or more steps, found ", every);
        return *this;
    }

    double operator()(Index step) const { return rate(step); }
    double rate(Index step) const {
        if (step < warmup_steps)
            return start + (peak - start) * static_cast<double>(step) / static_cast<double>(warmup_steps);
        const auto after = static_cast<double>(std::min(step, steps) - warmup_steps);
        const double part = after / static_cast<double>(std::max(steps - warmup_steps, Index{1}));
        switch (anneal) {
            case Anneal::none:
                break;
            case Anneal::linear:
                return floor + (peak - floor) * (1 - part);
            case Anneal::cosine:
                return floor + (peak - floor) * 0.5 * (1 + std::cos(std::numbers::pi * part));
            case Anneal::step:
                return std::max(floor, peak * std::pow(factor, std::floor(after / static_cast<double>(every))));
        }
        return peak;
    }
};

/// The learning rate of each step, in LAVIS's form: the warm-up counts steps, but only inside epoch 0; from epoch 1 on the rate is one
/// value for the whole of an epoch. A warm-up that is longer than the epoch breaks off; the floor is never reached by a cosine.
/// units   epochs and steps of an epoch from 0; start < 0: at the peak
/// source  LAVIS, common/optims.py: linear_warmup_cosine_lr, linear_warmup_step_lr
struct LavisSchedule {
    Anneal anneal = Anneal::cosine;  // or step
    double peak = 1e-4, floor = 1e-5, start = 1e-6;
    Index warmup_steps = 5000, epochs = 10;
    double factor = 1;  // of Anneal::step, every epoch

    /// errors  Errc::option_value
    LavisSchedule checked() const {
        const auto require = [](bool right, const auto&... parts) {
            if (!right) throw Error(Errc::option_value, "LavisSchedule: ", parts...);
        };
        require(anneal == Anneal::cosine || anneal == Anneal::step, "expected Anneal::cosine or Anneal::step");
        detail::require_rates("LavisSchedule", peak, floor, start < 0 ? peak : start);
        require(epochs >= 1, "epochs: expected 1 or more, found ", epochs);
        require(warmup_steps >= 0, "warmup_steps: expected 0 or more, found ", warmup_steps);
        require(factor > 0 && factor <= 1, "factor: expected above 0 and at most 1, found ", factor);
        return *this;
    }

    double rate(Index epoch, Index step) const {
        const auto e = static_cast<double>(epoch);
        if (epoch == 0) {
            const double from = start < 0 ? peak : start;
            const auto warmup = static_cast<double>(std::max(warmup_steps, Index{1}));
            return std::min(peak, from + (peak - from) * static_cast<double>(step) / warmup);
        }
        if (anneal == Anneal::step) return std::max(floor, peak * std::pow(factor, e));
        return (peak - floor) * 0.5 * (1 + std::cos(std::numbers::pi * e / static_cast<double>(epochs))) + floor;
    }
};

}  // namespace tessera::inline TESSERA_ISA
