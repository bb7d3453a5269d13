#include <doctest/doctest.h>

#include <tessera/checkpoint/safetensors.hpp>
#include <tessera/generate/logits.hpp>
#include <tessera/generate/options.hpp>

#include "support/golden.hpp"
#include "support/read_json.hpp"

namespace generate_logits {
using namespace tessera;

TEST_CASE("repetition penalty and repeated sequences as transformers has them") {
    const Safetensors file(test::golden("logits_processors/expected.safetensors"));
    const Json expected = test::read_json(test::golden("logits_processors/expected.json"));
    const auto ids = file.tensor("input_ids").to<Token>();
    const auto scores = file.tensor("scores").to_floats();
    const auto rows = static_cast<std::size_t>(file.tensor("scores").shape[0]);
    const auto words = scores.size() / rows, length = ids.size() / rows;
    int compared = 0;
    for (const auto& entry : expected["cases"].items()) {
        const std::string name = entry.key();
        const auto& settings = entry.value();
        CAPTURE(name);
        const float penalty = settings.value("repetition_penalty", 1.0f);
        const Index repeat = settings.value("no_repeat_ngram_size", 0);
        if (settings.size() != static_cast<std::size_t>((penalty != 1.0f) + (repeat != 0)))
            continue;  // others: sampling
        auto mine = scores;
        for (std::size_t r = 0; r < rows; ++r) {
            const std::span<float> row(mine.data() + r * words, words);
            const std::span<const Token> seen(ids.data() + r * length, length);
            penalize_repetition(row, seen, penalty);
            no_repeat_ngram(row, seen, repeat);
        }
        const auto want = file.tensor("out." + name).to_floats();
        for (std::size_t i = 0; i < want.size(); ++i) REQUIRE(mine[i] == want[i]);
        ++compared;
    }
    CHECK(compared >= 2);
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
    penalize_repetition(scores, seen, 2.0f);
    suppress(scores, seen);
    CHECK(scores == std::vector<float>{1, 1, forbidden, 1, 1, 1});
}

TEST_CASE("the largest score wins, the first of equals; NaN is an error") {
    const float scores[] = {forbidden, 2, 5, 5};
    CHECK(argmax(scores) == 2);
    const float broken[] = {1, std::numeric_limits<float>::quiet_NaN()};
    CHECK_THROWS_AS(argmax(broken), Error);
}

}  // namespace generate_logits
