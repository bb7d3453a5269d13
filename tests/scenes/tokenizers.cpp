#include <doctest/doctest.h>

#include <tessera/generate/load.hpp>

#include "../../examples/scenes/settings.hpp"
#include "../../examples/scenes/text.hpp"
#include "support/temporary_folder.hpp"

namespace scenes_tokenizers {
using namespace scenes;

namespace {

void write(const std::string& model, const tessera::test::TemporaryFolder& folder) {
    const std::map<std::string, Files> models = model_folders();
    for (const auto& [name, content] : models.at(model)) folder.write(name, content);
}

}  // namespace

TEST_CASE("each word of a caption is a token, in the files of all three tokenizers") {
    CHECK(bert_vocabulary().size() + 1 == std::size_t{bert_tokens});
    CHECK(opt_vocabulary().tokens.size() == std::size_t{opt_tokens});
    CHECK(t5_vocabulary().size() == std::size_t{t5_tokens});
    for (const char* model : {"blip2_itm", "blip2_opt", "blip2_t5"}) {
        const tessera::test::TemporaryFolder folder;
        write(model, folder);
        const auto tokenizer = tessera::read_tokenizer(folder.path());
        const bool opt = std::string_view(model) == "blip2_opt", itm = std::string_view(model) == "blip2_itm";
        CHECK(tokenizer->size() == (itm ? bert_tokens : opt ? opt_tokens : t5_tokens) + 1);

        Random random(1);
        for (int i = 0; i < 500; ++i) {
            const Scene scene = draw_scene(random, Split::pair);
            std::vector<std::string> texts{caption(scene), notes(scene, random)};
            for (const Question& asked : questions(scene, random))
                texts.push_back("Question: " + asked.question + (opt ? " Answer: " : " Short answer: ") + asked.answer);
            for (const std::string& text : texts) {
                const auto ids = tokenizer->encode(text, tessera::Specials::omit);
                std::size_t pieces = 1;
                for (const char c : text) pieces += c == ' ' || c == ',' || c == '?' || c == ':';
                // Without a space before it, the first word of notes is several tokens of OPT's; contexts begin with one.
                if (!opt || text.starts_with("a ") || text.starts_with("Question")) REQUIRE(ids.size() == pieces);
                if (!itm)
                    REQUIRE(tokenizer->decode(ids, tessera::SkipSpecials::no) == text);
                else
                    for (const tessera::Token id : ids) REQUIRE(id != tokenizer->special_tokens().unknown);
            }
        }
    }
}

TEST_CASE("config.json says what the models are compiled for") {
    const auto mismatches = []<class Model>(const char* name, Model*) {
        const tessera::test::TemporaryFolder folder;
        write(name, folder);
        return tessera::mismatch<Model>(tessera::ModelConfig(folder.path()));
    };
    CHECK(mismatches("vision", static_cast<Vision*>(nullptr)) == "");
    CHECK(mismatches("opt", static_cast<Opt*>(nullptr)) == "");
    CHECK(mismatches("t5", static_cast<T5*>(nullptr)) == "");
    CHECK(mismatches("blip2_itm", static_cast<Retrieval*>(nullptr)) == "");
    CHECK(mismatches("blip2_opt", static_cast<Blip2Opt*>(nullptr)) == "");
    CHECK(mismatches("blip2_t5", static_cast<Blip2T5*>(nullptr)) == "");
}

TEST_CASE("the processor files are read") {
    const tessera::test::TemporaryFolder folder;
    write("blip2_opt", folder);
    const tessera::Blip2Processor processor = tessera::load_processor(tessera::ModelConfig(folder.path()));
    CHECK(processor.preprocess.height == picture_side);
    CHECK(processor.preprocess.image_mean[0] == 0.25f);
    CHECK(processor.tokens.image == opt_tokens);
    CHECK(processor.text(processor.tokenizer->encode("a small red ring", tessera::Specials::omit)) ==
          "a small red ring");
    CHECK(processor.is_end(processor.tokenizer->encode("\n", tessera::Specials::omit).front()));
    Random random(1);
    const tessera::Image image = draw(Scene::of({0, 0, 0}), random);
    const auto pixels = tessera::preprocess(image, processor.preprocess);
    CHECK(pixels.extent(1) == picture_side);
    CHECK(pixels.data()[5] ==
          (static_cast<float>(image.row(0)[15] * 0.00392156862745098) - 0.25f) / 0.25f);  // as drawn
}

}  // namespace scenes_tokenizers
