// BLIP-2 with OPT, from checkpoint folder to text: every number on the way against transformers.
#include <doctest/doctest.h>

#include <tessera/checkpoint/dump.hpp>
#include <tessera/checkpoint/safetensors.hpp>
#include <tessera/generate/caption.hpp>
#include <tessera/generate/load.hpp>
#include <thread>

#include "support/allocations.hpp"
#include "support/as_processors.hpp"
#include "support/compare.hpp"
#include "support/generate_settings.hpp"
#include "support/golden_numbers.hpp"
#include "support/read_json.hpp"
#include "support/rounded_golden.hpp"

namespace generate_blip2 {
using namespace tessera;
using test::golden_part;

namespace {

constexpr double activations =
    6e-5;  // tests/golden/make/README.template.md: four times what PyTorch's f32 differs from f64

struct Folder {
    std::string name;
    std::filesystem::path path = test::golden_checkpoint(name);
    Json expected = test::read_json(path / "expected.json");
    Safetensors tensors{test::golden_expected(name)};
    Pipeline<Blip2Tiny> blip2 = load<Blip2Tiny>(path.string());
    const Blip2Tiny& model = blip2.model;
    const Blip2Processor& processor = blip2.processor;
};

// The picture's pixels as the reference had them.
Tensor<float, dyn, 588> reference_patches(const std::string& name, std::size_t index) {
    static const Safetensors file(test::golden_expected("blip2_opt"));
    const auto pixels = golden_part(file, name, index);
    const auto side = static_cast<Index>(std::lround(std::sqrt(static_cast<double>(pixels.size()) / 3)));
    Tensor<float, dyn, 588> out({side / 14 * (side / 14), 588});
    patchify(out.view(), View<const float, 3, dyn, dyn>(pixels.data(), {3, side, side}), 14);
    return out;
}

}  // namespace

TEST_CASE("every intermediate value equals the reference, whatever type the weights were stored in") {
    for (const char* name : {"blip2_opt", "blip2_opt_bf16", "blip2_opt_f16"}) {
        CAPTURE(name);
        const Folder folder{name};
        const auto& model = folder.model;
        const auto& pictures = folder.expected["images"];
        for (std::size_t i = 0; i < pictures.size(); ++i) {
            CAPTURE(pictures[i].get<std::string>());
            Dump dump;
            Scratch s(dump);
            const auto pixels = reference_patches("pixel_values", i);
            const auto seen = model.vision(pixels, s);
            const auto said = model.projection(model.qformer(seen, s), s);
            const auto same = [&](const std::string& what) {
                test::check_close(what, dump.at(what).values, golden_part(folder.tensors, what, i), activations);
            };
            same("vision.last_hidden_state");
            same("qformer.layer_3");
            if (folder.name == "blip2_opt") {
                same("vision.embeddings");
                for (int layer = 0; layer < 3; ++layer) same("vision.layer_" + std::to_string(layer));
                same("qformer.embeddings");
                for (int layer = 0; layer < 3; ++layer) same("qformer.layer_" + std::to_string(layer));
            }
            test::check_close("language_projection", said.span(), golden_part(folder.tensors, "language_projection", i),
                              activations);

            // The language model on placeholders, beginning and, for two pictures, a prompt.
            const auto check_run = [&](const std::string& run, std::size_t row) {
                const auto ids = folder.tensors.tensor(run + ".input_ids").to<Token>();
                const std::size_t length = static_cast<std::size_t>(folder.tensors.tensor(run + ".input_ids").shape[1]);
                const std::span<const Token> words(ids.data() + row * length + 8, length - 8);
                auto embedded = s.rows<64>(static_cast<Index>(length));
                std::copy_n(said.data(), said.size(), embedded.data());
                model.language.embedding.into(embedded.slice(8, static_cast<Index>(words.size())), words, s);
                const Index starts[] = {0, embedded.extent(0)};
                const auto logits = model.language.logits(model.language(embedded, starts, s), s);
                test::check_close(run, logits.span(), golden_part(folder.tensors, run + ".logits", row), activations);
            };
            check_run("no_prompt", i);
            if (i < 2) check_run("prompt", i);
        }
    }
}

TEST_CASE("a batch of pictures gives what each picture gives") {
    const Folder folder{"blip2_opt"};
    Scratch s;
    Tensor<float, dyn, 588> all({3 * 16, 588});
    for (std::size_t i = 0; i < 3; ++i) {
        const auto one = reference_patches("pixel_values", i);
        std::copy_n(one.data(), one.size(), all.data() + static_cast<Index>(i) * one.size());
    }
    const auto said = folder.model.qformer(folder.model.vision(all, s), s, 3);
    for (std::size_t i = 0; i < 3; ++i)
        test::check_close("qformer.layer_3", said.slice(static_cast<Index>(i) * 8, 8).span(),
                          golden_part(folder.tensors, "qformer.layer_3", i), activations);
    CHECK_THROWS_AS(folder.model.vision(all.view().slice(0, 20), s), Error);
    CHECK_THROWS_AS(folder.model.qformer(ConstRows<64>(nullptr, {0, 64}), s, 0), Error);
}

TEST_CASE("a larger picture gets interpolated positions") {
    const Folder folder{"blip2_opt"};
    Scratch s;
    const auto pixels = reference_patches("larger.pixel_values", 0);
    const auto side = static_cast<Index>(std::lround(std::sqrt(static_cast<double>(pixels.extent(0)))));
    REQUIRE(side > 4);
    const auto seen = folder.model.vision(pixels, Grid{side, side}, s);
    test::check_close("larger", seen.span(), golden_part(folder.tensors, "larger.vision.last_hidden_state", 0),
                      activations);
}

TEST_CASE("training batches: captions of different lengths side by side, without padding") {
    const Folder folder{"blip2_opt"};
    const auto& ids = folder.tensors.tensor("train.input_ids");
    const auto tokens = ids.to<Token>();
    const auto mask = folder.tensors.tensor("train.attention_mask").to<std::int64_t>();
    const auto length = static_cast<std::size_t>(ids.shape[1]);
    const auto all_logits = test::golden_numbers(folder.tensors, "train.logits");
    Scratch s;
    Tensor<float, dyn, 64> embedded({static_cast<Index>(tokens.size()), 64});
    std::vector<Index> starts;
    std::vector<float> want;
    Index row = 0;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        if (i % length == 0) starts.push_back(row);
        if (mask[i] == 0) continue;
        if (tokens[i] == folder.processor.tokens.image) {
            const auto prefix = golden_part(folder.tensors, "language_projection", i / length);
            std::copy_n(prefix.data() + (row - starts.back()) * 64, 64, embedded.data() + row * 64);
        } else {
            folder.model.language.embedding.into(embedded.view().slice(row, 1), std::span(tokens).subspan(i, 1), s);
        }
        const auto scores = all_logits.begin() + static_cast<std::ptrdiff_t>(i * 608);
        want.insert(want.end(), scores, scores + 608);
        ++row;
    }
    starts.push_back(row);
    REQUIRE(row < static_cast<Index>(tokens.size()));
    const auto logits =
        folder.model.language.logits(folder.model.language(embedded.view().slice(0, row), starts, s), s);
    test::check_close("train.logits", logits.span(), want, activations);
}

