// BLIP-2 for retrieval, from checkpoint folder to scores, against transformers.
#include <doctest/doctest.h>

#include <tessera/checkpoint/dump.hpp>
#include <tessera/generate/load.hpp>
#include <tessera/image/preprocess.hpp>
#include <tessera/model/blip2/retrieval.hpp>

#include "support/as_processors.hpp"
#include "support/compare.hpp"
#include "support/read_json.hpp"
#include "support/retrieval_goldens.hpp"

namespace model_blip2_retrieval {
using namespace tessera;

namespace {

constexpr double activations = 6e-5;  // tests/golden/make/README.template.md

struct Golden : test::RetrievalGolden {
    Pipeline<Blip2ItmTiny> blip2;
    const Blip2ItmTiny& model = blip2.model;
    Json expected = test::read_json(path / "expected.json");
    std::vector<float> seen = all("vision.last_hidden_state");
    ConstRows<64> patches{seen.data(), {4 * 17, 64}};
    std::vector<ImageTextPair> pairs;

    explicit Golden(const LoadOptions& options = {})
        : RetrievalGolden("blip2_itr"), blip2(load<Blip2ItmTiny>(path.string(), options)) {
        for (Index i = 0; i < 16; ++i) pairs.push_back({i / 4, i % 4});
    }
};

std::vector<float> probabilities(ConstRows<2> logits) {
    std::vector<float> out;
    for (Index i = 0; i < logits.extent(0); ++i) {
        out.push_back(1 / (1 + std::exp(logits(i, 1) - logits(i, 0))));
        out.push_back(1 / (1 + std::exp(logits(i, 0) - logits(i, 1))));
    }
    return out;
}

}  // namespace

TEST_CASE("the whole folder is loaded: every parameter, and no tensor is left") {
    Blip2ItmTiny model;
    const auto report = load_weights(model, Checkpoint(test::golden("blip2_itr")));
    CHECK(report.unexpected.empty());
    CHECK(report.ignored.empty());
    CHECK(report.copies.empty());
    const ModelConfig config(test::golden("blip2_itr"));
    CHECK(fits<Blip2ItmTiny>(config));
    CHECK(mismatch<Blip2ItmVitG>(config).find("Q-Former embedding: expected 256, found 40") != std::string::npos);
    CHECK(mismatch<Blip2ItmTiny>(ModelConfig(test::golden("blip2_opt")))
              .find("Q-Former vocabulary: expected 501, found 0") != std::string::npos);
}

TEST_CASE("every parameter has a name at Hugging Face that leads back to it, and one at LAVIS") {
    const NameMap names = Blip2ItmTiny::names();
    for (const TensorSpec& spec : tensor_specs(Blip2ItmTiny())) {
        CAPTURE(spec.path);
        const auto name = names.stored_name(spec.path, [](std::size_t) { return false; });
        REQUIRE(name);
        CHECK(std::ranges::count(names.places(name->name), spec.path, &NameMap::Place::path) ==
              (spec.path.ends_with("class_token") ? 2 : 1));  // EVA's and CLIP's
    }
    CHECK(names.places("vision_proj.weight").front().path == "vision_projection.weight");
    CHECK(names.places("text_proj.bias").front().path == "text_projection.bias");
    CHECK(names.places("Qformer.bert.embeddings.word_embeddings.weight").front().path == "qformer.word.weight");
    CHECK(names.ignores("temp"));
    CHECK(names.ignores("Qformer.cls.predictions.bias"));
}

TEST_CASE("the published shapes have the published number of parameters") {
    static_assert(Blip2ItmVitG::embedding == 256 && Blip2ItmVitG::queries == 32 && Blip2ItmVitG::width == 768);
    CHECK(parameter_count(Blip2ItmVitG()) == 1172032258);
    CHECK(parameter_count(Blip2ItmVitGCoco()) == 1172032258 + (677 - 257) * 1408);
}

TEST_CASE("from picture files to what the image encoder makes of them") {
    const Golden golden;
    Scratch s;
    for (std::size_t i = 0; i < 4; ++i) {
        const std::string name = golden.expected["images"][i];
        CAPTURE(name);
        const auto pixels = preprocess(read_image(test::golden("images/" + name), test::as_processors),
                                       golden.blip2.processor.preprocess);
        Tensor<float, dyn, 588> cut({16, 588});
        patchify(cut.view(), pixels.view(), 14);
        test::check_close("vision", golden.model.vision(cut, s).span(),
                          std::span(golden.seen).subspan(i * 17 * 64, 17 * 64), activations);
    }
}

TEST_CASE("contrast: features of pictures and of texts of different lengths, and their cosines") {
    const Golden golden;
    Scratch s;
    const auto images = golden.model.image_features(golden.model.qformer.read(golden.patches, s, 4), s);
    const auto texts = golden.model.text_features(golden.texts(), s);
    test::check_close("image_embeds", images.span(), golden.all("itc.image_embeds"), activations);
    test::check_close("text_embeds", texts.span(), golden.all("itc.text_embeds"), activations);
    const auto cosines = golden.model.itc(images, texts, s);
    test::check_close("logits_per_image", cosines.span(), golden.all("itc.logits_per_image"), activations);
    CHECK(golden.model.itc(images, texts.slice(0, 0), s).size() == 0);
    CHECK(golden.model.itc(images.slice(0, 0), texts, s).size() == 0);
}

TEST_CASE("matching: every picture with every text, in one call and pair by pair") {
    const Golden golden;
    Scratch s;
    const auto keys = golden.model.qformer.read(golden.patches, s, 4);
    const auto logits = golden.model.itm(keys, golden.pairs, golden.texts(), s);
    test::check_close("logits", logits.span(), golden.all("itm.logits"), activations);
    test::check_close("probabilities", probabilities(logits), golden.all("itm.probabilities"), activations);
    const auto states = golden.model.multimodal_features(keys, golden.pairs, golden.texts(), s);
    const auto want = golden.all("itm.logits");
    for (Index i = 0; i < 16; ++i) {
        CAPTURE(i);
        test::check_close("multimodal", states.slice(i * 8, 8).span(), golden.rows("itm.layer_3", i, 8), activations);
        const auto one = golden.model.itm(keys, std::span(golden.pairs).subspan(std::size_t(i), 1), golden.texts(), s);
        test::check_close("alone", one.span(), std::span(want).subspan(std::size_t(i) * 2, 2), activations);
    }
}

TEST_CASE("more pairs and texts than fit one pass give what they give alone") {
    const Golden golden;
    Scratch s;
    const auto keys = golden.model.qformer.read(golden.patches, s, 4);
    std::vector<ImageTextPair> pairs;
    std::vector<Token> ids;
    std::vector<Index> starts{0};
    for (Index i = 0; i < 160; ++i) {  // 160 pairs of some 26 rows, 160 texts of some 18
        pairs.push_back({i / 40, i % 4});
        const auto text = golden.texts()[i % 4];
        ids.insert(ids.end(), text.begin(), text.end());
        starts.push_back(static_cast<Index>(ids.size()));
    }
    const auto logits = golden.model.itm(keys, pairs, golden.texts(), s);
    const auto states = golden.model.multimodal_features(keys, pairs, golden.texts(), s);
    const auto features = golden.model.text_features({ids, starts}, s);
    const auto want = golden.all("itm.logits"), texts = golden.all("itc.text_embeds");
    for (Index i = 0; i < 160; ++i) {
        CAPTURE(i);
        const auto [image, text] = pairs[std::size_t(i)];
        test::check_close("logits", logits.slice(i, 1).span(),
                          std::span(want).subspan(std::size_t(image * 4 + text) * 2, 2), activations);
        test::check_close("states", states.slice(i * 8, 8).span(), golden.rows("itm.layer_3", image * 4 + text, 8),
                          activations);
        test::check_close("features", features.slice(i, 1).span(),
                          std::span(texts).subspan(std::size_t(i % 4) * 40, 40), activations);
    }
}

TEST_CASE("the same bits at any number of threads") {
    const Golden golden;
    const auto run = [&](int threads) {
        kernel::set_threads(threads);
        Scratch s;
        const auto keys = golden.model.qformer.read(golden.patches, s, 4);
        const auto logits = golden.model.itm(keys, golden.pairs, golden.texts(), s);
        return std::vector<float>(logits.begin(), logits.end());
    };
    const int before = kernel::threads();
    const auto one = run(1), two = run(2);
    kernel::set_threads(before);
    CHECK(one == two);
}

TEST_CASE("weights in bf16 give nearly the same scores") {
    const Golden golden({.weight_dtype = DType::bf16});
    Scratch s;
    const auto keys = golden.model.qformer.read(golden.patches, s, 4);
    const auto logits = golden.model.itm(keys, golden.pairs, golden.texts(), s);
    // bf16 rounds each weight by up to 2⁻⁹; a dozen layers of such errors that do not go together.
    test::check_close("logits", logits.span(), golden.all("itm.logits"), 12 * 0x1p-9);
}

TEST_CASE("what cannot be compared is an error") {
    const Golden golden;
    Scratch s;
    const Token ids[] = {2, 3};
    const Index starts[] = {0, 2, 2};
    CHECK_THROWS_WITH_AS(golden.model.text_features({ids, starts}, s),
                         "[option.value] text 1: expected at least one token, found none", Error);
    const auto keys = golden.model.qformer.read(golden.patches, s, 4);
    const ImageTextPair pairs[] = {{0, 0}, {0, 4}};
    CHECK_THROWS_WITH_AS(
        golden.model.itm(keys, pairs, golden.texts(), s),
        "[option.value] QFormer: pair 1: expected a picture from 0 to 3 and a text from 0 to 3, found 0 "
        "and 4",
        Error);
    CHECK_THROWS_AS(Blip2ItmTiny().itm(keys, std::span(pairs).first(1), golden.texts(), s), Error);
}

}  // namespace model_blip2_retrieval
