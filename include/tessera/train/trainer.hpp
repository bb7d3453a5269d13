// The loop of training: losses of batches, steps of the optimiser, states on the disk, a log.
#pragma once
#include <array>
#include <chrono>
#include <cmath>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <tessera/core/random_stream.hpp>
#include <tessera/train/clip.hpp>
#include <tessera/train/log.hpp>
#include <tessera/train/schedule.hpp>
#include <tessera/train/tape.hpp>
#include <tessera/train/training_run.hpp>
#include <vector>

namespace tessera::inline TESSERA_ISA {

/// Which batch is wanted. All that is random in it depends on these numbers, and on nothing that was before: that is how a run goes on
/// to the same bits.
struct MicroBatch {
    Index step;          // from 0
    Index part;          // of the step's micro-batches, from 0
    Index number;        // step · micro_batches + part, by which a Sampler and CaptionBatches find what to read
    std::uint64_t seed;  // of negatives, dropout and whatever else is drawn
};

/// The losses of a micro-batch. `total` is a mean over it, and what is gone back from; the parts are logged under their names, which
/// must last: {"loss.itc", losses.itc}, {"itm_accuracy", 0.9f}.
struct StepLosses {
    struct Part {
        std::string_view name;
        float value = 0;

        Part() = default;
        Part(std::string_view part, float number) : name(part), value(number) {}
        Part(std::string_view part, ConstRows<1> loss) : name(part), value(loss(0, 0)) {}
    };
    static constexpr std::size_t most_parts = 12;

    ConstRows<1> total;
    std::array<Part, most_parts> parts = {};
    std::size_t count = 0;

    StepLosses(Rows<1> loss, std::initializer_list<Part> named = {}) : total(loss), count(named.size()) {
        TESSERA_EXPECTS(count <= most_parts);
        std::copy(named.begin(), named.end(), parts.begin());
    }
};

/// Computes the losses of a micro-batch on a tape, which is forgotten when the next one begins.
using StepLoss = std::function<StepLosses(const MicroBatch& batch, Tape& tape)>;

/// A step that is done.
struct StepReport {
    Index step, steps;  // done, of all
    double loss, rate, gradient_norm, seconds;
    std::span<const LogValue> values;  // these, the parts of the loss, and what was measured
};

struct TrainerOptions {
    Index steps = 0;
    std::function<double(Index step)> rate = Schedule{};  // the learning rate; a Schedule is one
    double clip = 0;          // the norm that the gradients of a step are cut to; 0: they are not
    Index micro_batches = 1;  // gradient accumulation: so many a step, one after another, their gradients averaged
    Recompute recompute = Recompute::nothing;
    Products products = Products::f32;  // of the tape; see Scratch::set_products
    std::uint64_t seed = 0;
    Index save_every = 1000;   // steps between states; the last step is saved, too
    Index log_every = 1;       // steps between lines of the log
    Index validate_every = 0;  // 0: never
    /// Numbers of the model as it is after `step` steps, for the log. Must not change it.
    std::function<std::vector<LogValue>(Index step)> validate = {};
    /// Called after each step.
    std::function<void(const StepReport&)> report = {};
    /// Asked before each step: when it says yes, the state is saved and training ends. A program sets a flag where it is interrupted.
    std::function<bool()> stop = {};

