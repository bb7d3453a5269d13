// One block of a transformer: self-attention and a feed-forward part, each with a norm and a residual connection.
#pragma once
#include <tessera/nn/attention.hpp>
#include <tessera/nn/mlp.hpp>
#include <tessera/nn/residual.hpp>

namespace tessera::inline TESSERA_ISA {

/// One block of an encoder or of a decoder, which is one whose keys come from caches. Residual is PreNorm or PostNorm.
/// shape   x [rows, Width] → y [rows, Width], which must not be x
/// errors  as Attention and Linear
/// source  Vaswani 2017 §3.1; PreNorm: Radford 2019
template <Index Width, Index Heads, Index Hidden, Activation Act = Activation::gelu,
          template <class, class> class Residual = PreNorm>
struct Block {
    using SelfAttention = Attention<Width, Heads>;

    Residual<LayerNorm<Width>, SelfAttention> attention;
    Residual<LayerNorm<Width>, Mlp<Width, Hidden, Act>> mlp;

    explicit Block(float eps = 1e-5f) : attention{{eps}}, mlp{{eps}} {}

    void into(Rows<Width> y, ConstRows<Width> x, MaskRef mask, Scratch& s, const ScoreModRef& score_mod = {}) const {
        run(y, x, s, [&](Rows<Width> to, ConstRows<Width> in, ConstRows<Width> residual) {
            attention.part.into(to, in, in, mask, s, {.score_mod = score_mod, .residual = residual});
        });
    }
    /// The same for rows that follow what caches hold, one text after another; `layer` says which of the caches' layers this
    /// block's is.
    void into(Rows<Width> y, ConstRows<Width> x, std::span<const Continuation<KeyValueCache<Width>>> texts, Index layer,
              Scratch& s) const {
        run(y, x, s, [&](Rows<Width> to, ConstRows<Width> in, ConstRows<Width> residual) {
            attention.part.into(to, in, texts, layer, s, {.residual = residual});
        });
    }

    static void visit(auto& self, auto&& f) {
        f("norm1", self.attention.norm);
        f("attention", self.attention.part);
        f("norm2", self.mlp.norm);
        f("mlp", self.mlp.part);
    }

  private:
    void run(Rows<Width> y, ConstRows<Width> x, Scratch& s, const auto& attend) const {
        const auto frame = s.frame();
        const auto attended = s.rows<Width>(x.extent(0));
        attention.into(attended, x, s, attend);
        mlp.into(y, attended, s);
    }
};

/// The rows that a stack of blocks reads and writes: two buffers in turn, or new rows for each block where a tape keeps
/// them all.
template <Index Width>
class StackRows {
  public:
    /// `first` holds what the first block reads, and is used again.
    StackRows(Rows<Width> first, Scratch& s) : scratch_(s), now_(first), other_(s.rows<Width>(first.extent(0))) {}

    /// What the last block has written.
    Rows<Width> now() const { return now_; }
    /// Calls f(y, x) to write the next rows.
    void step(const auto& f) {
        const Rows<Width> next = scratch_.keeps() ? scratch_.rows<Width>(now_.extent(0)) : other_;
        {
            const auto block = scratch_.block();
            f(next, ConstRows<Width>(now_));
        }
        other_ = now_;
        now_ = next;
    }

  private:
    Scratch& scratch_;
    Rows<Width> now_, other_;
};

}  // namespace tessera::inline TESSERA_ISA
