// Small models that hold numbers and compute nothing, laid out like the real ones.
#pragma once
#include <functional>
#include <tessera/checkpoint/load.hpp>
#include <tessera/checkpoint/save.hpp>
#include <tessera/model/opt/config.hpp>
#include <tessera/model/opt/names.hpp>
#include <tessera/model/vit/config.hpp>
#include <tessera/model/vit/names.hpp>
#include <vector>

namespace tessera::test {

template <Index In, Index Out>
struct ToyLinear {
    Parameter<Out, In> weight;
    Parameter<Out> bias;
    static void visit(auto& self, auto&& f) {
        f("weight", self.weight);
        f("bias", self.bias);
    }
};

template <Index Width>
struct ToyNorm {
    Parameter<Width> weight, bias;
    static void visit(auto& self, auto&& f) {
        f("weight", self.weight);
        f("bias", self.bias);
    }
};

template <Index Width>
struct ToyAttention {
    ToyLinear<Width, Width> query, key, value, output;
    static void visit(auto& self, auto&& f) {
        f("query", self.query);
        f("key", self.key);
        f("value", self.value);
        f("output", self.output);
    }
};

template <Index Width, Index Hidden>
struct ToyMlp {
    ToyLinear<Width, Hidden> up;
    ToyLinear<Hidden, Width> down;
    static void visit(auto& self, auto&& f) {
        f("up", self.up);
        f("down", self.down);
    }
};

template <Index Width, Index Hidden>
struct ToyBlock {
    ToyNorm<Width> norm1;
    ToyAttention<Width> attention;
    ToyNorm<Width> norm2;
    ToyMlp<Width, Hidden> mlp;
    static void visit(auto& self, auto&& f) {
        f("norm1", self.norm1);
        f("attention", self.attention);
        f("norm2", self.norm2);
        f("mlp", self.mlp);
    }
};

template <Index Rows, Index Width>
struct ToyTable {
    Parameter<Rows, Width> weight;
    static void visit(auto& self, auto&& f) { f("weight", self.weight); }
};

template <OptConfig C>
struct ToyOpt {
    static_assert(C.width == C.embedding && C.pre_norm);
    static constexpr OptConfig config = C;
    static NameMap names() { return opt_names(); }
    ToyTable<C.vocabulary, C.width> embedding;
    Parameter<C.positions + 2, C.width> position;
    std::vector<ToyBlock<C.width, C.hidden>> layers = std::vector<ToyBlock<C.width, C.hidden>>(C.layers);
    ToyNorm<C.width> norm;
    static void visit(auto& self, auto&& f) {
        f("embedding", self.embedding);
        f("position", self.position);
        visit_list("layers", self.layers, f);
        f("norm", self.norm);
    }
};

template <VitConfig C>
struct ToyVit {
    static constexpr VitConfig config = C;
    static NameMap names() { return vit_names(); }
    ToyLinear<C.patch_pixels(), C.width> patch_embedding;
    Parameter<1, C.width> class_token;
    Parameter<C.tokens(), C.width> position;
    std::vector<ToyBlock<C.width, C.hidden>> blocks = std::vector<ToyBlock<C.width, C.hidden>>(C.layers);
    ToyNorm<C.width> norm;
    static void visit(auto& self, auto&& f) {
        f("patch_embedding", self.patch_embedding);
        f("class_token", self.class_token);
        f("position", self.position);
        visit_list("blocks", self.blocks, f);
        f("norm", self.norm);
    }
};

/// The tensors of a checkpoint of `model`, as Hugging Face saves it.
struct StoredShape {
    std::string name;
    std::vector<Index> shape;
};
template <class Model>
std::vector<StoredShape> stored_shapes(const Model& model) {
    const NameMap names = names_of<Model>();
    std::vector<StoredShape> out;
    for (const TensorSpec& spec : tensor_specs(model)) {
        const auto stored = names.stored_name(spec.path, [](std::size_t) { return true; }).value();
        if (stored.layout.qkv_part <= 0) out.push_back({stored.name, stored.layout.shape(spec)});
    }
    return out;
}

}  // namespace tessera::test
