// A scratch that remembers what was computed on it, and goes back through it.
#pragma once
#include <cstring>
#include <tessera/train/backward/attend.hpp>
#include <tessera/train/backward/elementwise.hpp>
#include <tessera/train/backward/linear.hpp>
#include <tessera/train/backward/norm.hpp>
#include <tessera/train/dropout.hpp>
#include <tessera/train/replay.hpp>
#include <variant>
#include <vector>

namespace tessera::inline TESSERA_ISA {

/// Activation checkpointing: what a tape computes once more on the way back, to keep less.
enum class Recompute : bool {
    nothing,
    blocks  // of a stack: only what each reads and writes is kept; the same bits, for about a third more time
};

/// Run a model on it instead of on a Scratch, then a loss, then `backward`. Only what a gradient passes through is kept: a
/// frozen part that nothing learned goes into records nothing, and its frames give their memory back.
/// ```cpp
/// Gradients gradients(stage1);
/// Tape tape(gradients);
/// AdamW adamw(gradients);
/// for (const auto& batch : batches) {
///     tape.clear();
///     gradients.clear();
///     tape.backward(stage1_losses(stage1, batch, tape).total);
///     adamw.step(gradients, 1e-4);
/// }
/// ```
/// Masks and score modifiers are copied; what they point to (offsets of a Packed, a table) and inputs must stay until `clear`.
/// errors  Errc::tape_memory where a gradient would pass through rows that were not taken from the tape
/// cost    the activations of what learns and of what lies between it and the loss; in the backward pass the gradients of
///         those that are on their way; nothing is allocated once a step of the same sizes has been seen
class Tape final : private Recorder, public Scratch {
  public:
    explicit Tape(Gradients& gradients, Recompute recompute = Recompute::nothing)
        : Scratch(static_cast<Recorder&>(*this)), leaves_(gradients), recompute_(recompute) {}
    ~Tape() override { forget_masks(); }

    /// From now on, what runs drops where its model does; call it at the beginning of each step. Passes of a step drop numbers of their
    /// own; the same step drops the same ones again, at any number of threads, and in a run that was interrupted.
    /// In a StepLoss the seed of the MicroBatch is enough.
    /// ```cpp
    /// tape.dropout({.hidden = 0.1f, .attention = 0.1f, .seed = 42, .step = step});
    /// ```
    /// errors  Errc::option_value for a rate that is not at least 0 and below 1
    void dropout(const DropoutRates& rates) { dropout_ = DropoutNumbers(rates); }

    /// Rows that shall have a gradient although no parameter made them: `gradient` finds it after `backward`.
    template <Index Width>
    void watch(ConstRows<Width> x) {
        rows_.need(x.data(), not_released);
    }
    /// The gradient by rows that were taken from the tape: there for watched ones, and in `remember`; null where none came.
    const float* gradient(const float* rows) { return rows_.at(rows); }

    /// Goes back from a loss, and adds to the gradients of all that learns.
    /// errors  Errc::option_value where the loss does not depend on anything that learns
    void backward(ConstRows<1> loss) {
        TESSERA_EXPECTS(loss.extent(0) == 1);
        const float one = 1;
        backward(loss.data(), {&one, 1});
    }
    /// Goes back from numbers on the tape, of which `seed` is the gradient of a loss.
    void backward(const float* y, std::span<const float> seed) {
        const GradientTarget target = rows_.into(y, static_cast<Index>(seed.size()));
        if (!target)
            throw Error(Errc::option_value,
                        "Tape: expected a loss that depends on parameters that learn, found one that "
                        "depends on none, or one from another scratch");
        BackwardContext::add(target, seed.data(), static_cast<Index>(seed.size()));
        for (auto i = static_cast<Index>(entries_.size()); i-- > 0;) {
            Entry& entry = entries_[static_cast<std::size_t>(i)];
            if (entry.block != open_block_) {
                enter(entry.block);
                if (in_block()) replay_block();
            }
            if (!entry.needed) continue;
            BackwardContext context{rows_, leaves_, work_};
            std::visit([&](const auto& op) { tessera::backward(op, context); }, entry.op);
            rows_.release(entry.y, i);
        }
        enter(RowGradients::no_block);
    }
    /// Forgets the pass.
    void clear() {
        forget_masks();
        entries_.clear();
        blocks_.clear();
        notes_.at = {};
        Scratch::clear();
    }

    /// Kernel calls that it remembers.
    Index records() const { return static_cast<Index>(entries_.size()); }
    /// Bytes that the pass has taken.
    Index activation_bytes() const { return rows_.bytes(); }

  private:
    static constexpr Index not_released = -1;

    struct Entry {
        std::variant<LinearOp, NormOp, AttendOp, EmbedOp, AddOp, MultiplyOp, NormalizeOp, MeanOp, DropoutOp, FunctionOp>
            op;
        const float* y;  // what it has written
        Index block;
        bool needed;
    };
    struct BlockEntries {
        Index first_entry, end_entry, first_piece;
    };

    // What layers tell it.
    bool keeps() const override { return true; }
    Kept kept() const override { return {rows_.pieces(), static_cast<Index>(entries_.size())}; }
    void took(const void* memory, Index bytes) override { rows_.took(memory, bytes); }
    void gave_back(Index pieces) override { rows_.give_back(pieces); }

