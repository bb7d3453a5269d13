// The image encoder: EVA-CLIP's and CLIP's vision transformers.
#pragma once
#include <tessera/mask/packed.hpp>
#include <tessera/model/vit/config.hpp>
#include <tessera/model/vit/names.hpp>
#include <tessera/model/vit/positions.hpp>
#include <tessera/nn/block.hpp>
#include <tessera/nn/embedding.hpp>
#include <vector>

namespace tessera::inline TESSERA_ISA {

/// A vision transformer.
/// shape   patches [n·P, 3·patch²] of n pictures → [n·(P + 1), Width]; row 0 of each picture is the class token
/// errors  Errc::weight_unset; Errc::option_value when the patches are not whole pictures
/// cost    one ViT-g/14 picture of 224 pixels: 0.53 Tflop
/// source  Dosovitskiy 2021; EVA-CLIP: Sun 2023; CLIP: Radford 2021
template <VitConfig C>
struct Vit {
    static constexpr VitConfig config = C;
    static NameMap names() { return vit_names(); }
    static constexpr Index width = C.width;

    Linear<C.patch_pixels(), C.width, C.patch_bias ? HasBias::yes : HasBias::no> patch_embedding;
    Parameter<1, C.width> class_token;
    Parameter<C.tokens(), C.width> position;
    LayerNorm<C.width> input_norm{C.eps};
    std::vector<Block<C.width, C.heads, C.hidden, C.activation>> blocks;
    LayerNorm<C.width> norm{C.output_eps};

    Vit() {
        blocks.reserve(std::size_t(C.layers));
        for (Index i = 0; i < C.layers; ++i) blocks.emplace_back(C.eps);
    }

    /// Pictures of the size the model was made for.
    Rows<C.width> operator()(ConstRows<C.patch_pixels()> patches, Scratch& s) const {
        return (*this)(patches, Grid{C.grid(), C.grid()}, s);
    }
    /// Pictures of `grid` patches each; positions are interpolated where that is another grid than the model's.
    Rows<C.width> operator()(ConstRows<C.patch_pixels()> patches, Grid grid, Scratch& s) const {
        if (grid.size() <= 0 || patches.extent(0) % grid.size() != 0)
            throw Error(Errc::option_value, "Vit: expected whole pictures of ", grid.height, "x", grid.width,
                        " patches, found ", patches.extent(0), " patches");
        const Index pictures = patches.extent(0) / grid.size();
        const Index tokens = grid.size() + 1;
        auto y = s.rows<C.width>(pictures * tokens);
        const auto frame = s.frame();
        auto x = s.rows<C.width>(pictures * tokens);
        embed(x, patches, grid, s);
        s.name("vision.embeddings", -1, x);
        if constexpr (C.input_norm) {
            x = input_norm(x, s);
            s.name("vision.pre_layrnorm", -1, x);
        }
        auto* starts = s.take<Index>(pictures + 1);
        for (Index i = 0; i <= pictures; ++i) starts[i] = i * tokens;
        const auto each_picture =
            Packed(std::span<const Index>(starts, static_cast<std::size_t>(pictures) + 1), Full{});
        StackRows<C.width> rows(x, s);
        for (std::size_t i = 0; i < blocks.size(); ++i) {
            rows.step([&](Rows<C.width> to, ConstRows<C.width> in) { blocks[i].into(to, in, each_picture, s); });
            s.name("vision.layer", static_cast<Index>(i), rows.now());
        }
        if constexpr (C.output_norm)
            norm.into(y, rows.now(), s);
        else
            copy_rows(y, rows.now(), s);
        s.name("vision.last_hidden_state", -1, y);
        return y;
    }

    static void visit(auto& self, auto&& f) {
        f("patch_embedding", self.patch_embedding);
        f("class_token", self.class_token);
        f("position", self.position);
        if constexpr (C.input_norm) f("input_norm", self.input_norm);
        visit_list("blocks", self.blocks, f);
        if constexpr (C.output_norm) f("norm", self.norm);
    }

  private:
    void embed(Rows<C.width> x, ConstRows<C.patch_pixels()> patches, Grid grid, Scratch& s) const {
        if (!class_token.is_set() || !position.is_set())
            throw Error(Errc::weight_unset, "Vit: called before its weights were set");
        const Index count = grid.size();
        ConstRows<C.width> patch_position(position.data() + C.width, {C.tokens() - 1, C.width});
        if (grid != Grid{C.grid(), C.grid()}) {
            auto stretched = s.rows<C.width>(count);
            interpolate_positions<C.width>(stretched, grid, patch_position, {C.grid(), C.grid()});
            patch_position = stretched;
        }
        for (Index i = 0; i < patches.extent(0) / count; ++i) {
            const auto rows = x.slice(i * (count + 1), count + 1);
            embed_rows(rows.slice(0, 1), class_token, 0, s);
            add_rows(rows.slice(0, 1), rows.slice(0, 1), position, 0, s);
            patch_embedding.into(rows.slice(1, count), patches.slice(i * count, count), s,
                                 {.residual = patch_position});
        }
    }
};

}  // namespace tessera::inline TESSERA_ISA
