// A model from checkpoints as people have them: .bin shards, one part of a BLIP-2, parts from several places.
#include <doctest/doctest.h>

#include <support/temporary_folder.hpp>
#include <tessera/generate/caption.hpp>
#include <tessera/generate/load_parts.hpp>
#include <tessera/model/blip2/retrieval.hpp>

#include "support/as_processors.hpp"
#include "support/golden.hpp"
#include "support/golden_models.hpp"
#include "support/lavis_names.hpp"
#include "support/read_json.hpp"

namespace generate_load_parts {
using namespace tessera;

namespace {

/// Checks the greedy captions of golden pictures, token by token.
void check_captions(const Pipeline<Blip2Tiny>& blip2) {
    const Json run = test::read_json(test::golden("blip2_opt/expected.json"))["generate"]["greedy_no_prompt"];
    for (std::size_t i = 0; i < 2; ++i) {
        const auto image =
            read_image(test::golden("images/" + run["images"][i].get<std::string>()), test::as_processors);
        Scratch s;
        CHECK(caption(blip2, image, {.max_tokens = 20}, s).tokens == run["new_tokens"][i].get<std::vector<Token>>());
    }
}

std::vector<float> numbers(const auto& model, const std::string& prefix = {}) {
    std::vector<float> out;
    for_each_parameter(model, [&](const std::string& path, const auto& leaf) {
        using Leaf = std::remove_cvref_t<decltype(leaf)>;
        std::vector<float> row(static_cast<std::size_t>(Leaf::columns));
        for (Index r = 0; r < Leaf::rows && path.starts_with(prefix); ++r) {
            leaf.read(r, row.data());
            out.insert(out.end(), row.begin(), row.end());
        }
    });
    return out;
}

/// BLIP-2 as its makers have it: `eva_vit_g.pth` with a layer that nobody uses, LAVIS's second stage, an OPT folder.
struct Parts {
    test::TemporaryFolder folder;
    PartPaths paths{(folder.path() / "eva_vit_g.pth").string(), (folder.path() / "lavis.pth").string(),
                    (folder.path() / "opt").string()};

