// FlanT5 and BLIP-2 with it, from checkpoint folder to text, against transformers.
#include <doctest/doctest.h>

#include <tessera/checkpoint/safetensors.hpp>
#include <tessera/generate/load.hpp>
#include <tessera/generate/logits_processors.hpp>
#include <tessera/image/decode.hpp>

#include "support/as_processors.hpp"
#include "support/compare.hpp"
#include "support/golden.hpp"
#include "support/golden_models.hpp"
#include "support/read_json.hpp"

namespace generate_t5 {
using namespace tessera;

namespace {

constexpr double activations = 6e-5;  // tests/golden/make/README.template.md

// Row `index` of the first extent of a stored tensor.
std::vector<float> part(const Safetensors& file, const std::string& name, std::size_t index) {
    const auto& tensor = file.tensor(name);
    const auto all = tensor.to_floats();
    const auto size = static_cast<std::ptrdiff_t>(all.size() / static_cast<std::size_t>(tensor.shape.at(0)));
    const auto first = all.begin() + static_cast<std::ptrdiff_t>(index) * size;
    return {first, first + size};
}

// The most likely token again and again, for all texts at once; and the logits of each step.
struct Written {
    std::vector<std::vector<Token>> tokens;
    std::vector<std::vector<float>> logits;
};
template <class Model>
Written write(const Model& model, std::vector<Beginning<Model>> texts, Index most, float penalty, Scratch& s) {
    Written out{std::vector<std::vector<Token>>(texts.size()), std::vector<std::vector<float>>(texts.size())};
    for (Index step = 0; step < most; ++step) {
        const auto frame = s.frame();
        std::vector<std::size_t> going;
        for (std::size_t i = 0; i < texts.size(); ++i)
            if (out.tokens[i].empty() || out.tokens[i].back() != 1) going.push_back(i);
        if (going.empty()) break;
        std::vector<Token> last;
        for (const std::size_t i : going) last.push_back(texts[i].seen.back());
        const Causal mask = Causal::after(step);
        std::vector<Continuation<typename Model::Cache>> rows;
        for (const std::size_t i : going) rows.push_back({&texts[i].cache, 1, mask, {&step, 1}});
        const auto logits = model.logits(model.append(model.embedding(last, s), rows, s), s);
        for (std::size_t k = 0; k < going.size(); ++k) {
            const std::size_t i = going[k];
            const auto scores = logits.slice(static_cast<Index>(k), 1);
            out.logits[i].insert(out.logits[i].end(), scores.begin(), scores.end());
            repetition_penalty(scores.span(), texts[i].seen, penalty);
            texts[i].seen.push_back(argmax(scores.span()));
            out.tokens[i].push_back(texts[i].seen.back());
        }
    }
    return out;
}

}  // namespace

TEST_CASE("FlanT5 alone: the tokenizer's ids, a ragged batch, greedy tokens and their logits") {
    const auto path = test::golden("t5");
    const Json expected = test::read_json(path / "expected.json");
    const Safetensors file(path / "expected.safetensors");
    const auto model = load<T5<test::golden_t5>>(path.string());
    const auto tokenizer = read_tokenizer(path);
    Scratch s;
    std::vector<std::vector<Token>> ids;
    std::vector<Prompt<64>> prompts;
    for (const auto& text : expected["prompts"]) ids.push_back(tokenizer->encode(text.get<std::string>()));
    for (const auto& text : ids) prompts.push_back({ConstRows<64>(nullptr, {0, 64}), text});
    const auto stored = file.tensor("input_ids").to<Token>();
    CHECK(std::equal(ids[0].begin(), ids[0].end(), stored.begin()));
    const auto& run = expected["generate"]["greedy"];
    const Index most = run["settings"]["max_new_tokens"];
    const Written written = write(model, model.begin(prompts, most, s), most, 1, s);
    for (std::size_t i = 0; i < prompts.size(); ++i) {
        CAPTURE(i);
        CHECK(written.tokens[i] == run["new_tokens"][i].get<std::vector<Token>>());
        CHECK(tokenizer->decode(written.tokens[i], SkipSpecials::yes, OutOfVocabulary::skip) ==
              run["text"][i].get<std::string>());
        test::check_close("step_logits", written.logits[i], part(file, "generate.greedy.step_logits", i), activations);
    }
}

namespace {

struct Folder {
    std::filesystem::path path = test::golden("blip2_t5");
    Json expected = test::read_json(path / "expected.json");
    Safetensors tensors{path / "expected.safetensors"};
    Pipeline<Blip2TinyT5> blip2 = load<Blip2TinyT5>(path.string());
    const Blip2TinyT5& model = blip2.model;
    const Blip2Processor& processor = blip2.processor;

