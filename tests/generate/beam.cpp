// Beam search and sampling over made-up scores, where all texts can be looked at.
#include <doctest/doctest.h>

#include <cmath>
#include <tessera/generate/generate.hpp>

namespace generate_beam {
using namespace tessera;

namespace {

// A language of 5 tokens, of which 4 ends a text; how likely a token is depends on the two before it. Rows are one-hot.
struct Toy {
    static constexpr Index embedding_width = 5, vocabulary = 5, most_positions = 64;
    using Cache = KeyValueCache<5>;

    Rows<5> embedding(std::span<const Token> ids, Scratch& s) const {
        const auto y = s.rows<5>(static_cast<Index>(ids.size()));
        for (std::size_t i = 0; i < ids.size(); ++i)
            for (Index c = 0; c < 5; ++c) y(static_cast<Index>(i), c) = c == ids[i] ? 1.0f : 0.0f;
        return y;
    }
    // States: 10·(the token before) + the token. The keys are the rows; the mask says which of them is the parent.
    Rows<5> append(ConstRows<5> embedded, std::span<const Continuation<Cache>> texts, Scratch& s) const {
        const auto y = s.rows<5>(embedded.extent(0));
        Index row = 0;
        for (const auto& text : texts) {
            const auto keys = text.cache->layer(0).keys;
            std::copy_n(embedded.data() + row * 5, text.rows * 5, keys.data() + text.cache->length * 5);
            std::vector<Index> places = text.cache->positions;
            places.insert(places.end(), text.positions.begin(), text.positions.end());
            for (Index i = 0; i < text.rows; ++i, ++row) {
                std::fill_n(y.data() + row * 5, 5, 0.0f);
                const Index own = text.cache->length + i;
                Index seen = 0;
                for (Index key = 0; key <= own; ++key) {
                    if (!text.mask.allows({0, i, key})) continue;
                    ++seen;
                    const Index place = places[static_cast<std::size_t>(key)];
                    if (place == text.positions[static_cast<std::size_t>(i)]) CHECK(key == own);
                    if (place + 1 == text.positions[static_cast<std::size_t>(i)]) y(row, 0) = 10 * token(keys, key);
                }
                y(row, 0) += token(keys, own);
                CHECK(seen == text.positions[static_cast<std::size_t>(i)] + 1);  // one key for each place
            }
            text.cache->advance(text.positions);
        }
        return y;
    }
    Rows<5> logits(ConstRows<5> states, Scratch& s) const {
        const auto y = s.rows<5>(states.extent(0));
        for (Index row = 0; row < states.extent(0); ++row)
            for (Index c = 0; c < 5; ++c) y(row, c) = score(static_cast<Index>(states(row, 0)), c);
        return y;
    }
    std::vector<Beginning<Toy>> begin(std::span<const Prompt<5>> prompts, Index more, Scratch& s,
                                      DType = DType::f32) const {
        std::vector<Beginning<Toy>> out;
        for (const auto& prompt : prompts)
            out.push_back({Cache(1, static_cast<Index>(prompt.ids.size()) + more),
                           embedding(prompt.ids, s),
                           {prompt.ids.begin(), prompt.ids.end()}});
        return out;
    }

    static float score(Index state, Index token) {
        return 2 * std::sin(static_cast<float>(state) * 1.7f + static_cast<float>(token) * 2.9f);
    }

