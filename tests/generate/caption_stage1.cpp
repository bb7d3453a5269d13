// Captions from a stage-1 checkpoint, against the beam search of transformers over a pass of queries and text for each token.
#include <tessera/generate/caption_stage1.hpp>

#include <doctest/doctest.h>

#include <tessera/checkpoint/load.hpp>
#include <tessera/text/read/tokenizer.hpp>

#include "support/golden_models.hpp"
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

}  // namespace generate_caption_stage1
