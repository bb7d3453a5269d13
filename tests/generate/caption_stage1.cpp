// Captions from a stage-1 checkpoint, against the beam search of transformers over a pass of queries and text for each token.
#include <tessera/generate/caption_stage1.hpp>

#include <doctest/doctest.h>

#include <support/temporary_folder.hpp>
#include <tessera/checkpoint/load.hpp>
#include <tessera/checkpoint/save_weights.hpp>
#include <tessera/generate/load_parts.hpp>
#include <tessera/image/decode.hpp>
#include <tessera/text/read/tokenizer.hpp>

#include "support/as_processors.hpp"
#include "support/golden_models.hpp"
#include "support/message_of.hpp"
#include "support/read_json.hpp"
#include "support/retrieval_goldens.hpp"

namespace generate_caption_stage1 {
using namespace tessera;

namespace {

struct Golden : test::RetrievalGolden {
    Blip2Stage1<QFormer<test::golden_stage1>> model;
    std::shared_ptr<const Tokenizer> tokenizer = read_tokenizer(path);
    Json expected = test::read_json(path / "expected.json");
    std::vector<float> image = all("image");
    ConstRows<64> patches{image.data(), {5 * 17, 64}};

    Golden() : RetrievalGolden("stage1") { load_weights(model, Checkpoint(path)); }
};

/// What `settings` of transformers' generate mean here; lengths count [DEC] there.
GenerateOptions options_of(const Json& settings) {
    GenerateOptions out{.max_tokens = settings.value("max_new_tokens", settings.value("max_length", Index{0}) - 1),
                        .min_tokens = std::max<Index>(settings.value("min_length", Index{1}) - 1, 0),
                        .beams = settings.value("num_beams", Index{1}),
                        .n_best = settings.value("num_return_sequences", Index{1}),
                        .length_penalty = settings.value("length_penalty", 1.0f),
                        .repetition_penalty = settings.value("repetition_penalty", 1.0f)};
    if (settings.contains("eos_token_id")) out.stop = {settings["eos_token_id"][1].get<Token>()};
    return out;
}

using Itg = Blip2Itg<Vit<tiny_vit>, QFormer<test::golden_stage1>>;

/// The first stage's Q-Former, and an image encoder that has its width.
PartPaths parts() {
    const std::string stage1 = test::golden("stage1").string();
    return {.vision = test::golden("blip2_itr").string(), .qformer = stage1, .tokenizer = stage1};
}

std::vector<Image> two_images() {
    return {read_image(test::golden("images/wide.png"), test::as_processors),
            read_image(test::golden("images/tall.png"), test::as_processors)};
}

// What tests/golden/make/stage1_captions.py prints for these two pictures: the runs `greedy` and `lavis`.
const std::vector<std::vector<Token>> greedy{{241, 5, 228, 176, 228, 114, 214, 241, 5, 5, 291, 26},
                                             {5, 228, 5, 176, 228, 176, 176, 228, 241, 228, 291, 330}};
const std::vector<std::vector<Token>> lavis{{241, 200, 241, 176, 228, 114, 214, 241, 5,   5,   291, 26,  158, 158, 158,
                                             158, 158, 170, 170, 214, 158, 158, 170, 170, 158, 158, 158, 170, 170},
                                            {5,   228, 5,   176, 228, 176, 291, 176, 228, 176, 291, 26,  158, 158, 241,
                                             170, 5,   170, 5,   291, 114, 158, 170, 170, 75,  114, 158, 170, 170}};
constexpr float lavis_scores[] = {-1.1339277029037476f, -1.0339566469192505f};

}  // namespace

TEST_CASE("every run of the reference: tokens, texts and scores, five pictures at once") {
    const Golden golden;
    Scratch s;
    for (const auto& item : golden.expected["captions"].items()) {
        const std::string name = item.key();
        const Json& run = item.value();
        CAPTURE(name);
        const auto options = options_of(run["settings"]);
        const auto found = captions(golden.model, *golden.tokenizer, golden.patches, 5, options, s);
        std::vector<Generation> all;
        for (const Caption& caption : found) {
            CHECK(caption.prompt == std::vector<Token>{380});
            all.push_back(caption);
            all.insert(all.end(), caption.others.begin(), caption.others.end());
        }
        REQUIRE(all.size() == run["new_tokens"].size());
        for (std::size_t i = 0; i < all.size(); ++i) {
            CAPTURE(i);
            CHECK(all[i].tokens == run["new_tokens"][i].get<std::vector<Token>>());
            if (name != "ends") CHECK(all[i].text == run["text"][i].get<std::string>());
            if (run.contains("scores"))
                CHECK(all[i].score == doctest::Approx(run["scores"][i].get<double>()).epsilon(1e-4));
        }
        if (name == "lavis") {
            CHECK(options.max_tokens == stage1_options().max_tokens);
            CHECK(options.min_tokens == stage1_options().min_tokens);
            CHECK(options.beams == stage1_options().beams);
        }
    }
}

TEST_CASE("a caption may begin with given words, and comes as it is made") {
    const Golden golden;
    Scratch s;
    std::string told;
    const auto one =
        captions(golden.model, *golden.tokenizer, golden.patches.slice(0, 17), 1,
                 {.prompt = "a cat", .max_tokens = 6, .on_text = [&](std::string_view text) { told += text; }}, s);
    REQUIRE(one.size() == 1);
    CHECK(one[0].prompt.size() > 1);
    CHECK(one[0].tokens.size() == 6);
    CHECK(told.find(one[0].text) != told.npos);
    const auto without =
        captions(golden.model, *golden.tokenizer, golden.patches.slice(0, 17), 1, {.max_tokens = 6}, s);
    CHECK(without[0].tokens != one[0].tokens);
    CHECK_THROWS_WITH_AS(captions(golden.model, *golden.tokenizer, golden.patches, 5, {.max_tokens = 64}, s),
                         "[sequence.length] prompt and max_tokens: expected at most 64 positions, found 1 + 64", Error);
}

TEST_CASE(
    "from pictures, with the image encoder of another checkpoint: the tokens of the reference, alone and together") {
    const auto blip2 = load_parts<Itg>(parts());
    CHECK(blip2.model.vision.norm.eps == 1e-5f);
    const auto images = two_images();
    Scratch s;
    const auto both = captions(blip2, images, {}, {.max_tokens = 12}, s);
    const auto beams = captions(blip2, images, {}, stage1_options(), s);
    REQUIRE(both.size() == 2);
    REQUIRE(beams.size() == 2);
    for (std::size_t i = 0; i < 2; ++i) {
        CHECK(both[i].tokens == greedy[i]);
        CHECK(both[i].prompt == std::vector<Token>{380});
        CHECK(caption(blip2, images[i], {.max_tokens = 12}).tokens == greedy[i]);
        CHECK(beams[i].tokens == lavis[i]);
        CHECK(beams[i].score == doctest::Approx(lavis_scores[i]).epsilon(1e-4));
    }
    CHECK(both[0].text == "##id!hoto 🇫hoto a isid!! abovek");
    CHECK(captions(blip2, std::span<const Image>(), {}, {}, s).empty());
}

TEST_CASE("a picture with several prompts, and which numbers of them go together") {
    auto blip2 = load_parts<Itg>(parts());
    auto images = two_images();
    const std::vector<std::string> prompts{"a cat", "", "a photo of"};
    Scratch s;
    const auto found = captions(blip2, {images.data(), 1}, prompts, {.max_tokens = 12}, s);
    REQUIRE(found.size() == 3);
    for (std::size_t i = 0; i < 3; ++i) {
        const auto alone = caption(blip2, images[0], {.prompt = prompts[i], .max_tokens = 12});
        CHECK(found[i].tokens == alone.tokens);
        CHECK(found[i].prompt == alone.prompt);
    }
    CHECK(found[1].tokens == greedy[0]);
    CHECK(found[0].tokens != greedy[0]);
    CHECK_THROWS_WITH_AS(captions(blip2, images, prompts, {}, s),
                         "[option.value] prompts: expected one, or one for each of 2 pictures, found 3", Error);
    CHECK_THROWS_WITH_AS(caption(blip2, images[0], {.prompt = "a [SEP]"}),
                         "[option.value] prompt: expected text, found the special token '[SEP]'", Error);
    blip2.processor.preprocess.shortest_edge = 56;
    images[0] = Image(56, 56), images[1] = Image(56, 112);
    CHECK_THROWS_WITH_AS(captions(blip2, images, {}, {}, s),
                         "[option.value] pictures: expected all of 16 patches, as the first, found one of 32", Error);
}

TEST_CASE("a folder with both: written by save_weights, described by a config.json, read again to the same captions") {
    const auto blip2 = load_parts<Itg>(parts());
    const test::TemporaryFolder folder;
    save_weights(blip2.model, folder.path() / "model.safetensors");
    Json config = test::read_json(test::golden("stage1/config.json"));
    folder.write("config.json", config.dump());
    for (const char* file : {"tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt"})
        std::filesystem::copy_file(test::golden("stage1") / file, folder.path() / file);
    std::filesystem::copy_file(test::golden("blip2_itr/preprocessor_config.json"),
                               folder.path() / "preprocessor_config.json");
    const std::string place = (folder.path() / "config.json").string();
    const std::string shapes = ": not the shapes this model is compiled for: ";
    const auto load_it = [&] { return load<Itg>(folder.path().string()); };
    CHECK(test::message_of(load_it) ==
          "[config.unsupported] " + place + shapes +
              "expected a model with image encoder, found model_type 'blip2_qformer_stage1'");

    config["vision_config"] = test::read_json(test::golden("blip2_itr/config.json"))["vision_config"];
    folder.write("config.json", config.dump());
    const auto again = load_it();
    CHECK(caption(again, two_images()[1], {.max_tokens = 12}).tokens == greedy[1]);
    // It is also what pictures and texts are compared with.
    CHECK_NOTHROW(load<Blip2Retrieval<Vit<tiny_vit>, QFormer<test::golden_stage1>>>(folder.path().string()));

    config["embed_dim"] = 48;
    folder.write("config.json", config.dump());
    CHECK(test::message_of(load_it) ==
          "[config.unsupported] " + place + shapes + "Q-Former embedding: expected 32, found 48");
    const std::string itr = test::golden("blip2_itr").string();
    CHECK(test::message_of([&] { load<Itg>(itr); })
              .starts_with("[config.unsupported] " + itr + "/config.json" + shapes +
                           "expected model_type 'blip2_qformer_stage1', found 'blip-2'; "));
    PartPaths wrong = parts();
    wrong.qformer = wrong.vision + "/model.safetensors";
    CHECK(test::message_of([&] { load_parts<Itg>(wrong); }).starts_with("[checkpoint.missing] Q-Former: "));
}

TEST_CASE("the numbers of the image encoder of such a folder, EVA's or CLIP's") {
    const test::TemporaryFolder folder;
    const auto read = [&](const char* vision) {
        folder.write("config.json",
                     R"({"model_type": "blip2_qformer_stage1", "vision_config": )" + std::string(vision) + "}");
        return VitConfig::read(ModelConfig(folder.path()));
    };
    CHECK(read("{}") == std::nullopt);
    CHECK(read(R"({"model_type": "blip_2_vision_model"})") == eva_vit_g14);
    CHECK(read(R"({"model_type": "clip_vision_model", "patch_size": 14, "hidden_size": 1024, "intermediate_size": 4096,
                   "num_attention_heads": 16, "num_hidden_layers": 23})") == blip2_clip_vit_l14(23));
    CHECK(QFormerConfig::read(ModelConfig(folder.path())) == qformer_itm_vit_g);
}

}  // namespace generate_caption_stage1
