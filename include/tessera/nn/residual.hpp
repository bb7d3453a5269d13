// A part of a block with its norm and its residual connection, in the two orders that there are.
#pragma once
#include <tessera/nn/norm.hpp>

namespace tessera::inline TESSERA_ISA {

/// y = x + part(norm(x)): ViT, OPT, T5.
/// source  Radford 2019
template <class Norm, class Part>
struct PreNorm {
    static constexpr Index width = Norm::width;

    Norm norm;
    Part part{};

    /// `run(y, in, residual)` makes the part read `in` and write part(in) + residual into `y`.
    void into(Rows<width> y, ConstRows<width> x, Scratch& s, const auto& run) const {
        const auto frame = s.frame();
        run(y, ConstRows<width>(norm(x, s)), x);
    }
    /// For parts that read nothing but rows.
    void into(Rows<width> y, ConstRows<width> x, Scratch& s) const {
        into(y, x, s,
             [&](Rows<width> to, ConstRows<width> in, ConstRows<width> residual) { part.into(to, in, s, residual); });
    }
};

/// y = norm(x + part(x)): BERT, opt-350m.
/// source  Vaswani 2017 §3.1
template <class Norm, class Part>
struct PostNorm {
    static constexpr Index width = Norm::width;

    Norm norm;
    Part part{};

    /// As PreNorm::into.
    void into(Rows<width> y, ConstRows<width> x, Scratch& s, const auto& run) const {
        const auto frame = s.frame();
        const auto sum = s.rows<width>(x.extent(0));
        run(sum, x, x);
        norm.into(y, sum, s);
    }
    void into(Rows<width> y, ConstRows<width> x, Scratch& s) const {
        into(y, x, s,
             [&](Rows<width> to, ConstRows<width> in, ConstRows<width> residual) { part.into(to, in, s, residual); });
    }
};

}  // namespace tessera::inline TESSERA_ISA