    // What the Q-Former says of a picture, as the language model reads it.
    Rows<64> soft(const std::string& picture, Scratch& s, std::size_t compared = 99) const {
        const auto image = read_image(test::golden("images/" + picture), test::as_processors);
        const auto pixels = preprocess(image, processor.preprocess);
        Tensor<float, dyn, 588> patches({16, 588});
        patchify(patches.view(), pixels.view(), 14);
        const auto seen = model.vision(patches, s);
        const auto said = model.qformer(seen, s);
        const auto out = model.projection(said, s);
        if (compared < 99) {
            const auto same = [&](const std::string& name, std::span<const float> got) {
                test::check_close(name, got, part(tensors, name, compared), activations);
            };
            same("vision.last_hidden_state", seen.span());
            same("qformer.layer_3", said.span());
            same("language_projection", out.span());
        }
        return out;
    }
};

}  // namespace

TEST_CASE("pictures through image encoder, Q-Former and FlanT5: the states and logits of the reference") {
    const Folder folder;
    const auto ids = folder.processor.prompt_ids(folder.expected["prompt"]["text"].get<std::string>(), 8);
    for (std::size_t i = 0; i < folder.expected["images"].size(); ++i) {
        CAPTURE(i);
        Scratch s;
        const Prompt<64> prompt[] = {{folder.soft(folder.expected["images"][i].get<std::string>(), s, i), ids}};
        const Written written = write(folder.model.language, folder.model.language.begin(prompt, 1, s), 1, 1, s);
        test::check_close("prompt.logits", written.logits[0], part(folder.tensors, "prompt.logits", i), activations);
    }
}

TEST_CASE("a prompt of more than 150 tokens beside a short one, and as long an answer") {
    const Folder folder;
    Scratch s;
    const auto& language = folder.model.language;
    const auto ids = folder.tensors.tensor("long.input_ids").to<Token>();
    const auto mask = folder.tensors.tensor("long.attention_mask").to<std::int64_t>();
    const auto words = folder.tensors.tensor("long.decoder_input_ids").to<Token>();
    const std::size_t length = ids.size() / 2, answer = words.size() / 2;
    std::vector<std::vector<Token>> texts(2);
    std::vector<Prompt<64>> prompts;
    for (std::size_t i = 0; i < ids.size(); ++i)
        if (mask[i] != 0) texts[i / length].push_back(ids[i]);
    for (std::size_t i = 0; i < 2; ++i)
        prompts.push_back({folder.soft(folder.expected["long"]["images"][i].get<std::string>(), s), texts[i]});
    auto begun = language.begin(prompts, static_cast<Index>(answer), s);
    std::vector<Index> positions;
    for (std::size_t t = 0; t < answer; ++t) positions.push_back(static_cast<Index>(t));
    const Causal causal{};
    const Continuation<T5<tiny_t5>::Cache> both[] = {{&begun[0].cache, static_cast<Index>(answer), causal, positions},
                                                     {&begun[1].cache, static_cast<Index>(answer), causal, positions}};
    const auto states = language.append(language.embedding(words, s), both, s);
    for (std::size_t i = 0; i < 2; ++i) {
        const auto last = states.slice(static_cast<Index>((i + 1) * answer) - 20, 20);
        test::check_close("logits", language.logits(last, s).span(), part(folder.tensors, "long.logits_of_last_20", i),
                          activations);
    }
}

TEST_CASE("greedy captions of BLIP-2 with FlanT5: the same tokens, strings and scores as transformers") {
    const Folder folder;
    int compared = 0;
    for (const auto& entry : folder.expected["generate"].items()) {
        const auto& run = entry.value();
        const auto& settings = run["settings"];
        if (settings.value("num_beams", 1) != 1) continue;
        CAPTURE(entry.key());
        Scratch s;
        std::vector<std::vector<Token>> ids;
        std::vector<Prompt<64>> prompts;
        for (const auto& text : run["prompts"]) ids.push_back(folder.processor.prompt_ids(text.get<std::string>(), 8));
        for (std::size_t i = 0; i < ids.size(); ++i) {
            const auto want = run["input_ids"][i].get<std::vector<Token>>();
            CHECK(std::equal(ids[i].begin(), ids[i].end(), want.begin()));  // transformers pads after them
            prompts.push_back({folder.soft(run["images"][i].get<std::string>(), s), ids[i]});
        }
        const Index most = settings["max_new_tokens"];
        const auto& language = folder.model.language;
        const Written written =
            write(language, language.begin(prompts, most, s), most, settings.value("repetition_penalty", 1.0f), s);
        for (std::size_t i = 0; i < ids.size(); ++i) {
            CAPTURE(i);
            CHECK(written.tokens[i] == run["new_tokens"][i].get<std::vector<Token>>());
            CHECK(folder.processor.tokenizer->decode(written.tokens[i], SkipSpecials::yes, OutOfVocabulary::skip) ==
                  run["text"][i].get<std::string>());
            if (const std::string steps = "generate." + entry.key() + ".step_logits";
                folder.tensors.find(steps) != nullptr) {
                const auto all = part(folder.tensors, steps, i);
                test::check_close(steps, written.logits[i], std::span(all).first(written.logits[i].size()),
                                  activations);
                ++compared;
            }
        }
    }
    CHECK(compared == 2);
}

}  // namespace generate_t5
