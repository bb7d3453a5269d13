#include <doctest/doctest.h>

#include <cmath>
#include <tessera/generate/sample.hpp>

namespace generate_sample {
using namespace tessera;
using namespace tessera::sampling;
using tessera::logits::forbidden;

TEST_CASE("weights are e^x in whole numbers, to 30 bits of the largest") {
    Scratch s;
    std::vector<float> scores{0};
    for (float x = -23; x <= 0; x += 0.0371f) scores.push_back(x);
    scores.push_back(forbidden);
    const ExpWeights weights(scores, s);
    std::uint64_t total = 0;
    double worst = 0;
    for (std::size_t i = 0; i < scores.size(); ++i) {
        const double exact = std::exp(static_cast<double>(scores[i])) * static_cast<double>(ExpWeights::one);
        worst = std::max(worst, std::abs(static_cast<double>(weights[static_cast<Index>(i)]) - exact));
        total += weights[static_cast<Index>(i)];
    }
    CHECK(worst <= 4);
    CHECK(weights[0] == ExpWeights::one);
    CHECK(weights[static_cast<Index>(scores.size()) - 1] == 0);
    CHECK(weights.total() == total);
    // Only differences count.
    for (float& score : scores) score += 1024;
    CHECK(ExpWeights(scores, s).total() == doctest::Approx(static_cast<double>(total)).epsilon(1e-4));
}

TEST_CASE("draws are as frequent as they are likely") {
    Scratch s;
    const double p[] = {0.5, 0.25, 0.2, 0.05};
    std::vector<float> scores;
    for (const double x : p) scores.push_back(static_cast<float>(std::log(x)) + 3);
    scores.insert(scores.begin() + 1, forbidden);
    std::vector<double> count(5);
    constexpr int draws = 40000;
    for (int i = 0; i < draws; ++i)
        ++count[static_cast<std::size_t>(draw(scores, 7, 0, static_cast<std::uint64_t>(i), s))];
    CHECK(count[1] == 0);
    for (std::size_t i = 0; i < 4; ++i) {
        const double sigma = std::sqrt(draws * p[i] * (1 - p[i]));
        CHECK(std::abs(count[i == 0 ? 0 : i + 1] - draws * p[i]) < 4 * sigma);
    }
    const std::vector<float> none(3, forbidden);
    CHECK_THROWS_WITH_AS(
        draw(none, 0, 0, 0, s),
        "[option.value] bad_words, bad_tokens, min_tokens: expected a token that may follow, found none", Error);
}

TEST_CASE("the same draws everywhere: these numbers are fixed") {
    CHECK(random_bits(0, 0, 0) == 0x238275bc38fcbe91u);
    CHECK(random_bits(1, 2, 3) == 0xd0734750fde362b3u);
    Scratch s;
    std::vector<float> scores(1000);
    for (std::size_t i = 0; i < scores.size(); ++i) scores[i] = static_cast<float>(i * 37 % 101) / 16;
    std::vector<Token> drawn;
    for (std::uint64_t step = 0; step < 8; ++step) drawn.push_back(draw(scores, 42, 0, step, s));
    CHECK(drawn == std::vector<Token>{158, 510, 312, 65, 696, 775, 868, 756});
    std::vector<Token> others;
    for (std::uint64_t step = 0; step < 8; ++step) others.push_back(draw(scores, 42, 1, step, s));
    CHECK(others != drawn);
}

}  // namespace generate_sample