namespace {
Image picture_of(const Json& name) {
    return read_image(test::golden("images/" + name.get<std::string>()), test::as_processors);
}
std::string prompt_of(const Json& prompt) { return prompt.is_null() ? "" : prompt.get<std::string>(); }
// The best text and the others, as the search returned them.
std::vector<Generation> all_of(const Caption& caption) {
    std::vector<Generation> all{caption};
    all.insert(all.end(), caption.others.begin(), caption.others.end());
    return all;
}
}  // namespace

TEST_CASE(
    "captions, greedy and with beams: the same tokens, strings and scores as transformers, one by one and in a batch") {
    for (const char* name : {"blip2_opt", "blip2_opt_bf16", "blip2_opt_f16"}) {
        const Folder folder{name};
        for (const auto& entry : folder.expected["generate"].items()) {
            const auto& run = entry.value();
            CAPTURE(name);
            CAPTURE(entry.key());
            GenerateOptions options = test::options_of(run["settings"]);
            const bool greedy = options.beams == 1;
            std::vector<Image> images;
            std::vector<std::string> prompts, streamed(run["images"].size());
            for (std::size_t i = 0; i < run["images"].size(); ++i) {
                images.push_back(picture_of(run["images"][i]));
                prompts.push_back(prompt_of(run["prompts"][i]));
            }
            options.on_text = [&](Index i, std::string_view text) { streamed[static_cast<std::size_t>(i)] += text; };
            Scratch s;
            const auto together = captions(folder.blip2, images, prompts, options, s);
            REQUIRE(together.size() == images.size());
            for (std::size_t i = 0; i < images.size(); ++i) {
                CAPTURE(i);
                const Caption& result = together[i];
                test::check_run(run, i, all_of(result));
                auto read = run["input_ids"][i].get<std::vector<Token>>();
                std::erase(read, folder.processor.tokens.padding);
                CHECK(result.prompt == read);
                for (Index k = 0; k < options.n_best; ++k) {
                    const auto text =
                        run["text"][i * static_cast<std::size_t>(options.n_best) + static_cast<std::size_t>(k)]
                            .get<std::string>();
                    const Generation one = all_of(result)[static_cast<std::size_t>(k)];
                    CHECK(folder.processor.tokenizer->decode(one.tokens, SkipSpecials::yes, OutOfVocabulary::skip) ==
                          text);
                    CHECK(text.find(one.text) != text.npos);
                }
                const auto text = run["text"][i].get<std::string>();
                if (greedy)
                    CHECK((streamed[i] == text || streamed[i] + "\n" == text));
                else
                    CHECK(streamed[i] == result.text);
                options.prompt = prompts[i];
                Dump dump;
                Scratch alone(dump);
                options.on_text = {};
                test::check_run(run, i, all_of(caption(folder.blip2, images[i], options, alone)));
                options.prompt.clear();
                const std::string steps = "generate." + entry.key() + ".step_logits";
                if (folder.tensors.find(steps) == nullptr || options.repetition_penalty != 1.0f) continue;
                const auto want = golden_part(folder.tensors, steps, i);
                std::vector<float> got;
                for (std::size_t step = 0; step < result.tokens.size(); ++step) {
                    const auto& scores = dump.at("step_logits_" + std::to_string(step)).values;
                    got.insert(got.end(), scores.begin(), scores.end());
                }
                test::check_close(steps, got, std::span(want).first(got.size()), activations);
            }
        }
    }
}

