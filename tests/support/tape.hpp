// A tape as small as it can be: it keeps the records of a forward pass and goes back through them, number by number. It shows
// that the records are complete, not how to be fast.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <map>
#include <memory>
#include <tessera/core/scratch.hpp>
#include <tessera/kernel/attention/backward.hpp>
#include <tessera/nn/record.hpp>
#include <unordered_map>
#include <variant>
#include <vector>

namespace tessera::test {

class Tape : public Recorder {
  public:
    Scratch scratch{*this};

    bool keeps() const override { return true; }
    void on(const LinearOp& op) override { ops_.emplace_back(op); }
    void on(const NormOp& op) override { ops_.emplace_back(op); }
    void on(const EmbedOp& op) override { ops_.emplace_back(op); }
    void on(const AddOp& op) override { ops_.emplace_back(op); }
    void on(const MultiplyOp& op) override { ops_.emplace_back(op); }
    void on(const AttendOp& op) override {
        AttendOp kept = op;
        kept.mask = op.mask.copy_to(memory(op.mask.size(), op.mask.align()));
        kept.score_mod = op.score_mod.copy_to(memory(op.score_mod.size(), op.score_mod.align()));
        ops_.emplace_back(kept);
    }
    ~Tape() override {
        for (const auto& op : ops_)
            if (const auto* attend = std::get_if<AttendOp>(&op)) attend->mask.destroy(), attend->score_mod.destroy();
    }

    /// The gradient of a loss by any number that was computed or read.
    double& gradient(const float* number) { return numbers_[number]; }
    /// The gradient by a parameter, row by row; numbers that nothing came back to are 0.
    double gradient(LeafId leaf, Index at) const {
        const auto found = leaves_.find({leaf, at});
        return found == leaves_.end() ? 0.0 : found->second;
    }
    std::size_t size() const { return ops_.size(); }

    /// Goes back from what `gradient` was set to for the outputs.
    void backward() {
        for (auto op = ops_.rbegin(); op != ops_.rend(); ++op) std::visit([&](const auto& o) { back(o); }, *op);
    }

  private:
    void* memory(std::size_t size, std::size_t align) {
        copies_.push_back(std::make_unique<std::byte[]>(size + align));
        void* at = copies_.back().get();
        std::size_t room = size + align;
        return std::align(align, size, at, room);
    }

    static double slope(Activation what, double x) {
        const double h = 1e-4;
        const auto value = [what](double z) -> double {
            switch (what) {
                case Activation::none:
                    return z;
                case Activation::relu:
                    return std::max(z, 0.0);
                case Activation::gelu:
                    return 0.5 * z * (1 + std::erf(z / std::sqrt(2.0)));
                case Activation::gelu_tanh:
                    return 0.5 * z * (1 + std::tanh(std::sqrt(2 / 3.14159265358979) * (z + 0.044715 * z * z * z)));
                case Activation::quick_gelu:
                    return z / (1 + std::exp(-1.702 * z));
            }
            return z;
        };
        return (value(x + h) - value(x - h)) / (2 * h);
    }

    void back(const LinearOp& op) {
        std::vector<float> weights(static_cast<std::size_t>(op.in));
        for (Index r = 0; r < op.rows; ++r)
            for (Index o = 0; o < op.out; ++o) {
                double d = numbers_[op.y + r * op.y_stride + o];
                if (op.residual != nullptr) numbers_[op.residual + r * op.y_stride + o] += d;
                if (op.lse != nullptr && op.lse[r] == -std::numeric_limits<float>::infinity()) continue;
                if (op.activation != Activation::none)
                    d *= slope(op.activation, double{op.preactivation[r * op.out + o]});
                op.weight->read(o, weights.data());
                for (Index i = 0; i < op.in; ++i) {
                    numbers_[op.x + r * op.x_stride + i] += d * double{weights[static_cast<std::size_t>(i)]};
                    const Index at = op.transposed ? (op.first_row + i) * op.out + o : (op.first_row + o) * op.in + i;
                    leaves_[{op.weight_leaf, at}] += d * double{op.x[r * op.x_stride + i]};
                }
                if (op.bias_leaf != nullptr) leaves_[{op.bias_leaf, op.first_row + o}] += d;
            }
    }

