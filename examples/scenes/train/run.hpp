// What all stages of training have in common: each step draws its batch from its number alone.
#pragma once
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <tessera/nn/randomize.hpp>
#include <tessera/train/adamw.hpp>
#include <tessera/train/loss/cross_entropy.hpp>
#include <tessera/train/trainer.hpp>
#include <vector>

#include "../draw.hpp"

namespace scenes {

struct StageOptions {
    const char* name;
    Index steps;
    double rate;
    Index warmup = 100, report = 100;
    double decay = 0.05, clip = 1;
    std::uint64_t seed = 1;
};

/// What a step says of itself: the mean of each number since the last report.
class Report {
  public:
    void add(std::string_view what, double value) {
        for (Entry& entry : entries_)
            if (entry.what == what) {
                entry.sum += value, ++entry.count;
                return;
            }
        entries_.push_back({what, value, 1});
    }
    void print(const StageOptions& stage, Index step, double rate, double seconds, double processor) {
        std::printf("%s %lld  rate %.2e", stage.name, static_cast<long long>(step), rate);
        for (Entry& entry : entries_) {
            std::printf("  %.*s %.4f", static_cast<int>(entry.what.size()), entry.what.data(),
                        entry.sum / static_cast<double>(entry.count));
            entry.sum = 0, entry.count = 0;
        }
        std::printf("  %.0f s, of processors %.0f s\n", seconds, processor);
        std::fflush(stdout);
    }

  private:
    struct Entry {
        std::string_view what;
        double sum;
        Index count;
    };
    std::vector<Entry> entries_;
};

/// The loss of each step.
using Losses = std::vector<float>;

/// Trains what `learns` of `model`. `step(random, tape, report)` is the loss of a batch, on the tape.
/// errors  those of tessera::train
template <class Model>
Losses train(Model& model, const tessera::Gradients::Learns& learns, const StageOptions& stage, const auto& step) {
    tessera::Gradients gradients(model, learns);
    tessera::AdamW adamw(gradients, {.decay = stage.decay});
    Report report;
    Losses losses;
    const auto start = std::chrono::steady_clock::now();
    const std::clock_t processor_start = std::clock();
    tessera::TrainerOptions options;
    options.steps = stage.steps;
    options.clip = stage.clip;
    options.rate = tessera::Schedule{.peak = stage.rate,
                                     .floor = stage.rate * 0.02,
                                     .start = stage.rate * 0.01,
                                     .warmup_steps = std::min(stage.warmup, stage.steps / 2),
                                     .steps = stage.steps};
    options.report = [&](const tessera::StepReport& now) {
        losses.push_back(static_cast<float>(now.loss));
        report.add("loss", now.loss);
        report.add("norm", now.gradient_norm);
        if (now.step % stage.report == 0 || now.step == now.steps)
            report.print(stage, now.step, now.rate,
                         std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(),
                         static_cast<double>(std::clock() - processor_start) / CLOCKS_PER_SEC);
    };
    tessera::train(gradients, adamw, options,
                   [&](const tessera::MicroBatch& at, tessera::Tape& tape) -> tessera::StepLosses {
                       Random random(stage.seed, static_cast<std::uint64_t>(at.step));
                       return step(random, tape, report);
                   });
    return losses;
}

/// Sets the parameters of `to` that `from` has too, by their paths. Returns how many numbers those are.
template <class From, class To>
Index copy_parameters(const From& from, To& to, const std::string& below_from = {}, const std::string& below_to = {}) {
    Index count = 0;
    const auto sources = tessera::leaves_of(from);
    for (const auto& [path, leaf] : tessera::leaves_of(to)) {
        if (!path.starts_with(below_to)) continue;
        const std::string wanted = below_from + path.substr(below_to.size());
        for (const auto& [name, source] : sources) {
            if (name != wanted) continue;
            if (source.rows() != leaf.rows() || source.columns() != leaf.columns()) break;
            tessera::copy_leaf(leaf, source);
            count += leaf.rows() * leaf.columns();
            break;
        }
    }
    return count;
}

/// Multiplies the parameters whose paths end so.
template <class Model>
void scale_parameters(Model& model, std::string_view ending, float factor) {
    for (const auto& [path, leaf] : tessera::leaves_of(model)) {
        if (!path.ends_with(ending)) continue;
        std::vector<float> row(static_cast<std::size_t>(leaf.columns()));
        for (Index i = 0; i < leaf.rows(); ++i) {
            leaf.read(i, row.data());
            for (float& x : row) x *= factor;
            leaf.write(i, row.data(), 1);
        }
    }
}

}  // namespace scenes