TEST_CASE("pixels from the file, not from the reference, give the reference's values too") {
    const Folder folder{"blip2_opt"};
    for (std::size_t i = 0; i < folder.expected["images"].size(); ++i) {
        const auto picture = folder.expected["images"][i].get<std::string>();
        CAPTURE(picture);
        const auto pixels =
            preprocess(read_image(test::golden("images/" + picture), test::as_processors), folder.processor.preprocess);
        const auto want = golden_part(folder.tensors, "pixel_values", i);
        REQUIRE(pixels.size() == static_cast<Index>(want.size()));
        for (std::size_t j = 0; j < want.size(); ++j) REQUIRE(std::abs(pixels.data()[j] - want[j]) <= 1e-6f);
    }
}

TEST_CASE("weights kept as bf16 give what the same rounded weights give in f32") {
    const ModelConfig path(test::golden_checkpoint("blip2_opt_bf16"));
    const auto exact = load_model<Blip2Tiny>(path, {.weight_dtype = DType::f32});
    const auto narrow = load_model<Blip2Tiny>(path, {.weight_dtype = DType::bf16});
    CHECK(parameter_bytes(narrow) < parameter_bytes(exact) * 6 / 10);
    const Folder folder{"blip2_opt_bf16"};
    const auto pixels = reference_patches("pixel_values", 0);
    Scratch s;
    const auto a = exact.projection(exact.qformer(exact.vision(pixels, s), s), s);
    const auto b = narrow.projection(narrow.qformer(narrow.vision(pixels, s), s), s);
    test::check_close("soft prompt", b.span(), a.span(), activations);
}

TEST_CASE("a second pass of the same size allocates nothing: from the picture to the second token") {
    for (const DType stored : {DType::f32, DType::bf16}) {
        const auto model = load_model<Blip2Tiny>(ModelConfig(test::golden("blip2_opt")), {.weight_dtype = stored});
        const auto pixels = reference_patches("pixel_values", 0);
        const Token words[] = {2, 100}, next[] = {7};
        auto cache = model.language.cache(8 + 3);
        Scratch s;
        const auto allocated = [&] {
            const Index before = test::allocations();
            const auto frame = s.frame();
            const auto prompt = s.rows<64>(8 + 2);
            model.projection.into(prompt.slice(0, 8), model.qformer(model.vision(pixels, s), s), s);
            model.language.embedding.into(prompt.slice(8, 2), words, s);
            cache.length = 0;
            model.language.logits(model.language.append(prompt, cache, s).slice(9, 1), s);
            model.language.logits(model.language.append(model.language.embedding(next, s), cache, s), s);
            return test::allocations() - before;
        };
        CHECK(allocated() > 0);
        CHECK(allocated() == 0);
    }
}

