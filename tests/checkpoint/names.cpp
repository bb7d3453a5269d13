#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <support/golden.hpp>
#include <tessera/checkpoint/folder.hpp>
#include <tessera/checkpoint/parameters.hpp>
#include <tessera/checkpoint/plan.hpp>

namespace checkpoint_names {
using namespace tessera;

namespace {

/// The one parameter that `name` stands for.
std::string path(Architecture architecture, std::string_view name) {
    const auto found = places(architecture, name);
    return found.size() == 1 ? found.front().path : std::to_string(found.size()) + " places";
}

}  // namespace

TEST_CASE("Hugging Face's names") {
    using enum Architecture;
    CHECK(path(blip2, "query_tokens") == "qformer.queries");
    const auto token = places(vit, "vision_model.embeddings.class_embedding");
    REQUIRE(token.size() == 2);
    for (const Place& place : token) CHECK(place.path == "class_token");
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
          "decoder.layers.31.norm2.weight");
    CHECK(path(blip2, "language_model.model.decoder.final_layer_norm.weight") == "decoder.norm.weight");
    CHECK(path(blip2, "language_model.lm_head.weight") == "decoder.embedding.weight");
    CHECK(path(opt, "model.decoder.embed_positions.weight") == "position");
    CHECK(path(opt, "decoder.layers.0.fc1.weight") == "layers.0.mlp.up.weight");  // OPTModel
    CHECK(path(opt, "lm_head.weight") == "embedding.weight");
    CHECK(path(opt, "language_model.model.decoder.layers.0.fc2.bias") == "layers.0.mlp.down.bias");
    CHECK(path(vit, "vision_model.encoder.layers.0.self_attn.q_proj.weight") == "blocks.0.attention.query.weight");
    CHECK(path(vit, "encoder.layers.0.self_attn.out_proj.weight") == "blocks.0.attention.output.weight");
    CHECK(path(vit, "pre_layrnorm.weight") == "input_norm.weight");
}

TEST_CASE("a fused projection stands for three") {
    const auto found = places(Architecture::blip2, "vision_model.encoder.layers.7.self_attn.qkv.weight");
    REQUIRE(found.size() == 3);
    const char* parts[] = {"query", "key", "value"};
    for (int i = 0; i < 3; ++i) {
        CHECK(found[std::size_t(i)].path == std::string("vision.blocks.7.attention.") + parts[i] + ".weight");
        CHECK(found[std::size_t(i)].layout.third == i);
    }
    const Need need{found[1].path, 6, 5};
    CHECK(found[1].layout.shape(need) == std::vector<Index>{18, 5});
    CHECK(found[1].layout.offset(need) == 30);
    const auto bias = places(Architecture::vit, "encoder.layers.7.self_attn.qkv.bias");
    REQUIRE(bias.size() == 3);
    CHECK(bias[2].layout.shape({"", 1, 6}) == std::vector<Index>{18});
    CHECK(bias[2].layout.offset({"", 1, 6}) == 12);
}

TEST_CASE("names of BERT, of old files, of LAVIS") {
    using enum Architecture;
    CHECK(path(qformer, "bert.encoder.layer.3.attention.self.query.weight") == "layers.3.self.query.weight");
    CHECK(path(qformer, "bert.embeddings.LayerNorm.gamma") == "norm.weight");
    CHECK(path(qformer, "encoder.layer.3.attention.output.LayerNorm.beta") == "layers.3.self_norm.bias");
    CHECK(path(qformer, "qformer.encoder.layer.2.crossattention.self.key.weight") == "layers.2.cross.key.weight");
    CHECK(path(qformer, "Qformer.bert.embeddings.position_embeddings.weight") == "position");
    CHECK(path(blip2, "Qformer.bert.encoder.layer.1.intermediate_query.dense.bias") ==
          "qformer.layers.1.query_mlp.up.bias");
    CHECK(path(blip2, "ln_vision.weight") == "vision.norm.weight");
    CHECK(path(blip2, "opt_proj.bias") == "projection.bias");
    CHECK(path(blip2, "opt_model.model.decoder.embed_tokens.weight") == "decoder.embedding.weight");
    CHECK(path(blip2, "visual_encoder.blocks.3.mlp.fc2.weight") == "vision.blocks.3.mlp.down.weight");
    const auto bias = places(blip2, "visual_encoder.blocks.3.attn.q_bias");
    REQUIRE(bias.size() == 2);
    CHECK(bias[0].path == "vision.blocks.3.attention.query.bias");
    CHECK(bias[1].path == "vision.blocks.3.attention.key.bias");
    CHECK(bias[1].layout.form == Layout::Form::zeros);
}