    void on(const LinearOp& op) override {
        const bool learns = leaves_.learns(op.weight_leaf) || leaves_.learns(op.bias_leaf);
        keep(op, op.y, learns || rows_.needs(op.x) || (op.residual != op.y && rows_.needs(op.residual)));
    }
    void on(const NormOp& op) override {
        keep(op, op.y, leaves_.learns(op.gain_leaf) || leaves_.learns(op.bias_leaf) || rows_.needs(op.x));
    }
    void on(const AttendOp& op) override {
        const bool needed =
            leaves_.learns(op.bias.table) || rows_.needs(op.q) || rows_.needs(op.k) || rows_.needs(op.v);
        if (!needed && !in_block()) return;
        AttendOp copy = op;
        copy.mask = op.mask.copy_to(note(op.mask.size()));
        copy.score_mod = op.score_mod.copy_to(note(op.score_mod.size()));
        keep(copy, op.out, needed);
    }
    void on(const EmbedOp& op) override {
        require_no_block("a table is read");
        if (!leaves_.learns(op.table)) return;
        EmbedOp copy = op;
        if (!op.ids.empty()) {
            auto* const ids = static_cast<Token*>(note(op.ids.size_bytes()));
            std::copy(op.ids.begin(), op.ids.end(), ids);
            copy.ids = {ids, op.ids.size()};
        }
        keep(copy, op.y, true);
    }
    void on(const AddOp& op) override { keep(op, op.y, leaves_.learns(op.table) || rows_.needs(op.x)); }
    void on(const FunctionOp& op) override {
        require_no_block("a function is recorded");
        bool needed = false;
        for (const float* x : op.reads) needed = needed || rows_.needs(x);
        for (const LeafId leaf : op.leaves) needed = needed || leaves_.learns(leaf);
        if (!needed) return;
        FunctionOp copy = op;
        copy.function = std::memcpy(note(op.bytes), op.function, op.bytes);
        keep(copy, op.y, true);
    }
    void on(const MultiplyOp& op) override { keep(op, op.y, rows_.needs(op.a) || rows_.needs(op.b)); }
    void on(const NormalizeOp& op) override { keep(op, op.y, rows_.needs(op.x)); }
    void on(const MeanOp& op) override { keep(op, op.y, rows_.needs(op.x)); }
    void on(const DropoutOp& op) override { keep(op, op.y, rows_.needs(op.x)); }
    Dropout dropout_for(DropoutSite site, Index streams) override { return dropout_.next(site, streams); }

    /// Within a block that is run again every record stays, as what comes later may read what it has written.
    template <class Op>
    void keep(const Op& op, const float* y, bool needed) {
        if (!needed && !in_block()) return;
        if (needed) rows_.need(y, static_cast<Index>(entries_.size()));
        entries_.push_back({op, y, open_block_, needed});
    }
    void require_no_block(const char* what) const {
        if (in_block())
            throw Error(
                Errc::option_value,
                "Tape: expected blocks that are run again to compute from rows and weights alone, found one in which ",
                what);
    }
    bool in_block() const { return open_block_ != RowGradients::no_block; }

    // Blocks. Their temporaries lie in memory of their own, which the next block uses again.
    void begin_block() override {
        if (recompute_ == Recompute::nothing || in_block()) {
            ++nested_;
            return;
        }
        const auto now = static_cast<Index>(entries_.size());
        blocks_.push_back({now, now, rows_.pieces()});
        enter(static_cast<Index>(blocks_.size()) - 1);
        std::swap(arena_, aside_);
        arena_.at = {};
    }
    void end_block() noexcept override {
        if (nested_ > 0) {
            --nested_;
            return;
        }
        std::swap(arena_, aside_);
        enter(RowGradients::no_block);
        BlockEntries& block = blocks_.back();
        block.end_entry = static_cast<Index>(entries_.size());
        const auto first = entries_.begin() + block.first_entry;
        if (std::any_of(first, entries_.end(), [](const Entry& entry) { return entry.needed; })) return;
        rows_.give_back(block.first_piece);  // frozen: nobody comes back to it
        std::for_each(first, entries_.end(), forget_mask);
        entries_.erase(first, entries_.end());
        blocks_.pop_back();
    }
    void enter(Index block) {
        open_block_ = block;
        rows_.open(block);
    }
    /// Comes to a block from behind.
    void replay_block() {
        const BlockEntries& block = blocks_[static_cast<std::size_t>(open_block_)];
        for (Index i = block.first_entry; i < block.end_entry; ++i)
            std::visit(
                [&](const auto& op) {
                    const auto frame = work_.frame();
                    replay(op, work_);
                },
                entries_[static_cast<std::size_t>(i)].op);
    }

    void* note(std::size_t bytes) {
        constexpr Index unit{alignment};
        return notes_.take((static_cast<Index>(bytes) + unit - 1) / unit * unit);
    }
    static void forget_mask(const Entry& entry) {
        if (const auto* attend = std::get_if<AttendOp>(&entry.op)) attend->mask.destroy(), attend->score_mod.destroy();
    }
    void forget_masks() { std::for_each(entries_.begin(), entries_.end(), forget_mask); }

    Gradients& leaves_;
    Recompute recompute_;
    RowGradients rows_;
    std::vector<Entry> entries_;
    std::vector<BlockEntries> blocks_;
    Index open_block_ = RowGradients::no_block, nested_ = 0;
    DropoutNumbers dropout_;
    detail::Arena aside_;  // of the block that runs, or has run last
    detail::Arena notes_;  // copies of masks and ids
    Scratch work_;         // of the backward pass
};

}  // namespace tessera::inline TESSERA_ISA
