#include <doctest/doctest.h>

#include <cmath>
#include <map>
#include <tessera/train/data/prompted_texts.hpp>

namespace train_data_prompted_texts {
using namespace tessera;

namespace {

using Ids = std::vector<Token>;

Ids ids_of(std::span<const Token> ids) { return {ids.begin(), ids.end()}; }

TokenizedTexts texts_of(std::initializer_list<Ids> all) {
    TokenizedTexts out;
    for (const Ids& ids : all) out.push_back(ids);
    return out;
}

}  // namespace

TEST_CASE("a prompt of so many tokens; something always follows") {
    const TokenizedTexts whole = texts_of({{2, 10, 11, 12, 13}, {2, 10}, {2}});
    PromptedTexts out;
    out.split_after(whole, 3);
    CHECK(ids_of(out.prompts[0]) == Ids{2, 10, 11});
    CHECK(ids_of(out.texts[0]) == Ids{12, 13});
    CHECK(ids_of(out.prompts[1]) == Ids{2});
    CHECK(ids_of(out.texts[1]) == Ids{10});
    CHECK(out.prompts[2].empty());
    CHECK(ids_of(out.texts[2]) == Ids{2});
    out.split_after(whole, 0);
    REQUIRE(out.prompts.count() == 3);
    CHECK(out.prompts[0].empty());
    CHECK(ids_of(out.texts[0]) == Ids{2, 10, 11, 12, 13});
}

TEST_CASE("a text is cut before each of its words equally often, by seed, epoch and item") {
    const TokenizedTexts whole = texts_of({{10, 11, 12, 1}, {1}});
    PromptedTexts out, again;
    std::map<Ids, int> prefixes;
    for (Index epoch = 0; epoch < 3000; ++epoch) {
        const std::vector<Index> items{4, 5};
        out.split_at_random(whole, items, 7, epoch);
        again.split_at_random(whole, items, 7, epoch);
        const Ids prefix = ids_of(out.prompts[0]), following = ids_of(out.texts[0]);
        CHECK(prefix == ids_of(again.prompts[0]));
        CHECK(prefix.back() == 1);
        CHECK(following.size() >= 2);
        Ids joined(prefix.begin(), prefix.end() - 1);
        joined.insert(joined.end(), following.begin(), following.end());
        CHECK(joined == ids_of(whole[0]));
        CHECK(ids_of(out.prompts[1]) == Ids{1});
        CHECK(ids_of(out.texts[1]) == Ids{1});
        ++prefixes[prefix];
    }
    REQUIRE(prefixes.size() == 3);
    for (const auto& [prefix, times] : prefixes) CHECK(std::abs(times - 1000) < 130);  // 5 standard deviations of 26
}

}  // namespace train_data_prompted_texts
