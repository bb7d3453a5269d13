// Rows of a table, one per token.
#pragma once
#include <algorithm>
#include <span>
#include <tessera/nn/linear.hpp>
#include <type_traits>

namespace tessera::inline TESSERA_ISA {

/// y = the rows of `table` from `first` on.
/// errors  Errc::weight_unset
template <Index Count, Index Width>
void embed_rows(Rows<Width> y, const Parameter<Count, Width>& table, Index first, Scratch& s) {
    if (!table.is_set())
        throw Error(Errc::weight_unset, "embed_rows: a table of width ", Width,
                    " was read before its weights were set");
    TESSERA_EXPECTS(first >= 0 && first + y.extent(0) <= Count);
    std::copy_n(table.data() + first * Width, y.size(), y.data());
    s.record(EmbedOp{y.data(), y.extent(0), Width, {}, first, &table});
}

/// y = x + the rows of `table` from `first` on; y may be x.
/// errors  Errc::weight_unset
template <Index Count, Index Width>
void add_rows(Rows<Width> y, std::type_identity_t<ConstRows<Width>> x, const Parameter<Count, Width>& table,
              Index first, Scratch& s) {
    if (!table.is_set())
        throw Error(Errc::weight_unset, "add_rows: a table of width ", Width, " was read before its weights were set");
    TESSERA_EXPECTS(first >= 0 && first + y.extent(0) <= Count && x.extent(0) == y.extent(0));
    const float* const row = table.data() + first * Width;
    for (Index i = 0; i < y.size(); ++i) y.data()[i] = x.data()[i] + row[i];
    s.record(AddOp{y.data(), x.data(), y.extent(0), Width, first, &table, row});
}

/// y = x, recorded.
template <Index Width>
void copy_rows(Rows<Width> y, std::type_identity_t<ConstRows<Width>> x, Scratch& s) {
    std::copy_n(x.data(), x.size(), y.data());
    s.record(AddOp{y.data(), x.data(), y.extent(0), Width, 0, nullptr});
}

/// A table of word embeddings, which may serve as output layer too.
/// shape   ids [T] → [T, Width]; logits: x [T, Width] → [T, Vocabulary]
/// errors  Errc::token_id for an id outside the vocabulary; Errc::weight_unset
template <Index Vocabulary, Index Width>
struct Embedding {
    Weight<Vocabulary, Width> weight;

    void into(Rows<Width> y, std::span<const Token> ids, Scratch& s) const {
        require_weight();
        detail::require_rows("Embedding", Width, "an output", static_cast<Index>(ids.size()), y.extent(0));
        for (std::size_t t = 0; t < ids.size(); ++t) {
            if (ids[t] < 0 || ids[t] >= Vocabulary)
                throw Error(Errc::token_id, "token ", t, ": expected an id below ", Vocabulary, ", found ", ids[t]);
            weight.read(ids[t], y.data() + static_cast<Index>(t) * Width);
        }
        s.record(EmbedOp{y.data(), y.extent(0), Width, ids, 0, &weight});
    }
    Rows<Width> operator()(std::span<const Token> ids, Scratch& s) const {
        auto y = s.rows<Width>(static_cast<Index>(ids.size()));
        into(y, ids, s);
        return y;
    }
    /// The scores of every word: the table as an output layer.
    Rows<Vocabulary> logits(ConstRows<Width> x, Scratch& s) const {
        auto y = s.rows<Vocabulary>(x.extent(0));
        logits_into(y, x, s);
        return y;
    }
    /// Writes them into `y`, with a bias for each word where there is one.
    void logits_into(Rows<Vocabulary> y, ConstRows<Width> x, Scratch& s,
                     const Parameter<Vocabulary>* bias = nullptr) const {
        require_weight();
        const LinearOp op{.y = y.data(),
                          .x = x.data(),
                          .rows = x.extent(0),
                          .in = Width,
                          .out = Vocabulary,
                          .y_stride = Vocabulary,
                          .x_stride = Width,
                          .weight = &weight.packed(),
                          .bias = bias == nullptr ? nullptr : bias->data(),
                          .weight_leaf = &weight,
                          .bias_leaf = bias,
                          .products = products_by(weight.packed(), s)};
        compute(op, s);
        s.record(op);
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
