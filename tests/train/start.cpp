// Checkpoints under the names of others are written here, small and random, and a model begins with them.
#include <tessera/train/start.hpp>

#include <doctest/doctest.h>

#include <tessera/checkpoint/load.hpp>
#include <tessera/train/gradients.hpp>
#include <tessera/train/stage1.hpp>
#include <tessera/train/stage1_model.hpp>
#include <tessera/train/start_stage2.hpp>

#include "support/golden.hpp"
#include "support/golden_models.hpp"
#include "support/message_of.hpp"
#include "support/temporary_folder.hpp"

namespace train_start {
using namespace tessera;
using test::message_of;
namespace fs = std::filesystem;

namespace {

using Stage1 = Blip2Stage1<QFormer<test::golden_stage1>>;

std::map<std::string, std::vector<float>> numbers_of(const auto& model) {
    std::map<std::string, std::vector<float>> out;
    for (const NamedLeaf& named : leaves_of(model)) {
        std::vector<float>& numbers = out[named.path];
        numbers.resize(static_cast<std::size_t>(named.leaf.rows() * named.leaf.columns()));
        for (Index row = 0; row < named.leaf.rows(); ++row)
            named.leaf.read(row, numbers.data() + row * named.leaf.columns());
    }
    return out;
}
std::vector<float> drawn(std::uint64_t seed, Index count) {
    std::vector<float> out;
    RandomStream random(seed);
    for (Index i = 0; i < count; ++i) out.push_back(static_cast<float>(random.uniform(-1, 1)));
    return out;
}

/// What bert-base-uncased has, in the old spelling of norms; each tensor has numbers of its own, by its name's number.
struct SmallBert {
    std::map<std::string, std::vector<float>> tensors;