    /// The same, or what is wrong with it.
    /// errors  Errc::option_value
    const TrainerOptions& checked() const {
        const auto at_least = [](const char* what, Index found, Index least) {
            if (found < least)
                throw Error(Errc::option_value, "TrainerOptions: ", what, ": expected ", least, " or more, found ",
                            found);
        };
        at_least("steps", steps, 0);
        at_least("micro_batches", micro_batches, 1);
        at_least("save_every", save_every, 1);
        at_least("log_every", log_every, 1);
        at_least("validate_every", validate_every, 0);
        if (!(clip >= 0)) throw Error(Errc::option_value, "TrainerOptions: clip: expected 0 or more, found ", clip);
        if (!rate) throw Error(Errc::option_value, "TrainerOptions: rate: expected a learning rate, found none");
        return *this;
    }
};

/// How far training has come.
struct TrainingEnd {
    Index step;
    bool finished;  // or else it was stopped
};

namespace detail {

/// Where the loop keeps what it does; without a run nowhere.
struct TrainingPlace {
    Index first_step = 0;
    std::optional<TrainingLog> log = {};
    std::function<void(Index step)> save = {};
    std::function<std::string()> last_good = {};
};

class TrainingLoop {
  public:
    TrainingLoop(Gradients& gradients, AdamW& adamw, const TrainerOptions& options, const StepLoss& loss,
                 TrainingPlace place)
        : gradients_(gradients),
          adamw_(adamw),
          options_(options.checked()),
          loss_(loss),
          place_(std::move(place)),
          tape_(gradients, options.recompute) {
        tape_.set_products(options.products);
    }

    TrainingEnd run() {
        Index step = place_.first_step, saved = step;
        const auto save = [&] {
            if (place_.save && step > saved) {
                expect_finite_weights(step - 1);  // what is saved can be gone on with
                place_.save(step);
            }
            saved = step;
        };
        while (step < options_.steps) {
            if (options_.stop && options_.stop()) {
                save();
                return {step, false};
            }
            take(step++);
            if (step % options_.save_every == 0) save();
        }
        save();
        return {step, true};
    }

  private:
    using Clock = std::chrono::steady_clock;
    static constexpr std::uint64_t use = 0x747261696e;  // "train"

    void take(Index step) {
        const auto begin = Clock::now();
        gradients_.clear();
        const double loss = go_back(step);
        const double norm = options_.clip > 0 ? clip(gradients_, options_.clip) : gradient_norm(gradients_);
        if (!std::isfinite(norm)) fail(step, culprit(), norm);
        const double rate = options_.rate(step);
        if (!(rate >= 0 && std::isfinite(rate))) fail(step, "rate", rate);
        adamw_.step(gradients_, rate);
        const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();

        values_.clear();
        values_.insert(values_.end(), {{"loss", loss}, {"rate", rate}, {"gradient_norm", norm}, {"seconds", seconds}});
        for (std::size_t i = 0; i < parts_; ++i) values_.emplace_back(names_[i], sums_[i]);
        const Index done = step + 1;
        const bool validates = options_.validate && options_.validate_every > 0 && done % options_.validate_every == 0;
        if (validates)
            for (const LogValue& value : options_.validate(done)) values_.push_back(value);
        if (place_.log && (validates || done % options_.log_every == 0 || done == options_.steps))
            place_.log->append(done, values_);
        if (options_.report) options_.report({done, options_.steps, loss, rate, norm, seconds, values_});
    }

    /// Adds the gradients of all micro-batches, and returns the mean of their losses.
    double go_back(Index step) {
        const Index count = options_.micro_batches;
        const float share = 1 / static_cast<float>(count);
        double total = 0;
        sums_ = {};
        for (Index part = 0; part < count; ++part) {
            const Index number = step * count + part;
            tape_.clear();
            const StepLosses losses =
                loss_({step, part, number, RandomStream(options_.seed, use, number).bits()}, tape_);
            parts_ = losses.count;
            for (std::size_t i = 0; i < parts_; ++i) {
                const auto& [name, value] = losses.parts[i];
                if (!std::isfinite(value)) fail(step, name, double{value});
                names_[i] = name;
                sums_[i] += double{value} / static_cast<double>(count);
            }
            const float loss = losses.total(0, 0);
            if (!std::isfinite(loss)) fail(step, "loss", double{loss});
            total += double{loss} / static_cast<double>(count);
            tape_.backward(losses.total.data(), {&share, 1});
        }
        return total;
    }

