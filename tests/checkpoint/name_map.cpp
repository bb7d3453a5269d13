#include <doctest/doctest.h>

#include <algorithm>
#include <checkpoint/toy.hpp>
#include <set>
#include <support/golden_models.hpp>
#include <tessera/model/blip2/blip2.hpp>

#include "support/rounded_golden.hpp"

namespace checkpoint_name_map {
using namespace tessera;

namespace {

/// The one parameter that `name` stands for.
std::string path(const NameMap& names, std::string_view name) {
    const auto found = names.places(name);
    return found.size() == 1 ? found.front().path : std::to_string(found.size()) + " places";
}

const NameMap vit = vit_names(), qformer = qformer_names(), opt = opt_names(),
              blip2 = blip2_names(opt_names_in_blip2()), own;

}  // namespace

TEST_CASE("Hugging Face's names") {
    CHECK(path(blip2, "query_tokens") == "qformer.queries");
    const auto token = vit.places("vision_model.embeddings.class_embedding");
    REQUIRE(token.size() == 2);
    for (const NameMap::Place& place : token) CHECK(place.path == "class_token");
    CHECK(token[0].layout.shape({"", 1, 6}) == std::vector<Index>{1, 1, 6});  // EVA-CLIP
    CHECK(token[1].layout.shape({"", 1, 6}) == std::vector<Index>{6});        // CLIP
    CHECK(path(blip2, "vision_model.encoder.layers.38.self_attn.projection.bias") ==
          "vision.blocks.38.attention.output.bias");
    CHECK(path(blip2, "vision_model.post_layernorm.weight") == "vision.norm.weight");
    CHECK(path(blip2, "qformer.layernorm.weight") == "qformer.norm.weight");
    CHECK(path(blip2, "qformer.encoder.layer.11.output_query.LayerNorm.bias") == "qformer.layers.11.query_norm.bias");
    CHECK(path(blip2, "embeddings.word_embeddings.weight") == "qformer.word.weight");
    CHECK(path(blip2, "language_projection.weight") == "projection.weight");
    CHECK(path(blip2, "language_model.model.decoder.layers.31.final_layer_norm.weight") ==
          "language.layers.31.norm2.weight");
    CHECK(path(blip2, "language_model.model.decoder.final_layer_norm.weight") == "language.norm.weight");
    CHECK(path(blip2, "language_model.lm_head.weight") == "language.embedding.weight");
    CHECK(path(opt, "model.decoder.embed_positions.weight") == "position");
    CHECK(path(opt, "decoder.layers.0.fc1.weight") == "layers.0.mlp.up.weight");  // OPTModel
    CHECK(path(opt, "lm_head.weight") == "embedding.weight");
    CHECK(path(opt, "language_model.model.decoder.layers.0.fc2.bias") == "layers.0.mlp.down.bias");
    CHECK(path(vit, "vision_model.encoder.layers.0.self_attn.q_proj.weight") == "blocks.0.attention.query.weight");
    CHECK(path(vit, "encoder.layers.0.self_attn.out_proj.weight") == "blocks.0.attention.output.weight");
    CHECK(path(vit, "pre_layrnorm.weight") == "input_norm.weight");
}

TEST_CASE("a fused projection stands for three") {
    const auto found = blip2.places("vision_model.encoder.layers.7.self_attn.qkv.weight");
    REQUIRE(found.size() == 3);
    const char* parts[] = {"query", "key", "value"};
    for (int i = 0; i < 3; ++i) {
        CHECK(found[std::size_t(i)].path == std::string("vision.blocks.7.attention.") + parts[i] + ".weight");
        CHECK(found[std::size_t(i)].layout.qkv_part == i);
    }
    const TensorSpec spec{found[1].path, 6, 5};
    CHECK(found[1].layout.shape(spec) == std::vector<Index>{18, 5});
    CHECK(found[1].layout.offset(spec) == 30);
    const auto bias = vit.places("encoder.layers.7.self_attn.qkv.bias");
    REQUIRE(bias.size() == 3);
    CHECK(bias[2].layout.shape({"", 1, 6}) == std::vector<Index>{18});
    CHECK(bias[2].layout.offset({"", 1, 6}) == 12);
}

TEST_CASE("names of BERT, of old files, of LAVIS") {
    CHECK(path(qformer, "bert.encoder.layer.3.attention.self.query.weight") == "layers.3.self.query.weight");
    CHECK(path(qformer, "bert.embeddings.LayerNorm.gamma") == "norm.weight");
    CHECK(path(qformer, "encoder.layer.3.attention.output.LayerNorm.beta") == "layers.3.self_norm.bias");
    CHECK(path(qformer, "qformer.encoder.layer.2.crossattention.self.key.weight") == "layers.2.cross.key.weight");
    CHECK(path(qformer, "Qformer.bert.embeddings.position_embeddings.weight") == "position");
    CHECK(path(blip2, "Qformer.bert.encoder.layer.1.intermediate_query.dense.bias") ==
          "qformer.layers.1.query_mlp.up.bias");
    CHECK(path(blip2, "ln_vision.weight") == "vision.norm.weight");
    CHECK(path(blip2, "opt_proj.bias") == "projection.bias");
    CHECK(path(blip2, "opt_model.model.decoder.embed_tokens.weight") == "language.embedding.weight");
    CHECK(path(blip2, "visual_encoder.blocks.3.mlp.fc2.weight") == "vision.blocks.3.mlp.down.weight");
    const auto bias = blip2.places("visual_encoder.blocks.3.attn.q_bias");
    REQUIRE(bias.size() == 2);
    CHECK(bias[0].path == "vision.blocks.3.attention.query.bias");
    CHECK(bias[1].path == "vision.blocks.3.attention.key.bias");
    CHECK(bias[1].layout.form == Layout::Form::zeros);
}

TEST_CASE("names that nobody gave") {
    for (const char* name :
         {"", ".", "layers", "model.decoder.layers.7.mystery.weight", "model.decoder.layers.x.fc1.weight",
          "model.decoder.layers.07.fc1.weight", "model.decoder.layers..fc1.weight",
          "model.decoder.layers.-1.fc1.weight", "model.decoder.layers.1.fc1", "model.decoder.layers.1.fc1.gamma",
          "xmodel.decoder.layers.1.fc1.weight", "model.decoder.layers.99999999999999999999.fc1.weight"}) {
        CHECK(opt.places(name).empty());
        CHECK_FALSE(opt.ignores(name));
    }
    CHECK(vit.ignores("vision_model.embeddings.position_ids"));
    CHECK(vit.ignores("text_model.encoder.layers.0.mlp.fc1.weight"));
    CHECK(vit.ignores("logit_scale"));
    CHECK(blip2.ignores("itm_head.weight"));
    CHECK(qformer.ignores("bert.pooler.dense.weight"));
    CHECK_FALSE(blip2.ignores("vision_model.encoder.layers.0.mystery"));
    CHECK_FALSE(own.ignores("logit_scale"));
    CHECK(path(own, "blocks.0.weight") == "blocks.0.weight");
}

TEST_CASE_TEMPLATE("every parameter of every model has a name, which leads back to it", Model, Blip2Tiny,
                   Vit<test::golden_clip>, Opt<tiny_opt>, Opt<test::golden_opt_350m>, QFormer<qformer_vit_l>) {
    const NameMap names = Model::names();
    for (const TensorSpec& spec : tensor_specs(Model())) {
        const auto name = names.stored_name(spec.path, [](std::size_t) { return false; });
        REQUIRE(name);
        const auto back = names.places(name->name);
        CHECK(std::ranges::count(back, spec.path, &NameMap::Place::path) ==
              (spec.path.ends_with("class_token") ? 2 : 1));
    }
}

namespace {

template <class Model>
void check_shapes(const char* folder, const std::vector<std::string>& besides = {}) {
    CAPTURE(std::string(folder));
    const Checkpoint checkpoint(test::golden_checkpoint(folder));
    std::set<std::string> names(besides.begin(), besides.end());
    for (const test::StoredShape& expected : test::stored_shapes(Model())) {
        CAPTURE(expected.name);
        CHECK(names.insert(expected.name).second);
        const auto* found = checkpoint.find(expected.name);
        REQUIRE(found != nullptr);
        CHECK(found->tensor->shape == expected.shape);
    }
    CHECK(names.size() == checkpoint.tensors().size());
}

template <class Model>
void check_plan(const char* folder, std::size_t used, std::size_t copies, std::size_t ignored) {
    CAPTURE(std::string(folder));
    const Checkpoint checkpoint(test::golden_checkpoint(folder));
    const auto specs = tensor_specs(Model());
    const LoadPlan plan = plan_load(specs, checkpoint, Model::names());
    CHECK(plan.matches.size() == specs.size());
    CHECK(plan.used.size() == used);
    CHECK(plan.copies.size() == copies);
    CHECK(plan.ignored.size() == ignored);
    CHECK(plan.unexpected.empty());
    CHECK(used + copies + ignored == checkpoint.tensors().size());
}

}  // namespace

TEST_CASE("the shapes that a model leads to are exactly those of the golden checkpoints") {
    check_shapes<Blip2Tiny>("blip2_opt");
    check_shapes<Blip2Tiny>("blip2_opt_f16");
    check_shapes<Opt<tiny_opt>>("opt", {"lm_head.weight"});
    check_shapes<Opt<test::golden_opt_350m>>("opt_350m_style");
}

TEST_CASE("each tensor of the golden checkpoints is used, a copy, or known to be for others") {
    for (const char* folder : {"blip2_opt", "blip2_opt_bf16", "blip2_opt_f16"})
        check_plan<Blip2Tiny>(folder, 183, 0, 0);
    check_plan<Opt<tiny_opt>>("opt", 52, 1, 0);
    check_plan<Opt<test::golden_opt_350m>>("opt_350m_style", 52, 0, 0);
    check_plan<Vit<test::golden_clip>>("clip_vision", 69, 0, 27);
}

}  // namespace checkpoint_name_map
