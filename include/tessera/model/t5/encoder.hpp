// T5's encoder.
#pragma once
#include <tessera/mask/packed.hpp>
#include <tessera/mask/score_mod/relative_bias.hpp>
#include <tessera/model/t5/layers.hpp>
#include <vector>

namespace tessera::inline TESSERA_ISA {

/// All rows of a text see each other, with a bias that depends on their distance and is the same in all layers.
/// shape   embedded [S, Width], offsets [n + 1] → [S, Width]
/// errors  Errc::weight_unset
/// cost    2·parameters flops a row; scratch for the bias: 4·Heads·S floats
/// source  Raffel 2020 (T5) §2.1
template <T5Config C>
struct T5Encoder {
    Parameter<C.buckets, C.heads> bias;
    std::vector<T5EncoderLayer<C>> layers = std::vector<T5EncoderLayer<C>>(std::size_t(C.encoder_layers));
    RmsNorm<C.width> norm{C.eps};

    /// Reads whole texts, rows one after another: text i is rows offsets[i] … offsets[i + 1] − 1.
    Rows<C.width> operator()(ConstRows<C.width> embedded, std::span<const Index> offsets, Scratch& s) const {
        const Index count = embedded.extent(0);
        TESSERA_EXPECTS(!offsets.empty() && offsets.front() == 0 && offsets.back() == count);
        auto y = s.rows<C.width>(count);
        if (count == 0) return y;
        if (!bias.is_set()) throw Error(Errc::weight_unset, "T5: called before its weights were set");
        const auto frame = s.frame();
        // Rows of one text are as far apart as its tokens; those of others are hidden.
        const RelativeBuckets buckets{.buckets = C.buckets, .max_distance = C.max_distance};
        const auto relative =
            relative_bias(s.take<float>(DiagonalBias::size(C.heads, count, count)), bias.view(), buckets, count, count);
        const Packed mask(offsets, Full{});
        const auto first = s.rows<C.width>(count);
        copy_rows(first, embedded, s);
        StackRows<C.width> rows(first, s);
        for (std::size_t i = 0; i < layers.size(); ++i) {
            const auto& layer = layers[i];
            const auto attend = [&](Rows<C.width> to, ConstRows<C.width> in, ConstRows<C.width> residual) {
                layer.attention.part.into(to, in, in, mask, s,
                                          {.score_mod = relative, .residual = residual, .bias = {&bias, buckets}});
            };
            rows.step([&](Rows<C.width> to, ConstRows<C.width> in) { layer.into(to, in, s, attend); });
            s.name("encoder.layer", static_cast<Index>(i), rows.now());
        }
        norm.into(y, rows.now(), s);
        s.name("encoder.last_hidden_state", -1, y);
        return y;
    }

    static void visit(auto& self, auto&& f) {
        f("bias", self.bias);
        visit_list("layers", self.layers, f);
        f("norm", self.norm);
    }
};

}  // namespace tessera::inline TESSERA_ISA