TEST_CASE("names that nobody gave") {
    using enum Architecture;
    for (const char* name :
         {"", ".", "layers", "model.decoder.layers.7.mystery.weight", "model.decoder.layers.x.fc1.weight",
          "model.decoder.layers.07.fc1.weight", "model.decoder.layers..fc1.weight",
          "model.decoder.layers.-1.fc1.weight", "model.decoder.layers.1.fc1", "model.decoder.layers.1.fc1.gamma",
          "xmodel.decoder.layers.1.fc1.weight", "model.decoder.layers.99999999999999999999.fc1.weight"}) {
        CHECK(places(opt, name).empty());
        CHECK_FALSE(is_known_extra(opt, name));
    }
    CHECK(is_known_extra(vit, "vision_model.embeddings.position_ids"));
    CHECK(is_known_extra(vit, "text_model.encoder.layers.0.mlp.fc1.weight"));
    CHECK(is_known_extra(vit, "logit_scale"));
    CHECK(is_known_extra(blip2, "itm_head.weight"));
    CHECK(is_known_extra(qformer, "bert.pooler.dense.weight"));
    CHECK_FALSE(is_known_extra(blip2, "vision_model.encoder.layers.0.mystery"));
    CHECK_FALSE(is_known_extra(own, "logit_scale"));
    CHECK(path(own, "blocks.0.weight") == "blocks.0.weight");
}

TEST_CASE("every parameter of every architecture has a name, which leads back to it") {
    for (const char* folder : {"blip2_opt", "clip_vision", "opt", "opt_350m_style"}) {
        const Description d = read_description(test::golden(folder));
        for (const Need& need : parameters(d)) {
            const auto name = stored_name(d.architecture, need.path, [](std::size_t) { return false; });
            REQUIRE(name);
            const auto back = places(d.architecture, name->name);
            CHECK(std::ranges::count(back, need.path, &Place::path) == (need.path.ends_with("class_token") ? 2 : 1));
        }
    }
}

TEST_CASE("the shapes that a description leads to are exactly those of the golden checkpoints") {
    struct Case {
        const char* folder;
        std::vector<std::string> besides;  // in the file
    };
    const Case cases[] = {
        {"blip2_opt", {}}, {"blip2_opt_f16", {}}, {"opt", {"lm_head.weight"}}, {"opt_350m_style", {}}};
    for (const Case& c : cases) {
        CAPTURE(std::string(c.folder));
        const Checkpoint checkpoint(test::golden(c.folder));
        std::set<std::string> names;
        for (const StoredShape& expected : stored_shapes(read_description(test::golden(c.folder)))) {
            CAPTURE(expected.name);
            CHECK(names.insert(expected.name).second);
            const auto* found = checkpoint.find(expected.name);
            REQUIRE(found != nullptr);
            CHECK(found->tensor->shape == expected.shape);
        }
        names.insert(c.besides.begin(), c.besides.end());
        CHECK(names.size() == checkpoint.tensors().size());
    }
}

TEST_CASE("each tensor of the golden checkpoints is used, a copy, or known to be for others") {
    struct Case {
        const char* folder;
        std::size_t used, copies, ignored;
    };
    const Case cases[] = {{"blip2_opt", 183, 0, 0}, {"blip2_opt_bf16", 183, 0, 0}, {"blip2_opt_f16", 183, 0, 0},
                          {"opt", 52, 1, 0},        {"opt_350m_style", 52, 0, 0},  {"clip_vision", 69, 0, 27}};
    for (const Case& c : cases) {
        CAPTURE(std::string(c.folder));
        const Checkpoint checkpoint(test::golden(c.folder));
        const Description d = read_description(test::golden(c.folder));
        const auto needs = parameters(d);
        const Plan plan = plan_load(needs, checkpoint, architecture_of(needs));
        CHECK(architecture_of(needs) == d.architecture);
        CHECK(plan.sources.size() == needs.size());
        CHECK(plan.used.size() == c.used);
        CHECK(plan.copies.size() == c.copies);
        CHECK(plan.ignored.size() == c.ignored);
        CHECK(plan.unexpected.empty());
        CHECK(c.used + c.copies + c.ignored == checkpoint.tensors().size());
    }
}

TEST_CASE("one part of a BLIP-2 checkpoint is found in the whole") {
    const Checkpoint checkpoint(test::golden("blip2_opt"));
    Description d = read_description(test::golden("blip2_opt"));
    for (const Architecture part : {Architecture::vit, Architecture::opt}) {
        d.architecture = part;
        const auto needs = parameters(d);
        const Plan plan = plan_load(needs, checkpoint, architecture_of(needs));
        CHECK(plan.unexpected.empty());
        CHECK(plan.used.size() + plan.ignored.size() == checkpoint.tensors().size());
    }
}

}  // namespace checkpoint_names
