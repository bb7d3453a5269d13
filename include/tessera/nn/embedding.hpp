// Rows of a table, one per token.
#pragma once
#include <span>
#include <tessera/core/scratch.hpp>
#include <tessera/core/token.hpp>
#include <tessera/core/visit.hpp>
#include <tessera/kernel/matmul/matmul.hpp>
#include <tessera/nn/weight.hpp>

namespace tessera::inline TESSERA_ISA {

/// A table of word embeddings, which may serve as output layer too.
/// shape   ids [T] → [T, Width]; logits: x [T, Width] → [T, Vocabulary]
/// errors  Errc::token_id for an id outside the vocabulary; Errc::weight_unset
template <Index Vocabulary, Index Width>
struct Embedding {
    Weight<Vocabulary, Width> weight;

    void into(Rows<Width> y, std::span<const Token> ids, Scratch& s) const {
        require_weight();
        for (std::size_t t = 0; t < ids.size(); ++t) {
            if (ids[t] < 0 || ids[t] >= Vocabulary)
                throw Error(Errc::token_id, "token ", t, ": expected an id below ", Vocabulary, ", found ", ids[t]);
            weight.read(ids[t], y.data() + static_cast<Index>(t) * Width);
        }
        s.record(EmbedCall{this, y.data(), y.extent(0), Width});
    }
    Rows<Width> operator()(std::span<const Token> ids, Scratch& s) const {
        auto y = s.rows<Width>(static_cast<Index>(ids.size()));
        into(y, ids, s);
        return y;
    }
    /// The scores of every word: the table as an output layer.
    Rows<Vocabulary> logits(ConstRows<Width> x, Scratch& s) const {
        require_weight();
        auto y = s.rows<Vocabulary>(x.extent(0));
        kernel::gemm(y.data(), Vocabulary, x.data(), Width, x.extent(0), weight.panels(), {});
        s.record(LinearCall{this, y.data(), x.data(), nullptr, x.extent(0), Width, Vocabulary, Activation::none});
        return y;
    }

    static void visit(auto& self, auto&& f) { f("weight", self.weight); }

  private:
    void require_weight() const {
        if (!weight.is_set())
            throw Error(Errc::weight_unset, "Embedding<", Vocabulary, ", ", Width,
                        ">: called before its weights were set");
    }
};

}  // namespace tessera::inline TESSERA_ISA