TEST_CASE("one model serves many threads at once, each with a scratch of its own") {
    const Folder folder{"blip2_opt"};
    const Pipeline<Blip2Tiny>& blip2 = folder.blip2;
    const std::vector<std::string> files{"wide.png", "tall.png", "wide.png", "tall.png"};
    const auto tokens_of = [&](const std::string& file) {
        Scratch s;
        return caption(blip2, read_image(test::golden("images/" + file)), {.max_tokens = 8}, s).tokens;
    };
    std::vector<std::vector<Token>> found(files.size());
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < files.size(); ++i) threads.emplace_back([&, i] { found[i] = tokens_of(files[i]); });
    for (std::thread& thread : threads) thread.join();
    for (std::size_t i = 0; i < files.size(); ++i) CHECK(found[i] == tokens_of(files[i]));
}

TEST_CASE("a folder that transformers 5 saved has its preprocessing in processor_config.json") {
    const auto path = test::golden("blip2_opt_v5");
    const Preprocess found = read_folder_preprocess(path);
    const Preprocess expected = read_folder_preprocess(test::golden("blip2_opt"));
    CHECK(found.height == 56);
    CHECK(found.image_mean == expected.image_mean);
    CHECK(found.image_std == expected.image_std);
    const ModelConfig config(path);
    CHECK(fits<Blip2Tiny>(config));
    CHECK(config.dtype == "float32");
}

TEST_CASE("options out of range are one sentence each, before any work is done") {
    const Folder folder{"blip2_opt"};
    const auto image = read_image(test::golden("images/wide.png"));
    const auto message = [&](GenerateOptions options) {
        try {
            caption(folder.blip2, image, options);
        } catch (const Error& error) {
            return std::string(error.what());
        }
        return std::string("no error");
    };
    CHECK(message({.max_tokens = -1}) == "[option.value] max_tokens: expected 0 or more, found -1");
    CHECK(message({.max_tokens = 3, .min_tokens = 4}) ==
          "[option.value] min_tokens: expected at most max_tokens = 3, found 4");
    CHECK(message({.repetition_penalty = 0}) ==
          "[option.value] repetition_penalty: expected a number from 0.01 to 100, found 0");
    CHECK(message({.max_tokens = 1000}) ==
          "[sequence.length] prompt and max_tokens: expected at most 160 positions, found 9 + 1000");
    CHECK(message({.prompt = "\xff"}).find("[text.encoding]") == 0);
    CHECK(message({.prompt = "a <image> of"}) ==
          "[option.value] prompt: expected text, found the special token '<image>'");
    CHECK(message({.prompt = "</s>"}) == "[option.value] prompt: expected text, found the special token '</s>'");
    CHECK(message({.max_tokens = 0}) == "no error");
}

TEST_CASE("the end is not chosen before min_tokens, and a token to stop at ends the text") {
    const Folder folder{"blip2_opt"};
    const auto image = read_image(test::golden("images/wide.png"));
    const std::string prompt = "Question: what colour is the boat? Answer:";
    Scratch s;
    const auto penalized =
        caption(folder.blip2, image, {.prompt = prompt, .max_tokens = 20, .repetition_penalty = 1.5f}, s);
    REQUIRE(penalized.tokens.size() == 6);  // ends with the newline
    const auto longer = caption(folder.blip2, image,
                                {.prompt = prompt, .max_tokens = 20, .min_tokens = 12, .repetition_penalty = 1.5f}, s);
    CHECK(longer.tokens.size() >= 12);
    CHECK(std::equal(penalized.tokens.begin(), penalized.tokens.end() - 1, longer.tokens.begin()));
    const auto stopped =
        caption(folder.blip2, image,
                {.prompt = prompt, .max_tokens = 20, .repetition_penalty = 1.5f, .stop = {penalized.tokens[2]}}, s);
    CHECK(stopped.tokens.size() == 3);
}

}  // namespace generate_blip2
