// What the attentions of a model look at: a recorder that hands out their probabilities.
#pragma once
#include <functional>
#include <tessera/core/scratch.hpp>
#include <tessera/kernel/attention/forward.hpp>
#include <tessera/kernel/attention/probabilities.hpp>
#include <tessera/nn/record.hpp>

namespace tessera::inline TESSERA_ISA {

/// Calls `listen(op, p)` after each attention of what runs on its Scratch, in the order of the model's layers.
/// ```cpp
/// AttentionProbabilities probabilities([](const AttendOp& op, View<const float, dyn, dyn, dyn> p) {
///     std::cout << op.shape.heads << " heads, the first query sees the first key with " << p(0, 0, 0) << '\n';
/// });
/// Scratch s(probabilities);
/// ```
/// shape   p [H, T, S], valid during the call
/// units   a row sums to 1, or is 0 where the query sees nothing
/// cost    as much as the attention itself, and H·T·S floats
class AttentionProbabilities : public Recorder {
  public:
    using Listener = std::function<void(const AttendOp& op, View<const float, dyn, dyn, dyn> p)>;

    explicit AttentionProbabilities(Listener listen) : listen_(std::move(listen)) {}

    using Recorder::on;
    void on(const AttendOp& op) override {
        const auto frame = memory_.frame();
        const kernel::AttentionShape& shape = op.shape;
        const float* lse = op.lse;
        if (lse == nullptr) {  // nobody keeps it, so it is made once more
            float* const again = memory_.take<float>(shape.heads * shape.queries);
            float* const out = memory_.take<float>(shape.queries * shape.out_stride);
            kernel::attend(out, op.q, op.k, op.v, shape, op.mask, memory_, op.score_mod, again);
            lse = again;
        }
        float* const p = memory_.take<float>(shape.heads * shape.queries * shape.keys);
        for (Index head = 0; head < shape.heads; ++head)
            kernel::attention_probabilities(p + head * shape.queries * shape.keys, op.q, op.k, head, lse, shape,
                                            op.mask, memory_, op.score_mod);
        listen_(op, {p, {shape.heads, shape.queries, shape.keys}});
    }

  private:
    Listener listen_;
    Scratch memory_;
};

}  // namespace tessera::inline TESSERA_ISA
