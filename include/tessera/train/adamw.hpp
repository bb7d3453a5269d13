// AdamW: Adam with weight decay apart from the gradient.
#pragma once
#include <algorithm>
#include <cmath>
#include <functional>
#include <span>
#include <tessera/core/printable.hpp>
#include <tessera/kernel/parallel.hpp>
#include <tessera/kernel/row/adamw.hpp>
#include <tessera/train/decay.hpp>
#include <tessera/train/gradients.hpp>
#include <vector>

namespace tessera::inline TESSERA_ISA {

/// The defaults are those of the paper; LAVIS has beta2 = 0.999.
struct AdamWOptions {
    double beta1 = 0.9, beta2 = 0.98;
    double eps = 1e-8;
    double decay = 0.05;  // of the parameters that `decay_of` is true for
    std::function<bool(const LearningLeaf&)> decay_of = Decay::paper();
};

/// Moves the parameters of a Gradients against their gradients. The moments are two arrays beside its values.
/// ```cpp
/// AdamW optimizer(gradients, {.beta2 = 0.999, .decay_of = Decay::lavis()});
/// optimizer.step(gradients, 1e-4);
/// ```
/// errors  Errc::option_value for options out of range, and for weights that learn and are not kept as f32: steps are smaller than
///         what 16 bits can tell apart
/// cost    8 bytes a number that learns, and for each thread 16 rows; a step reads and writes all of it once and allocates nothing
///         after the first one. The same bits at any number of threads
/// source  Loshchilov 2019, algorithm 2; torch.optim.AdamW
class AdamW {
  public:
    explicit AdamW(const Gradients& gradients, const AdamWOptions& options = {})
        : options_(options), exp_avg_(std::ssize(gradients.values())), exp_avg_sq_(std::ssize(gradients.values())) {
        const auto require = [](const char* what, double value, double lowest, double below) {
            if (!(value >= lowest && value < below))
                throw Error(Errc::option_value, "AdamW: ", what, ": expected at least ", lowest, " and less than ",
                            below, ", found ", value);
        };
        require("beta1", options.beta1, 0, 1);
        require("beta2", options.beta2, 0, 1);
        require("eps", options.eps, 0, 1);
        require("decay", options.decay, 0, 1e6);
        for (const LearningLeaf& parameter : gradients.leaves()) {
            const LeafRef& leaf = parameter.leaf;
            if (leaf.bytes() != leaf.bytes_as(DType::f32))
                throw Error(
                    Errc::option_value, "AdamW: ", in_quotes(parameter.path), ": expected F32 for what learns, found ",
                    leaf.matrix_dtype() ? name(*leaf.matrix_dtype()) : "fewer bits", "; load it as F32, or freeze it");
            const double decay = options.decay_of(parameter) ? options.decay : 0.0;
            for (Index row = 0; row < leaf.rows(); row += rows_of_block)
                blocks_.push_back({leaf, row, std::min(rows_of_block, leaf.rows() - row),
                                   parameter.first + row * leaf.columns(), decay});
            buffer_size_ = std::max(buffer_size_, std::min(rows_at_once, leaf.rows()) * leaf.columns());
        }
        std::fill_n(exp_avg_.data(), exp_avg_.size(), 0.0f);
        std::fill_n(exp_avg_sq_.data(), exp_avg_sq_.size(), 0.0f);
    }

    /// One step at that learning rate, along gradient_scale · gradient: 1 / n for the sum of n batches.
    void step(const Gradients& gradients, double rate, double gradient_scale = 1) {
        TESSERA_EXPECTS(std::ssize(gradients.values()) == exp_avg_.size());
        ++steps_;
        const auto count = static_cast<double>(steps_);
        const double correction1 = 1 - std::pow(options_.beta1, count),
                     correction2 = 1 - std::pow(options_.beta2, count);
        while (std::ssize(buffers_) < kernel::threads()) buffers_.emplace_back(buffer_size_);
        kernel::parallel_for_workers(
            std::ssize(blocks_),
            [&](Index task, Index worker) {
                const Block& block = blocks_[static_cast<std::size_t>(task)];
                float* const rows = buffers_[static_cast<std::size_t>(worker)].data();
                const Index columns = block.leaf.columns();
                const kernel::AdamWNumbers numbers{.rate = rate,
                                                   .beta1 = options_.beta1,
                                                   .beta2 = options_.beta2,
                                                   .eps = options_.eps,
                                                   .decay = block.decay,
                                                   .correction1 = correction1,
                                                   .correction2 = correction2,
                                                   .gradient_scale = gradient_scale};
                for (Index done = 0; done < block.rows; done += rows_at_once) {
                    const Index count_of_rows = std::min(rows_at_once, block.rows - done);
                    const Index first = block.first + done * columns;
                    for (Index row = 0; row < count_of_rows; ++row)
                        block.leaf.read(block.row + done + row, rows + row * columns);
                    kernel::adamw(rows, exp_avg_.data() + first, exp_avg_sq_.data() + first,
                                  gradients.values().data() + first, count_of_rows * columns, numbers);
                    block.leaf.write(block.row + done, rows, count_of_rows);
                }
            },
            flops_of_number * exp_avg_.size());
    }

    /// How many steps there have been: bias correction depends on it.
    Index steps() const { return steps_; }
    void set_steps(Index steps) { steps_ = steps; }
    /// The running means of the gradient and of its square, in the order of Gradients::values().
    std::span<float> exp_avg() { return {exp_avg_.data(), static_cast<std::size_t>(exp_avg_.size())}; }
    std::span<float> exp_avg_sq() { return {exp_avg_sq_.data(), static_cast<std::size_t>(exp_avg_sq_.size())}; }
    std::span<const float> exp_avg() const { return {exp_avg_.data(), static_cast<std::size_t>(exp_avg_.size())}; }
    std::span<const float> exp_avg_sq() const {
        return {exp_avg_sq_.data(), static_cast<std::size_t>(exp_avg_sq_.size())};
    }

  private:
    static constexpr Index rows_of_block = 48;  // a multiple of every panel's width: threads write apart
    static constexpr Index rows_at_once = 16;   // whole vectors of a panel, in the cache
    static constexpr Index flops_of_number = 32;

    struct Block {
        LeafRef leaf;
        Index row, rows;
        Index first;  // in the arrays
        double decay;
    };

    AdamWOptions options_;
    std::vector<Block> blocks_;
    Buffer<float> exp_avg_, exp_avg_sq_;
    std::vector<Buffer<float>> buffers_;  // of threads
    Index buffer_size_ = 0, steps_ = 0;
};

}  // namespace tessera::inline TESSERA_ISA