    void back(const NormOp& op) {
        const auto width = static_cast<double>(op.width);
        for (Index r = 0; r < op.rows; ++r) {
            const double mean = op.kind == NormKind::layer ? double{op.mean[r]} : 0, rstd = double{op.rstd[r]};
            double sum = 0, dot = 0;
            const auto normed = [&](Index i) { return (double{op.x[r * op.width + i]} - mean) * rstd; };
            const auto d = [&](Index i) { return numbers_[op.y + r * op.width + i]; };
            for (Index i = 0; i < op.width; ++i) {
                leaves_[{op.gain_leaf, i}] += d(i) * normed(i);
                if (op.bias_leaf != nullptr) leaves_[{op.bias_leaf, i}] += d(i);
                sum += d(i) * double{op.gain[i]};
                dot += d(i) * double{op.gain[i]} * normed(i);
            }
            for (Index i = 0; i < op.width; ++i) {
                const double centre = op.kind == NormKind::layer ? sum / width : 0;
                const double back = rstd * (d(i) * double{op.gain[i]} - centre - normed(i) * dot / width);
                numbers_[op.x + r * op.width + i] += back;
            }
        }
    }

    void back(const AttendOp& op) {
        const kernel::AttentionShape& s = op.shape;
        const auto gathered = [&](const float* from, Index rows, Index stride) {
            std::vector<float> all(static_cast<std::size_t>(rows * stride));
            for (Index i = 0; i < rows * stride; ++i) {
                const auto found = numbers_.find(from + i);
                if (found != numbers_.end()) all[static_cast<std::size_t>(i)] = static_cast<float>(found->second);
            }
            return all;
        };
        const auto spread = [&](const std::vector<float>& d, const float* to) {
            for (std::size_t i = 0; i < d.size(); ++i) numbers_[to + i] += double{d[i]};
        };
        const auto d_out = gathered(op.out, s.queries, s.out_stride);
        std::vector<float> dq(static_cast<std::size_t>(s.queries * s.q_stride)),
            dk(static_cast<std::size_t>(s.keys * s.k_stride)), dv(static_cast<std::size_t>(s.keys * s.v_stride));
        Scratch own;
        kernel::attend_backward({.dq = dq.data(),
                                 .dk = dk.data(),
                                 .dv = dv.data(),
                                 .d_out = d_out.data(),
                                 .out = op.out,
                                 .lse = op.lse,
                                 .q = op.q,
                                 .k = op.k,
                                 .v = op.v},
                                s, op.mask, own, op.score_mod);
        spread(dq, op.q), spread(dk, op.k), spread(dv, op.v);
    }

    void back(const EmbedOp& op) {
        for (Index r = 0; r < op.rows; ++r)
            for (Index i = 0; i < op.width; ++i) {
                const Index row = op.ids.empty() ? op.first_row + r : Index{op.ids[static_cast<std::size_t>(r)]};
                leaves_[{op.table, row * op.width + i}] += numbers_[op.y + r * op.width + i];
            }
    }

    void back(const AddOp& op) {
        for (Index i = 0; i < op.rows * op.width; ++i) {
            const double d = numbers_[op.y + i];
            if (op.x != op.y) numbers_[op.x + i] += d;
            if (op.table != nullptr) leaves_[{op.table, op.first_row * op.width + i}] += d;
        }
    }

    void back(const MultiplyOp& op) {
        for (Index i = 0; i < op.count; ++i) {
            const double d = numbers_[op.y + i];
            numbers_[op.a + i] += d * double{op.b[i]};
            numbers_[op.b + i] += d * double{op.a[i]};
        }
    }

    std::vector<std::variant<LinearOp, NormOp, AttendOp, EmbedOp, AddOp, MultiplyOp>> ops_;
    std::vector<std::unique_ptr<std::byte[]>> copies_;
    std::unordered_map<const float*, double> numbers_;
    std::map<std::pair<LeafId, Index>, double> leaves_;
};

}  // namespace tessera::test