    Parts() {
        const Checkpoint golden(test::golden("blip2_opt"));
        test::TorchWriter eva, lavis, opt;
        test::add_eva(eva, golden, "");
        for (const auto& entry : golden.tensors()) {
            const std::string name(entry.name()), last = "vision_model.encoder.layers.2.mlp.fc1.";
            if (name.starts_with(last)) eva.add("blocks.3.mlp.fc1." + name.substr(last.size()), *entry.tensor);
            if (name == "vision_model.post_layernorm.bias") eva.add("norm.bias", *entry.tensor);
            if (name.starts_with("language_model.")) opt.add(name.substr(15), *entry.tensor);
        }
        eva.write(paths.vision);
        test::add_lavis(lavis, golden);
        lavis.write(paths.qformer, "model");
        std::filesystem::create_directory(paths.language);
        opt.write(paths.language + "/pytorch_model.bin");
        for (const char* file :
             {"config.json", "vocab.json", "merges.txt", "special_tokens_map.json", "tokenizer_config.json"})
            std::filesystem::copy_file(test::golden("opt") / file, paths.language + '/' + file);
    }
};

std::string refusal(const PartPaths& paths) {
    try {
        load_parts<Blip2Tiny>(paths);
    } catch (const Error& error) {
        return error.what();
    }
    return "not refused";
}

}  // namespace

TEST_CASE("shards of torch.save give the same tokens as safetensors") {
    const test::TemporaryFolder folder;
    std::string map;
    for (const char* shard : {"1", "2", "3"}) {
        const std::string from = std::string("model-0000") + shard + "-of-00003.safetensors",
                          to = std::string("pytorch_model-0000") + shard + "-of-00003.bin";
        const Safetensors file(test::golden("blip2_opt") / from);
        test::TorchWriter writer;
        for (const StoredTensor& tensor : file.tensors()) {
            writer.add(tensor);
            (((map += map.empty() ? "\"" : ", \"") += tensor.name) += "\": \"") += to + '"';
        }
        writer.write(folder.path() / to);
    }
    folder.write("pytorch_model.bin.index.json", R"({"weight_map": {)" + map + "}}");
    for (const auto& file : std::filesystem::directory_iterator(test::golden("blip2_opt")))
        if (file.path().string().find("model-") == std::string::npos && file.path().extension() != ".safetensors" &&
            file.path().filename() != "model.safetensors.index.json")
            std::filesystem::copy_file(file.path(), folder.path() / file.path().filename());
    check_captions(load<Blip2Tiny>(folder.path().string()));
}

TEST_CASE("any part of a BLIP-2 folder is a model by itself") {
    const std::string folder = test::golden("blip2_opt").string();
    const Pipeline<Blip2Tiny> whole = load<Blip2Tiny>(folder);
    CHECK(numbers(load<Vit<tiny_vit>>(folder)) == numbers(whole.model, "vision."));
    CHECK(numbers(load<QFormer<tiny_qformer>>(folder)) == numbers(whole.model, "qformer."));
    CHECK(numbers(load<Opt<tiny_opt>>(folder)) == numbers(whole.model, "language."));
}

TEST_CASE("a BLIP-2 from parts: of one folder, or as its makers have them") {
    const std::string folder = test::golden("blip2_opt").string();
    check_captions(load_parts<Blip2Tiny>({.vision = folder, .qformer = folder, .language = folder}));
    const Parts parts;
    std::string warning;
    const auto blip2 = load_parts<Blip2Tiny>(parts.paths, {.warn = [&](const std::string& text) { warning += text; }});
    check_captions(blip2);
    CHECK(warning == parts.paths.vision + ": image encoder: the first 3 of 4 layers of 'vision.blocks' are used");
    CHECK(blip2.processor.preprocess.height == 56);
    CHECK(blip2.processor.tokens.end == std::vector<Token>{202});  // the newline
    check_captions(load_parts<Blip2Tiny>({.vision = folder, .qformer = parts.paths.qformer, .language = folder}));
}

TEST_CASE("a BLIP-2 for retrieval from parts: LAVIS's first stage has no image encoder and no tokenizer") {
    const Parts parts;
    const std::string retrieval = test::golden("blip2_itr").string(),
                      lavis = (parts.folder.path() / "stage1.pth").string();
    test::TorchWriter writer;
    test::add_lavis(writer, Checkpoint(retrieval));
    writer.write(lavis, "model");
    const PartPaths paths{.vision = parts.paths.vision, .qformer = lavis, .tokenizer = retrieval};
    const auto model = load_parts<Blip2ItmTiny>(paths).model;
    CHECK(numbers(model.qformer) == numbers(load<QFormer<tiny_itm_qformer>>(retrieval)));
    CHECK(numbers(model, "vision.norm.") == numbers(load<Vit<tiny_vit>>(retrieval), "norm."));
    const auto message = [&](PartPaths wrong) {
        CHECK_THROWS_AS(load_parts<Blip2ItmTiny>(wrong), Error);
        try {
            load_parts<Blip2ItmTiny>(wrong);
        } catch (const Error& error) {
            return std::string(error.what());
        }
        return std::string();
    };
    PartPaths wrong = paths;
    wrong.tokenizer.clear();
    CHECK(message(wrong) ==
          "[option.value] tokenizer: expected a folder with the tokenizer of the Q-Former, found none");
    wrong.language = "x";
    CHECK(message(wrong) == "[option.value] language model: expected no path, since this model has none, found 'x'");
}

TEST_CASE("parts that do not fit: which, where, what was expected and what found") {
    const Parts parts;
    PartPaths paths = parts.paths;
    paths.vision.clear();
    CHECK(refusal(paths) == "[option.value] image encoder: expected a folder or a file of weights for it, found none");
    const std::string clip = test::golden("clip_vision").string();
    paths = parts.paths, paths.language = clip;
    CHECK(refusal(paths) ==
          "[config.unsupported] language model: " + clip +
              "/config.json: not the shapes this model is compiled for: expected a model with one, found "
              "model_type 'clip'");
    paths = parts.paths, paths.vision = clip;
    CHECK(refusal(paths) ==
          "[config.unsupported] image encoder: " + clip +
              "/config.json: not the shapes this model is compiled for: hidden: expected 112, found 128; "
              "activation: expected gelu, found quick_gelu; patch_bias: expected true, found false; "
              "input_norm: expected false, found true; eps: expected 1e-06, found 1e-05");
    paths = parts.paths, paths.vision = paths.qformer;
    CHECK(refusal(paths) ==
          "[checkpoint.missing] image encoder: 'vision_model.embeddings.patch_embedding.weight': expected by the "
          "model, not "
          "found in " +
              paths.vision + ", like 51 other tensors");
    paths = parts.paths, paths.qformer = paths.vision;
    CHECK(refusal(paths).starts_with("[checkpoint.missing] Q-Former: "));
    paths = parts.paths, paths.language = paths.qformer;
    CHECK(refusal(paths).starts_with("[checkpoint.missing] language model: "));
    paths = parts.paths, paths.qformer = test::golden("blip2_itr").string();
    CHECK(refusal(paths) ==
          "[checkpoint.missing] Q-Former: 'language_projection.weight': expected by the model that config.json "
          "describes, "
          "not found in " +
              paths.qformer + "/model.safetensors, like one other tensor");
    paths = parts.paths, paths.qformer = "/nowhere";
    CHECK(refusal(paths) == "[file.open] '/nowhere': no such folder");
}

TEST_CASE("a file beside a config.json is checked by its shapes, a folder by its config too") {
    constexpr VitConfig heads = [] {
        VitConfig c = test::golden_clip;
        c.heads = 8;
        return c;
    }();
    const auto folder = test::golden("clip_vision");
    Vit<heads> other;
    CHECK_THROWS_WITH_AS(load_weights(other, Checkpoint(folder)),
                         ("[config.unsupported] " + (folder / "config.json").string() +
                          ": not the shapes this model is compiled for: image encoder heads: expected 8, found 4")
                             .c_str(),
                         Error);
    for_each_parameter(other, [](const std::string&, const auto& leaf) { CHECK_FALSE(leaf.is_set()); });
    CHECK_NOTHROW(load_weights(other, Checkpoint(folder / "model.safetensors")));
}

}  // namespace generate_load_parts
