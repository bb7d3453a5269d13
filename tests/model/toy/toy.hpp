// A toy: perceptrons one after another, and a norm. All that is known of it lies in this folder.
#pragma once
#include <tessera/nn/mlp.hpp>
#include <tessera/nn/norm.hpp>
#include <vector>

#include "model/toy/config.hpp"
#include "model/toy/names.hpp"

namespace tessera::inline TESSERA_ISA {

template <ToyConfig C>
struct Toy {
    static constexpr ToyConfig config = C;
    static NameMap names() { return toy_names(); }

    std::vector<Mlp<C.width, C.hidden, C.activation>> layers{std::size_t(C.layers)};
    LayerNorm<C.width> norm;

    Rows<C.width> operator()(ConstRows<C.width> x, Scratch& s) const {
        auto y = s.rows<C.width>(x.extent(0));
        std::copy_n(x.data(), x.size(), y.data());
        for (const auto& layer : layers) layer.into(y, y, s, y);
        norm.into(y, y, s);
        return y;
    }

    static void visit(auto& self, auto&& f) {
        visit_list("layers", self.layers, f);
        f("norm", self.norm);
    }
};

inline constexpr ToyConfig small_toy = checked(ToyConfig{.width = 4, .hidden = 6});
using SmallToy = Toy<small_toy>;

}  // namespace tessera::inline TESSERA_ISA
