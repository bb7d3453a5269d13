// FlanT5, and BLIP-2 with it, from checkpoint folder to text, against transformers.
#include <doctest/doctest.h>

#include <tessera/checkpoint/dump.hpp>
#include <tessera/checkpoint/safetensors.hpp>
#include <tessera/generate/caption.hpp>
#include <tessera/generate/load.hpp>
#include <tessera/generate/load_parts.hpp>

#include "support/as_processors.hpp"
#include "support/compare.hpp"
#include "support/generate_settings.hpp"
#include "support/golden_models.hpp"
#include "support/golden_numbers.hpp"
#include "support/lavis_names.hpp"
#include "support/read_json.hpp"
#include "support/temporary_folder.hpp"

namespace generate_t5 {
using namespace tessera;
using test::golden_part;

namespace {

constexpr double activations = 6e-5;  // tests/golden/make/README.template.md

// Compares the logits of each step of one text, if the reference has them.
int check_steps(const Dump& dump, const Safetensors& file, const std::string& run, std::size_t index,
                std::size_t steps) {
    const std::string name = "generate." + run + ".step_logits";
    if (file.find(name) == nullptr) return 0;
    const auto want = golden_part(file, name, index);
    std::vector<float> got;
    for (std::size_t step = 0; step < steps; ++step) {
        const auto& scores = dump.at("step_logits_" + std::to_string(step)).values;
        got.insert(got.end(), scores.begin(), scores.end());
    }
    test::check_close(name, got, std::span(want).first(got.size()), activations);
    return 1;
}

}  // namespace

TEST_CASE("FlanT5 alone: the tokenizer's ids, and all runs, one by one and in a ragged batch") {
    const auto path = test::golden("t5");
    const Json expected = test::read_json(path / "expected.json");
    const Safetensors file(test::golden_expected("t5"));
    const auto model = load<T5<test::golden_t5>>(path.string());
    const auto tokenizer = read_tokenizer(path);
    const Token end[] = {1};
    std::vector<std::vector<Token>> ids;
    std::vector<Prompt<64>> prompts;
    for (const auto& text : expected["prompts"]) ids.push_back(tokenizer->encode(text.get<std::string>()));
    for (const auto& text : ids) prompts.push_back({{}, text});
    const auto stored = file.tensor("input_ids").to<Token>();
    for (std::size_t i = 0; i < ids.size(); ++i)
        CHECK(std::equal(ids[i].begin(), ids[i].end(), stored.data() + i * stored.size() / 2));
    int compared = 0;
    for (const auto& entry : expected["generate"].items()) {
        CAPTURE(entry.key());
        const auto& run = entry.value();
        const GenerateOptions options = test::options_of(run["settings"]);
        Scratch plain;
        const auto together = generate(model, prompts, options, end, plain);
        for (std::size_t i = 0; i < prompts.size(); ++i) {
            CAPTURE(i);
            REQUIRE(static_cast<Index>(together[i].size()) == options.n_best);
            test::check_run(run, i, together[i]);
            CHECK(tokenizer->decode(together[i][0].tokens, SkipSpecials::yes, OutOfVocabulary::skip) ==
                  run["text"][i * together[i].size()].get<std::string>());
            Dump dump;
            Scratch s(dump);
            const auto alone = generate(model, {&prompts[i], 1}, options, end, s)[0];
            test::check_run(run, i, alone);
            compared += check_steps(dump, file, entry.key(), i, alone[0].tokens.size());
        }
    }
    CHECK(compared >= 2);  // the reference has more than tests/golden
}

namespace {

struct Folder {
    std::filesystem::path path = test::golden("blip2_t5");
    Json expected = test::read_json(path / "expected.json");
    Safetensors tensors{test::golden_expected("blip2_t5")};
    Pipeline<Blip2TinyT5> blip2 = load<Blip2TinyT5>(path.string());