  private:
    static float token(Rows<5> keys, Index key) {
        for (Index c = 0; c < 5; ++c)
            if (keys(key, c) == 1.0f) return static_cast<float>(c);
        return -1;
    }
};
static_assert(LanguageModel<Toy>);

constexpr Token end[] = {4};

double log_probability(Index state, Index token) {
    double sum = 0;
    for (Index c = 0; c < 5; ++c) sum += std::exp(static_cast<double>(Toy::score(state, c)));
    return static_cast<double>(Toy::score(state, token)) - std::log(sum);
}

// Of all texts of at most `most` tokens after `seen`, the best `n`.
void look_at_all(std::vector<Token>& text, std::size_t prompt, double sum, std::size_t most, float length_penalty,
                 std::vector<std::pair<double, std::vector<Token>>>& out) {
    const Index state = 10 * text[text.size() - 2] + text.back();
    for (Token token = 0; token < 5; ++token) {
        const double now = sum + log_probability(state, token);
        text.push_back(token);
        const std::size_t length = text.size() - prompt;
        if (token == 4 || length == most)
            out.emplace_back(now / std::pow(static_cast<double>(length), static_cast<double>(length_penalty)),
                             std::vector<Token>(text.begin() + static_cast<std::ptrdiff_t>(prompt), text.end()));
        else
            look_at_all(text, prompt, now, most, length_penalty, out);
        text.pop_back();
    }
}

std::vector<Generation> search(std::vector<Token> prompt, const GenerateOptions& options) {
    Scratch s;
    const Prompt<5> prompts[] = {{{}, prompt}};
    return generate(Toy{}, prompts, options, end, s)[0];
}

}  // namespace

TEST_CASE("as many beams as there are texts find the best of all texts") {
    for (const float length_penalty : {-1.0f, 0.0f, 1.0f, 2.0f}) {
        std::vector<Token> text{1, 2};
        std::vector<std::pair<double, std::vector<Token>>> all;
        look_at_all(text, 2, 0, 4, length_penalty, all);
        std::sort(all.begin(), all.end(), std::greater<>());
        const auto found = search({1, 2}, {.max_tokens = 4,
                                           .beams = 400,
                                           .n_best = 7,
                                           .length_penalty = length_penalty,
                                           .early_stopping = EarlyStopping::never});
        REQUIRE(found.size() == 7);
        for (std::size_t i = 0; i < 7; ++i) {
            CHECK(found[i].score == doctest::Approx(all[i].first).epsilon(1e-5));
            // Two texts of the same pairs of tokens in another order are equally likely.
            const auto own = std::ranges::find(all, found[i].tokens, &std::pair<double, std::vector<Token>>::second);
            REQUIRE(own != all.end());
            CHECK(found[i].score == doctest::Approx(own->first).epsilon(1e-5));
            CHECK(found[i].finish == (found[i].tokens.back() == 4 ? Finish::end : Finish::length));
        }
    }
}

TEST_CASE("one beam is the likeliest token every time, and its score the mean of logarithms") {
    std::vector<Token> text{3, 0};
    double sum = 0;
    while (text.size() < 8 && text.back() != 4) {
        const Index state = 10 * text[text.size() - 2] + text.back();
        Token best = 0;
        for (Token c = 1; c < 5; ++c)
            if (Toy::score(state, c) > Toy::score(state, best)) best = c;
        sum += log_probability(state, best);
        text.push_back(best);
    }
    const auto found = search({3, 0}, {.max_tokens = 6});
    REQUIRE(found.size() == 1);
    CHECK(found[0].tokens == std::vector<Token>(text.begin() + 2, text.end()));
    CHECK(found[0].score == doctest::Approx(sum / static_cast<double>(text.size() - 2)).epsilon(1e-5));
}

TEST_CASE("early_stopping: at once, or when no running text can win") {
    const auto best = [](EarlyStopping when, float length_penalty) {
        return search({0, 1},
                      {.max_tokens = 12, .beams = 2, .length_penalty = length_penalty, .early_stopping = when})[0]
            .score;
    };
    for (const float length_penalty : {0.0f, 1.0f, 2.0f}) {
        CHECK(best(EarlyStopping::never, length_penalty) >= best(EarlyStopping::no, length_penalty));
        CHECK(best(EarlyStopping::no, length_penalty) >= best(EarlyStopping::yes, length_penalty));
    }
}

TEST_CASE("with early_stopping, texts that end in one step are compared before the search is over") {
    // The end at once, or one of two tokens and then the end: with this length penalty longer texts are better.
    const GenerateOptions options{
        .max_tokens = 5, .beams = 2, .n_best = 2, .length_penalty = 2, .early_stopping = EarlyStopping::yes};
    const GenerateHooks hooks;
    const SearchRules rules(options, end, hooks);
    BeamSearch search(rules, std::vector<Token>{0});
    Scratch s;
    const auto logs = [](std::vector<float> p) {
        for (float& x : p) x = std::log(x);
        return p;
    };
    auto first = logs({0.499f, 0.199f, 0.001f, 0.001f, 0.3f});
    REQUIRE(search.advance(first.data(), 5, s).size() == 2);
    auto second = logs({0.02f, 0.02f, 0.03f, 0.03f, 0.9f, 0.02f, 0.02f, 0.03f, 0.03f, 0.9f});
    CHECK(search.advance(second.data(), 5, s).empty());
    const auto found = search.results();
    REQUIRE(found.size() == 2);
    CHECK(found[0].tokens == std::vector<Token>{0, 4});
    CHECK(found[1].tokens == std::vector<Token>{1, 4});
    CHECK(found[1].score == doctest::Approx(std::log(0.199 * 0.9) / 4).epsilon(1e-5));
}

TEST_CASE("draws: a seed gives the same texts, alone and in a batch; another seed gives others; the best comes first") {
    Scratch s;
    const GenerateOptions options{.max_tokens = 20, .n_best = 8, .sample = true, .seed = 5};
    const std::vector<Token> ids[] = {{1, 2}, {0, 0, 3}, {1, 2}};
    std::vector<Prompt<5>> prompts;
    for (const auto& text : ids) prompts.push_back({{}, text});
    const auto together = generate(Toy{}, prompts, options, end, s);
    for (std::size_t i = 0; i < 3; ++i) {
        const auto alone = search(ids[i], options);
        REQUIRE(together[i].size() == 8);
        for (std::size_t k = 0; k < 8; ++k) {
            CHECK(together[i][k].tokens == alone[k].tokens);
            CHECK(together[i][k].score == alone[k].score);
            if (k > 0) CHECK(alone[k].score <= alone[k - 1].score);
        }
    }
    auto other = options;
    other.seed = 6;
    const auto differs = search(ids[0], other);
    bool same = true, alike = true;
    for (std::size_t k = 0; k < 8; ++k) {
        same = same && differs[k].tokens == together[0][k].tokens;
        alike = alike && together[0][k].tokens == together[0][0].tokens;
    }
    CHECK(!same);
    CHECK(!alike);
    auto cold = options;
    cold.temperature = 0.001f;
    CHECK(search(ids[0], cold)[0].tokens == search(ids[0], {.max_tokens = 20})[0].tokens);
    auto one = options;
    one.top_k = 1;
    CHECK(search(ids[1], one)[7].tokens == search(ids[1], {.max_tokens = 20})[0].tokens);
}

TEST_CASE("the first tokens of draws are as frequent as they are likely") {
    std::vector<double> count(5);
    const auto found = search({2, 1}, {.max_tokens = 1, .n_best = 1000, .sample = true, .seed = 1});
    for (const Generation& text : found) ++count[static_cast<std::size_t>(text.tokens[0])];
    for (Index c = 0; c < 5; ++c) {
        const double p = std::exp(log_probability(21, c));
        CHECK(std::abs(count[static_cast<std::size_t>(c)] - 1000 * p) < 4 * std::sqrt(1000 * p * (1 - p)));
    }
}

TEST_CASE("hooks: every token with why it is the last; false ends a text; steps are counted") {
    Scratch s;
    const std::vector<Token> ids[] = {{1, 2}, {0, 0, 3}};
    const Prompt<5> prompts[] = {{{}, ids[0]}, {{}, ids[1]}};
    const GenerateOptions options{.max_tokens = 9, .min_tokens = 9};
    const auto whole = generate(Toy{}, prompts, options, end, s);
    std::vector<Token> told[2];
    Index steps = 0;
    const auto cut = generate(Toy{}, prompts, options, end, s,
                              {.on_token =
                                   [&](Index text, Token token, std::optional<Finish> last) {
                                       told[text].push_back(token);
                                       CHECK(last.has_value() == (told[text].size() == 9));
                                       return text == 1 || told[text].size() < 4;
                                   },
                               .on_step = [&] { ++steps; }});
    CHECK(steps == 9);
    CHECK(cut[0][0].tokens == told[0]);
    CHECK(cut[0][0].finish == Finish::cancelled);
    CHECK(std::equal(told[0].begin(), told[0].end(), whole[0][0].tokens.begin()));
    CHECK(told[0].size() == 4);
    CHECK(cut[1][0].tokens == whole[1][0].tokens);
    CHECK(cut[1][0].finish == Finish::length);
}

TEST_CASE("rules that leave nothing to say are an error") {
    const std::vector<std::vector<Token>> all{{0}, {1}, {2}, {3}};
    for (const Index beams : {1, 3}) {
        GenerateOptions options{.max_tokens = 4, .min_tokens = 2, .beams = beams};
        options.bad_tokens = all;
        CHECK_THROWS_WITH_AS(
            search({1, 2}, options),
            "[option.value] bad_words, bad_tokens, min_tokens: expected a token that may follow, found none", Error);
        options.min_tokens = 0;  // the end may come
        CHECK(search({1, 2}, options)[0].tokens == std::vector<Token>{4});
    }
    CHECK_THROWS_WITH_AS(
        search({1, 2}, {.stop_strings = {"x"}}),
        "[option.value] stop_strings and bad_words: expected a tokenizer that knows what they are, found none", Error);
    CHECK_THROWS_WITH_AS(search({1, 2}, {.max_tokens = 63}),
                         "[sequence.length] prompt and max_tokens: expected at most 64 positions, found 2 + 63", Error);
}

}  // namespace generate_beam
