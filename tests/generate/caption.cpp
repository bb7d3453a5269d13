// Captions and answers with every kind of option, on the small checkpoint of random weights.
#include <doctest/doctest.h>

#include <tessera/generate/answer.hpp>
#include <tessera/generate/load.hpp>
#include <tessera/image/decode.hpp>
#include <thread>

#include "support/allocations.hpp"
#include "support/golden.hpp"
#include "support/message_of.hpp"

namespace generate_caption {
using namespace tessera;

namespace {

const Pipeline<Blip2Tiny>& blip2() {
    static const auto loaded = load<Blip2Tiny>(test::golden("blip2_opt").string());
    return loaded;
}
const std::vector<Image>& pictures() {
    static const std::vector<Image> read{read_image(test::golden("images/wide.png")),
                                         read_image(test::golden("images/tall.png"))};
    return read;
}
// What the language model says of the first picture with a penalty that lets it end.
GenerateOptions talkative(std::string prompt = "a photo of") {
    return {.prompt = std::move(prompt), .max_tokens = 20, .repetition_penalty = 1.5f};
}

}  // namespace

TEST_CASE("pictures and prompts: one of each for each, one for all") {
    Scratch s;
    const std::string two[] = {"a photo of", "Question: what colour is the boat? Answer:"};
    const auto alone = [&](std::size_t picture, const std::string& prompt) {
        return caption(blip2(), pictures()[picture], {.prompt = prompt, .max_tokens = 6}, s).tokens;
    };
    const GenerateOptions options{.max_tokens = 6};
    const auto pairs = captions(blip2(), pictures(), two, options, s);
    const auto prompts = captions(blip2(), std::span(pictures()).first(1), two, options, s);
    const auto all = captions(blip2(), pictures(), std::span(two).first(1), options, s);
    const auto plain = captions(blip2(), pictures(), {}, options, s);
    for (std::size_t i = 0; i < 2; ++i) {
        CHECK(pairs[i].tokens == alone(i, two[i]));
        CHECK(prompts[i].tokens == alone(0, two[i]));
        CHECK(all[i].tokens == alone(i, two[0]));
        CHECK(plain[i].tokens == alone(i, ""));
    }
    CHECK(captions(blip2(), {}, std::span(two).first(1), options, s).empty());
    CHECK(test::message_of([&] { captions(blip2(), pictures(), std::vector<std::string>(3), options, s); }) ==
          "[option.value] prompts: expected one, or one for each of 2 pictures, found 3");
    CHECK(test::message_of([&] { captions(blip2(), pictures(), two, {.prompt = "a"}, s); }) ==
          "[option.value] prompt: expected none beside a list of 2 prompts");
}

TEST_CASE("an answer is the caption after the question in its place") {
    Scratch s;
    const GenerateOptions options{.max_tokens = 8, .beams = 3};
    auto asked = options;
    asked.prompt = "Question: what is it? Answer:";
    const auto want = caption(blip2(), pictures()[0], asked, s);
    const auto got = answer(blip2(), pictures()[0], "what is it?", options, s);
    CHECK(got.tokens == want.tokens);
    CHECK(got.prompt == want.prompt);
    asked.prompt = "{} It is";
    CHECK(answer(blip2(), pictures()[0], "what is it?", asked, s).prompt ==
          caption(blip2(), pictures()[0], {.prompt = "what is it? It is", .max_tokens = 1}, s).prompt);
    const std::string questions[] = {"what is it?", "who?"};
    CHECK(answers(blip2(), pictures(), questions, options, s)[0].tokens == want.tokens);
    asked.prompt = "It is";
    CHECK(test::message_of([&] { answer(blip2(), pictures()[0], "what?", asked); }) ==
          "[option.value] prompt: expected {} in the place of the question, found 'It is'");
    CHECK(test::message_of([&] { answers(blip2(), pictures(), {}, options, s); }) ==
          "[option.value] questions: expected at least one, found none");
}

TEST_CASE("a stop string ends the text and is cut off it, also where it is streamed, and with beams") {
    Scratch s;
    const auto whole = caption(blip2(), pictures()[0], talkative(), s);
    const std::string text = whole.text;
    REQUIRE(text.size() > 6);
    auto options = talkative();
    const std::string stop = text.substr(3, 3);
    options.stop_strings = {stop, "never said"};
    std::string streamed;
    options.on_text = [&](std::string_view part) { streamed += part; };
    const auto cut = caption(blip2(), pictures()[0], options, s);
    CHECK(cut.finish == Finish::stop_string);
    CHECK(cut.tokens.size() < whole.tokens.size());
    const std::string up_to = text.substr(0, text.find(stop));
    CHECK(cut.text == up_to.substr(0, up_to.find_last_not_of(' ') + 1));
    CHECK(streamed.ends_with(up_to));
    CHECK(streamed.find(stop) == std::string::npos);
    options.beams = 4;
    for (const Generation& one : captions(blip2(), pictures(), {}, options, s)) {
        CHECK(one.text.find(stop) == std::string::npos);
        CHECK((one.finish != Finish::stop_string ||
               blip2().processor.tokenizer->decode(one.tokens, SkipSpecials::yes, OutOfVocabulary::skip).find(stop) !=
                   std::string::npos));
    }
}

TEST_CASE("bad words do not occur, and n best texts come with their scores") {
    Scratch s;
    auto options = talkative();
    options.beams = options.n_best = 4;
    const auto found = caption(blip2(), pictures()[0], options, s);
    REQUIRE(found.others.size() == 3);
    for (std::size_t i = 0; i < 3; ++i) {
        CHECK(found.others[i].score <= (i == 0 ? found.score : found.others[i - 1].score));
        CHECK(found.others[i].tokens != found.tokens);
    }
    const auto first = found.text.substr(0, found.text.find(' '));
    options.bad_words = {first};
    const auto without = caption(blip2(), pictures()[0], options, s);
    CHECK(without.tokens != found.tokens);
    const auto& tokenizer = *blip2().processor.tokenizer;
    for (const auto& word : {tokenizer.encode(first, Specials::omit), tokenizer.encode(" " + first, Specials::omit)})
        CHECK(std::search(without.tokens.begin(), without.tokens.end(), word.begin(), word.end()) ==
              without.tokens.end());
}

TEST_CASE("a callback that returns false ends its text, and only that") {
    Scratch s;
    std::string heard[2];
    GenerateOptions options{.max_tokens = 12, .on_text = [&](Index i, std::string_view text) {
                                heard[i] += text;
                                return i == 1 || heard[0].size() < 5;
                            }};
    const auto cut = captions(blip2(), pictures(), {}, options, s);
    CHECK(cut[0].finish == Finish::cancelled);
    CHECK(heard[0].size() >= 5);
    CHECK(cut[0].tokens.size() < 12);
    CHECK(cut[1].tokens == caption(blip2(), pictures()[1], {.max_tokens = 12}, s).tokens);
}

TEST_CASE("after the first step nothing is allocated where scratch has grown before, whatever the search") {
    Scratch s;
    const auto& [model, processor] = blip2();
    const auto ids = processor.prompt_ids("a photo of", 8);
    const auto soft = s.rows<64>(8);
    std::fill_n(soft.data(), soft.size(), 0.1f);
    const Prompt<64> prompts[] = {{soft, ids}, {soft, ids}};
    GenerateOptions greedy{.max_tokens = 30, .min_tokens = 30}, beams = greedy, draws = greedy;
    beams.beams = 5;
    draws.sample = true, draws.n_best = 3, draws.top_k = 50, draws.top_p = 0.95, draws.min_p = 0.01;
    for (const auto& options : {greedy, beams, draws}) {
        std::vector<Index> after;
        after.reserve(30);
        for (const bool again : {false, true}) {
            after.clear();
            generate(model.language, prompts, options, processor.tokens.end, s,
                     {.on_step = [&] { after.push_back(test::allocations()); }});
            REQUIRE(after.size() == 30);
            // The last step makes the results.
            for (std::size_t step = 1; again && step < 29; ++step) CHECK(after[step] == after[0]);
        }
    }
}

TEST_CASE("the same bits whatever the number of threads, and from several threads at once") {
    auto options = talkative();
    options.beams = options.n_best = 3;
    const auto run = [&] {
        Scratch s;
        return captions(blip2(), pictures(), {}, options, s);
    };
    const auto before = kernel::threads();
    kernel::set_threads(1);
    const auto want = run();
    kernel::set_threads(before);
    const auto same = [&](const std::vector<Caption>& got) {
        bool all = true;
        for (std::size_t i = 0; i < want.size(); ++i)
            all = all && got[i].tokens == want[i].tokens && got[i].score == want[i].score;
        return all;
    };
    CHECK(same(run()));
    std::vector<Caption> found[3];
    std::vector<std::thread> threads;
    for (auto& captions : found) threads.emplace_back([&] { captions = run(); });
    for (auto& thread : threads) thread.join();
    for (const auto& captions : found) CHECK(same(captions));
}

TEST_CASE("options out of range are one sentence each") {
    const auto of = [](const GenerateOptions& options) { return test::message_of([&] { require_valid(options); }); };
    CHECK(of({.beams = 0}) == "[option.value] beams: expected 1 to 1000, found 0");
    CHECK(of({.beams = 2, .sample = true}) ==
          "[option.value] beams: expected 1 where texts are drawn by chance, found 2");
    CHECK(of({.beams = 2, .n_best = 3}) == "[option.value] n_best: expected at most beams = 2, found 3");
    CHECK(of({.n_best = 0}) == "[option.value] n_best: expected 1 to 1000, found 0");
    CHECK(of({.length_penalty = std::numeric_limits<float>::quiet_NaN()})
              .starts_with("[option.value] length_penalty: expected a number from -100 to 100, found "));
    CHECK(of({.early_stopping = EarlyStopping::yes}) ==
          "[option.value] early_stopping: expected no with one beam, found another");
    CHECK(of({.sample = true, .temperature = 0}) ==
          "[option.value] temperature: expected a number from 0.0001 to 10000, found 0");
    CHECK(of({.sample = true, .top_k = -1}) == "[option.value] top_k: expected 0 or more, found -1");
    CHECK(of({.sample = true, .top_p = 1.5}) == "[option.value] top_p: expected a number from 0 to 1, found 1.5");
    CHECK(of({.sample = true, .min_p = -0.5}) == "[option.value] min_p: expected a number from 0 to 1, found -0.5");
    CHECK(of({.top_k = 5}) ==
          "[option.value] sample: expected true with temperature, top_k, top_p or min_p, found false");
    CHECK(of({.no_repeat_ngram = -1}) == "[option.value] no_repeat_ngram: expected 0 or more, found -1");
    CHECK(of({.bad_words = {""}}) == "[option.value] bad_words: expected words, found an empty string");
    CHECK(of({.bad_tokens = {{}}}) == "[option.value] bad_tokens: expected tokens, found an empty sequence");
    CHECK(of({.stop_strings = {""}}) == "[option.value] stop_strings: expected text, found an empty string");
    CHECK(of({.sample = true, .top_k = 50, .top_p = 0.9}) == "no error");
}

}  // namespace generate_caption