    static Image picture(const Json& name) {
        return read_image(test::golden("images/" + name.get<std::string>()), test::as_processors);
    }
};
// A run of the reference, whose `new_tokens` lack a padding token at the end even where the model has chosen it: a text
// without an end is as long as it may be.
Json whole(Json run) {
    for (std::size_t row = 0; row < run["sequences"].size(); ++row)
        if (!run["ended_by_eos"][row].get<bool>()) {
            auto tokens = run["sequences"][row].get<std::vector<Token>>();
            tokens.erase(tokens.begin());  // the start token
            run["new_tokens"][row] = tokens;
        }
    return run;
}
// The best text and the others, as the search returned them.
std::vector<Generation> all_of(const Caption& caption) {
    std::vector<Generation> all{caption};
    all.insert(all.end(), caption.others.begin(), caption.others.end());
    return all;
}

}  // namespace

TEST_CASE("pictures through image encoder, Q-Former and FlanT5: the states and logits of the reference") {
    const Folder folder;
    const GenerateOptions options{.prompt = folder.expected["prompt"]["text"].get<std::string>(), .max_tokens = 1};
    for (std::size_t i = 0; i < folder.expected["images"].size(); ++i) {
        CAPTURE(i);
        Dump dump;
        Scratch s(dump);
        caption(folder.blip2, Folder::picture(folder.expected["images"][i]), options, s);
        for (const std::string name : {"vision.last_hidden_state", "qformer.layer_3", "language_projection"})
            test::check_close(name, dump.at(name).values, golden_part(folder.tensors, name, i), activations);
        test::check_close("prompt.logits", dump.at("step_logits_0").values,
                          golden_part(folder.tensors, "prompt.logits", i), activations);
    }
}

TEST_CASE("a prompt of more than 150 tokens beside a short one, and as long an answer read at once") {
    const Folder folder;
    const auto& language = folder.blip2.model.language;
    const auto ids = folder.tensors.tensor("long.input_ids").to<Token>();
    const auto mask = folder.tensors.tensor("long.attention_mask").to<std::int64_t>();
    const auto words = folder.tensors.tensor("long.decoder_input_ids").to<Token>();
    const std::size_t length = ids.size() / 2, answer = words.size() / 2;
    std::vector<std::vector<Token>> texts(2);
    for (std::size_t i = 0; i < ids.size(); ++i)
        if (mask[i] != 0) texts[i / length].push_back(ids[i]);
    std::vector<Dump> dumps(2);
    std::vector<Prompt<64>> prompts;
    for (std::size_t i = 0; i < 2; ++i) {
        Scratch looking(dumps[i]);
        caption(folder.blip2, Folder::picture(folder.expected["long"]["images"][i]), {.max_tokens = 0}, looking);
        prompts.push_back({{dumps[i].at("language_projection").values.data(), {8, 64}}, texts[i]});
    }
    Dump dump;
    Scratch s(dump);
    auto begun = language.begin(prompts, static_cast<Index>(answer) - 1, s);
    // Both texts' states of that name, without the padding of the reference; tests/golden has few of them.
    const auto check_states = [&](const std::string& name, const auto& rows_of_text) {
        if (folder.tensors.find("long." + name) == nullptr) return 0;
        std::vector<float> want;
        for (std::size_t i = 0; i < 2; ++i) {
            const auto rows = golden_part(folder.tensors, "long." + name, i);
            want.insert(want.end(), rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(rows_of_text(i) * 64));
        }
        test::check_close(name, dump.at(name).values, want, activations);
        return 1;
    };
    int compared = 0;
    for (const std::string name : {"layer_0", "layer_1", "layer_2", "last_hidden_state"})
        compared += check_states("encoder." + name, [&](std::size_t i) { return texts[i].size(); });
    CHECK(compared >= 1);
    std::vector<Index> positions;
    for (std::size_t t = 0; t < answer; ++t) positions.push_back(static_cast<Index>(t));
    const Causal causal{};
    const Continuation<T5<tiny_t5>::Cache> both[] = {{&begun[0].cache, static_cast<Index>(answer), causal, positions},
                                                     {&begun[1].cache, static_cast<Index>(answer), causal, positions}};
    const auto states = language.append(language.embedding(words, s), both, s);
    for (const std::string name : {"layer_0", "layer_1", "layer_2"})
        check_states("decoder." + name, [&](std::size_t) { return answer; });
    for (std::size_t i = 0; i < 2; ++i) {
        const auto last = states.slice(static_cast<Index>((i + 1) * answer) - 20, 20);
        test::check_close("logits", language.logits(last, s).span(),
                          golden_part(folder.tensors, "long.logits_of_last_20", i), activations);
    }
}

TEST_CASE("captions, greedy and with beams: the same tokens, strings and scores as transformers") {
    const Folder folder;
    const auto& processor = folder.blip2.processor;
    int compared = 0;
    for (const auto& entry : folder.expected["generate"].items()) {
        CAPTURE(entry.key());
        const Json run = whole(entry.value());
        GenerateOptions options = test::options_of(run["settings"]);
        std::vector<Image> images;
        std::vector<std::string> prompts;
        for (std::size_t i = 0; i < run["images"].size(); ++i) {
            images.push_back(Folder::picture(run["images"][i]));
            prompts.push_back(run["prompts"][i].get<std::string>());
        }
        Scratch plain;
        const auto together = captions(folder.blip2, images, prompts, options, plain);
        REQUIRE(together.size() == images.size());
        for (std::size_t i = 0; i < images.size(); ++i) {
            CAPTURE(i);
            const std::vector<Generation> all = all_of(together[i]);
            REQUIRE(static_cast<Index>(all.size()) == options.n_best);
            test::check_run(run, i, all);
            auto read = run["input_ids"][i].get<std::vector<Token>>();
            std::erase(read, processor.tokens.padding);
            CHECK(together[i].prompt == read);
            for (std::size_t k = 0; k < all.size(); ++k)
                CHECK(processor.tokenizer->decode(all[k].tokens, SkipSpecials::yes, OutOfVocabulary::skip) ==
                      run["text"][i * all.size() + k].get<std::string>());
            Dump dump;
            Scratch s(dump);
            options.prompt = prompts[i];
            const Caption alone = caption(folder.blip2, images[i], options, s);
            options.prompt.clear();
            test::check_run(run, i, all_of(alone));
            if (options.repetition_penalty == 1.0f)
                compared += check_steps(dump, folder.tensors, entry.key(), i, alone.tokens.size());
        }
    }
    CHECK(compared >= 2);  // the reference has more than tests/golden
}

TEST_CASE("from parts: an image encoder, LAVIS's second stage, a FlanT5 whose config.json says another GELU") {
    const Folder folder;
    const test::TemporaryFolder parts;
    const Checkpoint golden(folder.path);
    const std::string vision = (parts.path() / "eva_vit_g.pth").string(),
                      qformer = (parts.path() / "lavis.pth").string();
    const auto language = parts.path() / "t5";
    test::TorchWriter eva, lavis, t5;
    test::add_eva(eva, golden, "");
    eva.write(vision);
    test::add_lavis(lavis, golden, "t5_proj");
    lavis.write(qformer, "model");
    for (const auto& entry : golden.tensors())
        if (entry.name().starts_with("language_model.")) t5.add(std::string(entry.name().substr(15)), *entry.tensor);
    Json config = test::read_json(folder.path / "config.json")["text_config"];
    config["dense_act_fn"] = "gelu";  // the model has the approximate one
    parts.write("t5/config.json", config.dump());
    t5.write(language / "pytorch_model.bin");
    for (const char* file : {"tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"})
        std::filesystem::copy_file(folder.path / file, language / file);

    const auto blip2 = load_parts<Blip2TinyT5>({.vision = vision, .qformer = qformer, .language = language.string()});
    const Json run = whole(folder.expected["generate"]["greedy_prompt"]);
    for (std::size_t i = 0; i < run["images"].size(); ++i) {
        CAPTURE(i);
        const auto result = caption(blip2, Folder::picture(run["images"][i]),
                                    {.prompt = run["prompts"][i].get<std::string>(), .max_tokens = 20});
        CHECK(result.tokens == run["new_tokens"][i].get<std::vector<Token>>());
    }

    // As they are published: google/flan-t5-xl has the approximate GELU, BLIP-2 the exact one. Any other difference is one.
    CHECK(differences(blip2_flan_t5_xl, detail::as_part(flan_t5_xl, blip2_flan_t5_xl)).empty());
    CHECK(differences(blip2_flan_t5_xl, detail::as_part(flan_t5_xxl, blip2_flan_t5_xl)).size() == 3);
}

TEST_CASE("without a prompt FlanT5 reads the picture and the end token") {
    const Folder folder;
    const auto result = caption(folder.blip2, Folder::picture("wide.png"), {.max_tokens = 2});
    std::vector<Token> read(8, 600);
    read.push_back(1);
    CHECK(result.prompt == read);
    CHECK(result.tokens.size() <= 2);
}

}  // namespace generate_t5