    [[noreturn]] void fail(Index step, std::string_view what, double found) const {
        throw Error(Errc::training_value, "step ", step + 1, ": ", what, ": expected a finite number, found ", found,
                    place_.last_good ? "; " + place_.last_good() : std::string());
    }
    void expect_finite_weights(Index step) const {
        std::vector<float> row;
        for (const LearningLeaf& leaf : gradients_.leaves()) {
            row.resize(static_cast<std::size_t>(leaf.leaf.columns()));
            for (Index i = 0; i < leaf.leaf.rows(); ++i) {
                leaf.leaf.read(i, row.data());
                const double squares = kernel::sum_of_squares(row.data(), leaf.leaf.columns());
                if (!std::isfinite(squares)) fail(step, "weights of " + in_quotes(leaf.path), squares);
            }
        }
    }
    /// The first parameter whose gradient has no finite length.
    std::string culprit() const {
        for (const LearningLeaf& leaf : gradients_.leaves()) {
            const float* const values = gradients_.values().data() + leaf.first;
            if (!std::isfinite(kernel::sum_of_squares(values, leaf.size())))
                return "gradient of " + in_quotes(leaf.path);
        }
        return "gradient_norm";
    }

    Gradients& gradients_;
    AdamW& adamw_;
    const TrainerOptions& options_;
    const StepLoss& loss_;
    TrainingPlace place_;
    Tape tape_;
    std::array<std::string_view, StepLosses::most_parts> names_{};
    std::array<double, StepLosses::most_parts> sums_{};
    std::size_t parts_ = 0;
    std::vector<LogValue> values_;
};

}  // namespace detail

/// Trains what `gradients` are of, without a trace on the disk.
/// ```cpp
/// train(gradients, adamw, {.steps = 500, .rate = Schedule{.peak = 1e-3, .warmup_steps = 50, .steps = 500}},
///       [&](const MicroBatch& at, Tape& tape) -> StepLosses { return stage1_losses(stage1, batches[at.number], tape).total; });
/// ```
/// errors  Errc::option_value; Errc::training_value where a loss, or a gradient, is NaN or infinite: the step is not taken;
///         where a weight is: it is not saved
/// cost    nothing is allocated after the first step of the largest size, beside what `loss` allocates
inline TrainingEnd train(Gradients& gradients, AdamW& adamw, const TrainerOptions& options, const StepLoss& loss) {
    return detail::TrainingLoop(gradients, adamw, options, loss, {}).run();
}

/// Trains `model` from the last state of `run`, or from what it is where there is none yet. Whenever the program ends and however, the
/// same call with the resumed run goes on, and what it makes has the same bits as if nothing had happened. Steps are logged in log.jsonl
/// of the run's folder: `loss`, its parts, `rate`, `gradient_norm`, `seconds`.
/// ```cpp
/// const TrainingRun run = resume ? TrainingRun::resume("run", settings) : TrainingRun::begin("run", settings);
/// train(model, gradients, adamw, run, {.steps = 100000, .clip = 1}, loss);
/// ```
/// errors  those of train without a run, with the last good state; those of TrainingRun and TrainingLog
template <class Model>
TrainingEnd train(Model& model, Gradients& gradients, AdamW& adamw, const TrainingRun& run,
                  const TrainerOptions& options, const StepLoss& loss) {
    options.checked();
    const RunProgress start = run.load(model, gradients, adamw).value_or(RunProgress{});
    detail::TrainingPlace place{
        .first_step = start.step,
        .log = std::optional<TrainingLog>(std::in_place, run.folder() / "log.jsonl", start.step),
        .save = [&](Index step) { run.save({.step = step}, model, gradients, adamw); },
        .last_good = [&] { return run.last_good(); }};
    return detail::TrainingLoop(gradients, adamw, options, loss, std::move(place)).run();
}

}  // namespace tessera::inline TESSERA_ISA
