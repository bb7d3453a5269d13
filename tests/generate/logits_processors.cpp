#include <doctest/doctest.h>

#include <tessera/checkpoint/safetensors.hpp>
#include <tessera/generate/search.hpp>

#include "support/golden.hpp"
#include "support/read_json.hpp"

namespace generate_logits_processors {
using namespace tessera;
using namespace tessera::logits;

namespace {
// PyTorch's sort leaves open which of equal scores come first: of these, as many must stay, whichever they are.
void check_row(std::span<const float> got, std::span<const float> want, std::span<const float> scores) {
    std::vector<float> kept(got.begin(), got.end()), wanted(want.begin(), want.end());
    std::sort(kept.begin(), kept.end());
    std::sort(wanted.begin(), wanted.end());
    REQUIRE(kept == wanted);
    for (std::size_t i = 0; i < want.size(); ++i)
        if (std::count(scores.begin(), scores.end(), scores[i]) == 1) REQUIRE(got[i] == want[i]);
}
}  // namespace

TEST_CASE("every processor gives the scores of transformers, to the bit") {
    const Safetensors file(test::golden("logits_processors/expected.safetensors"));
    const Json expected = test::read_json(test::golden("logits_processors/expected.json"));
    const auto ids = file.tensor("input_ids").to<Token>();
    const auto scores = file.tensor("scores").to_floats();
    const auto rows = static_cast<std::size_t>(file.tensor("scores").shape[0]);
    const auto words = scores.size() / rows, length = ids.size() / rows;
    const Token end[] = {expected["eos_token_id"]};
    Scratch s;
    for (const auto& entry : expected["cases"].items()) {
        const std::string name = entry.key();
        const auto& settings = entry.value();
        CAPTURE(name);
        GenerateOptions options;
        options.repetition_penalty = settings.value("repetition_penalty", 1.0f);
        options.no_repeat_ngram = settings.value("no_repeat_ngram_size", 0);
        options.min_tokens = settings.value("min_new_tokens", 0);
        const SearchRules rules(options, end, {});
        auto mine = scores;
        for (std::size_t r = 0; r < rows; ++r) {
            const std::span<float> row(mine.data() + r * words, words);
            const std::span<const Token> seen(ids.data() + r * length, length);
            rules.process(row, seen, static_cast<Index>(length) - settings.value("prompt_length", 0));
            temperature(row, settings.value("temperature", 1.0f));
            top_k(row, settings.value("top_k", 0), s);
            top_p(row, settings.value("top_p", 1.0), s);
        }
        const auto want = file.tensor("out." + name).to_floats();
        bool changed = false;
        for (std::size_t i = 0; i < want.size(); ++i) changed = changed || want[i] != scores[i];
        for (std::size_t r = 0; r < rows; ++r) {
            const auto row = [&](const std::vector<float>& all) { return std::span(all).subspan(r * words, words); };
            if (settings.contains("top_p"))
                check_row(row(mine), row(want), row(scores));
            else
                for (std::size_t i = 0; i < words; ++i) REQUIRE(row(mine)[i] == row(want)[i]);
        }
        const bool changes =
            name != "top_k_more_than_vocabulary" && name != "top_p_1_0" && name != "min_new_tokens_5_after_5";
        CHECK(changed == changes);
    }
}

TEST_CASE("min_p keeps what is likely enough beside the most likely token") {
    Scratch s;
    std::vector<float> scores{std::log(0.5f), std::log(0.3f), std::log(0.15f), std::log(0.05f), forbidden};
    min_p(scores, 0.25, s);  // 0.125
    CHECK(scores == std::vector<float>{std::log(0.5f), std::log(0.3f), std::log(0.15f), forbidden, forbidden});
    min_p(scores, 1.0, s);
    CHECK(scores[0] == std::log(0.5f));
    CHECK(scores[1] == forbidden);
}

TEST_CASE("top_p keeps at least one token, and of tokens that cannot be chosen none") {
    Scratch s;
    std::vector<float> scores{1, forbidden, 4, 2};
    top_p(scores, 0.0, s);
    CHECK(scores == std::vector<float>{forbidden, forbidden, 4, forbidden});
    std::vector<float> none(3, forbidden);
    top_p(none, 0.5f, s);
    CHECK(none == std::vector<float>(3, forbidden));
}

TEST_CASE("bad words of one token never come, of several only where all others stand before the last") {
    const std::vector<std::vector<Token>> bad{{4}, {1, 2}, {0, 1, 3}};
    const auto allowed = [&](std::vector<Token> seen) {
        std::vector<float> scores(6, 0.5f);
        no_bad_words(scores, seen, bad);
        std::string out;
        for (const float score : scores) out += score == forbidden ? '.' : '+';
        return out;
    };
    CHECK(allowed({}) == "++++.+");
    CHECK(allowed({1}) == "++.+.+");
    CHECK(allowed({0, 1}) == "++...+");
    CHECK(allowed({0, 1, 5}) == "++++.+");
}

TEST_CASE("short histories repeat nothing; sequences of one token never come again") {
    float scores[] = {1, 2, 3};
    no_repeat_ngram(scores, {}, 2);
    CHECK(scores[2] == 3);
    const Token seen[] = {0, 2};
    no_repeat_ngram(scores, seen, 1);
    CHECK(scores[0] == forbidden);
    CHECK(scores[1] == 2);
    CHECK(scores[2] == forbidden);
}

TEST_CASE("ids beyond the vocabulary, such as the placeholders of queries, are passed over") {
    std::vector<float> scores(6, 1.0f);
    const std::vector<Token> seen{50265, 50265, 2, -1};
    no_repeat_ngram(scores, seen, 1);
    repetition_penalty(scores, seen, 2.0f);
    suppress(scores, seen);
    CHECK(scores == std::vector<float>{1, 1, forbidden, 1, 1, 1});
}

TEST_CASE("the largest score wins, the first of equals; NaN is an error") {
    const float scores[] = {forbidden, 2, 5, 5};
    CHECK(argmax(scores) == 2);
    const float broken[] = {1, std::numeric_limits<float>::quiet_NaN()};
    CHECK_THROWS_WITH_AS(logits::require_numbers(broken),
                         "[checkpoint.value] logits: expected numbers, found NaN for token 1", Error);
}

}  // namespace generate_logits_processors