    SmallBert(const fs::path& file, Index words, const std::string& left_out = "") {
        SafetensorsWriter writer;
        const auto add = [&](const std::string& name, std::vector<Index> shape) {
            if (name == left_out) return;
            Index count = 1;
            for (const Index extent : shape) count *= extent;
            tensors[name] = drawn(tensors.size() + 1, count);
            writer.add(name, shape, tensors[name].data());
        };
        const auto norm = [&](const std::string& name) { add(name + ".gamma", {48}), add(name + ".beta", {48}); };
        const auto dense = [&](const std::string& name, Index rows, Index columns) {
            add(name + ".weight", {rows, columns}), add(name + ".bias", {rows});
        };
        add("bert.embeddings.word_embeddings.weight", {words, 48});
        add("bert.embeddings.position_embeddings.weight", {64, 48});
        add("bert.embeddings.token_type_embeddings.weight", {2, 48});
        norm("bert.embeddings.LayerNorm");
        for (int i = 0; i < 4; ++i) {
            const std::string layer = "bert.encoder.layer." + std::to_string(i) + '.';
            for (const char* part : {"query", "key", "value"}) dense(layer + "attention.self." + part, 48, 48);
            dense(layer + "attention.output.dense", 48, 48);
            norm(layer + "attention.output.LayerNorm");
            dense(layer + "intermediate.dense", 80, 48);
            dense(layer + "output.dense", 48, 80);
            norm(layer + "output.LayerNorm");
        }
        dense("bert.pooler.dense", 48, 48);
        dense("cls.predictions.transform.dense", 48, 48);
        norm("cls.predictions.transform.LayerNorm");
        add("cls.predictions.bias", {words});
        tensors["cls.predictions.decoder.weight"] = tensors["bert.embeddings.word_embeddings.weight"];
        writer.add("cls.predictions.decoder.weight", {words, 48}, tensors["cls.predictions.decoder.weight"].data());
        dense("cls.seq_relationship", 2, 48);
        writer.write(file);
    }
};

double deviation(std::span<const float> numbers) {
    double sum = 0;
    for (const float x : numbers) sum += double{x} * double{x};
    return std::sqrt(sum / static_cast<double>(numbers.size()));
}

}  // namespace

TEST_CASE("stage 1 begins with BERT where it has something, and fresh elsewhere") {
    const test::TemporaryFolder folder;
    const SmallBert bert(folder.path() / "bert.safetensors", 380);
    Stage1 model;
    stage1_from_bert(model, Checkpoint(folder.path() / "bert.safetensors"), 7);
    auto found = numbers_of(model);
    const auto& stored = bert.tensors;
    const auto same = [&](const char* ours, const char* theirs) {
        CAPTURE(ours);
        CHECK(found.at(ours) == stored.at(theirs));
    };
    same("qformer.norm.weight", "bert.embeddings.LayerNorm.gamma");
    same("qformer.norm.bias", "bert.embeddings.LayerNorm.beta");
    same("qformer.position", "bert.embeddings.position_embeddings.weight");
    same("qformer.layers.3.self.query.weight", "bert.encoder.layer.3.attention.self.query.weight");
    same("qformer.layers.0.self.output.bias", "bert.encoder.layer.0.attention.output.dense.bias");
    same("qformer.layers.1.self_norm.weight", "bert.encoder.layer.1.attention.output.LayerNorm.gamma");
    same("qformer.layers.2.text_mlp.up.weight", "bert.encoder.layer.2.intermediate.dense.weight");
    same("qformer.layers.2.query_mlp.up.weight", "bert.encoder.layer.2.intermediate.dense.weight");
    same("qformer.layers.1.query_mlp.down.bias", "bert.encoder.layer.1.output.dense.bias");
    same("qformer.layers.3.query_norm.bias", "bert.encoder.layer.3.output.LayerNorm.beta");
    same("qformer.layers.3.text_norm.weight", "bert.encoder.layer.3.output.LayerNorm.gamma");
    same("lm_head.dense.weight", "cls.predictions.transform.dense.weight");
    same("lm_head.norm.weight", "cls.predictions.transform.LayerNorm.gamma");

    // One word more than BERT has: [DEC].
    const std::vector<float>& words = found.at("qformer.word.weight");
    const std::vector<float>& table = stored.at("bert.embeddings.word_embeddings.weight");
    CHECK(std::ranges::equal(std::span(words).first(table.size()), table));
    CHECK(deviation(std::span(words).last(48)) == doctest::Approx(0.02).epsilon(0.4));
    const std::vector<float>& bias = found.at("lm_head.bias");
    CHECK(std::ranges::equal(std::span(bias).first(380), stored.at("cls.predictions.bias")));
    CHECK(bias.back() == 0);

    CHECK(deviation(found.at("qformer.queries")) == doctest::Approx(0.02).epsilon(0.2));
    CHECK(deviation(found.at("qformer.layers.2.cross.key.weight")) == doctest::Approx(0.02).epsilon(0.1));
    CHECK(deviation(found.at("qformer.layers.2.cross.key.bias")) == 0);
    CHECK(found.at("qformer.layers.2.cross_norm.weight") == std::vector<float>(48, 1.0f));
    CHECK(found.at("vision_norm.weight") == std::vector<float>(64, 1.0f));
    CHECK(deviation(found.at("itm_head.weight")) == doctest::Approx(1 / std::sqrt(3.0 * 48)).epsilon(0.2));
    CHECK(deviation(found.at("vision_projection.bias")) == doctest::Approx(1 / std::sqrt(3.0 * 48)).epsilon(0.4));
    CHECK(found.at("temperature") == std::vector<float>{0.07f});
    CHECK(found.at("qformer.layers.0.cross.key.weight") != found.at("qformer.layers.2.cross.key.weight"));

    Stage1 again, other;
    stage1_from_bert(again, Checkpoint(folder.path() / "bert.safetensors"), 7);
    stage1_from_bert(other, Checkpoint(folder.path() / "bert.safetensors"), 8);
    CHECK(numbers_of(again) == found);
    CHECK(numbers_of(other).at("qformer.queries") != found.at("qformer.queries"));
    CHECK(numbers_of(other).at("qformer.position") == found.at("qformer.position"));
}

TEST_CASE("a BERT that does not fit is refused in a sentence") {
    const test::TemporaryFolder folder;
    Stage1 model;
    const auto said = [&](Index words, const char* left_out) {
        const SmallBert bert(folder.path() / "bert.safetensors", words, left_out);
        return message_of([&] { stage1_from_bert(model, Checkpoint(folder.path() / "bert.safetensors"), 7); });
    };
    const std::string file = (folder.path() / "bert.safetensors").string();
    CHECK(said(382, "") ==
          "[checkpoint.shape] BERT: 'bert.embeddings.word_embeddings.weight': expected [381, 48], found [382, 48] "
          "(bert.safetensors)");
    CHECK(said(380, "bert.encoder.layer.2.attention.self.key.bias") ==
          "[checkpoint.missing] BERT: 'bert.encoder.layer.2.attention.self.key.bias': expected by the model, not found "
          "in " +
              file);
    CHECK(said(380, "cls.predictions.transform.dense.weight").find("cls.predictions.transform.dense.weight") !=
          std::string::npos);
}

TEST_CASE("stage 1 goes on with LAVIS's checkpoint, and with a retrieval model of Hugging Face") {
    Stage1 loaded, begun;
    load_weights(loaded, Checkpoint(test::golden("stage1")));
    stage1_from_checkpoint(begun, Checkpoint(test::golden("stage1") / "model.safetensors"), 1);
    CHECK(numbers_of(begun) == numbers_of(loaded));

    Blip2Stage1<QFormer<tiny_itm_qformer>> retrieval;
    const Checkpoint hugging_face(test::golden("blip2_itr"));
    stage1_from_checkpoint(retrieval, hugging_face, 1);
    const auto found = numbers_of(retrieval);
    CHECK(found.at("qformer.queries") == hugging_face.find("query_tokens")->tensor->to_floats());
    CHECK(found.at("vision_norm.weight") ==
          hugging_face.find("vision_model.post_layernorm.weight")->tensor->to_floats());
    CHECK(found.at("temperature") == std::vector<float>{0.07f});
    CHECK(deviation(found.at("lm_head.dense.weight")) == doctest::Approx(0.02).epsilon(0.1));
}

TEST_CASE("what stage 1 trains is saved as Hugging Face has a retrieval model, and the rest beside it") {
    const test::TemporaryFolder folder;
    Stage1Model<Vit<without_output_norm(tiny_vit)>, QFormer<tiny_itm_qformer>> model;
    const Checkpoint golden(test::golden("blip2_itr"));
    load_vision(model.vision, test::golden("blip2_itr").string());
    stage1_from_checkpoint(model, golden, 1);
    save_weights(model, folder.path() / "all.safetensors");
    const Checkpoint saved(folder.path() / "all.safetensors");
    for (const Checkpoint::Entry& entry : golden.tensors()) {
        CAPTURE(entry.name());
        const Checkpoint::Entry* const found = saved.find(entry.name());
        REQUIRE(found != nullptr);
        CHECK(found->tensor->shape == entry.tensor->shape);
        CHECK(found->tensor->to_floats() == entry.tensor->to_floats());
    }
    CHECK(saved.find("temp") != nullptr);
    CHECK(saved.find("Qformer.cls.predictions.bias") != nullptr);

    save_weights(model, folder.path() / "model.safetensors", {.saves = learns_in_stage1});
    const Checkpoint learned(folder.path() / "model.safetensors");
    CHECK(learned.find("vision_model.post_layernorm.weight") != nullptr);
    CHECK(learned.find("vision_model.embeddings.class_embedding") == nullptr);
    Blip2Stage1<QFormer<tiny_itm_qformer>> again;
    stage1_from_checkpoint(again, learned, 2);
    CHECK(numbers_of(again) == numbers_of(static_cast<const Blip2Stage1<QFormer<tiny_itm_qformer>>&>(model)));
}

TEST_CASE("stage 2 begins with the parts, and a projection that is fresh") {
    const test::TemporaryFolder folder;
    // As stage 1 leaves it: no projection, a text path that stage 2 has no place for.
    Blip2Stage1<QFormer<tiny_itm_qformer>> stage1;
    stage1_from_checkpoint(stage1, Checkpoint(test::golden("blip2_itr")), 1);
    save_weights(stage1, folder.path() / "model.safetensors");
    const std::string vision = test::golden("blip2_itr").string(), language = test::golden("blip2_opt").string();
    const PartPaths parts{.vision = vision, .qformer = folder.path().string(), .language = language};

    const auto begun = stage2_from_parts<Blip2Tiny>(parts, 3, {.weight_dtype = DType::bf16});
    const auto found = numbers_of(begun.model);
    for (const auto& named : numbers_of(stage1)) {
        const std::string& path = named.first;
        CAPTURE(path);
        if (path.starts_with("qformer.") && path.find("text_") == path.npos && found.contains(path) &&
            path != "qformer.position")
            CHECK(found.at(path) == named.second);
    }
    CHECK(found.at("vision.norm.bias") == numbers_of(stage1).at("vision_norm.bias"));
    CHECK(deviation(found.at("projection.weight")) == doctest::Approx(1 / std::sqrt(3.0 * 48)).epsilon(0.1));
    for (const NamedLeaf& named : leaves_of(begun.model))
        if (named.leaf.matrix_dtype())
            CHECK(*named.leaf.matrix_dtype() == (learns_in_stage2(named.path) ? DType::f32 : DType::bf16));
    const Gradients gradients(begun.model, learns_in_stage2);
    CHECK(gradients.leaves().front().path == "qformer.queries");
    CHECK(begun.processor.tokenizer->encode("a").size() > 1);

    PartPaths wrong = parts;
    wrong.language = test::golden("blip2_t5").string();
    CHECK(message_of([&] {
              stage2_from_parts<Blip2Tiny>(wrong, 3);
          }).starts_with("[config.unsupported] language model: "));
    wrong = parts;
    wrong.qformer = test::golden("opt").string();
    CHECK(message_of([&] { stage2_from_parts<Blip2Tiny>(wrong, 3); }).starts_with("[checkpoint.missing] Q-Former: "));
}

TEST_CASE("a BLIP-2 to fine-tune is loaded as it is, with what learns as f32") {
    const auto tuned =
        stage2_from_checkpoint<Blip2Tiny>(test::golden("blip2_opt").string(), {.weight_dtype = DType::bf16});
    const auto plain = load<Blip2Tiny>(test::golden("blip2_opt").string(), {.weight_dtype = DType::f32});
    const auto found = numbers_of(tuned.model), want = numbers_of(plain.model);
    CHECK(found.at("projection.weight") == want.at("projection.weight"));
    CHECK(found.at("qformer.layers.1.self.query.weight") == want.at("qformer.layers.1.self.query.weight"));
    CHECK(found.at("language.norm.weight") == want.at("language.norm.weight"));
    CHECK(found.at("language.layers.0.mlp.up.weight") != want.at("language.layers.0.mlp.up.weight"));
}

}  // namespace train_start
