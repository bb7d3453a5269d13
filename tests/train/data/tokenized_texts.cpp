// Texts as tokens, cut as transformers cuts them; right values are its own.
#include <doctest/doctest.h>

#include <string>
#include <tessera/text/read/tokenizer.hpp>
#include <tessera/train/data/tokenized_texts.hpp>

#include "support/golden.hpp"

namespace train_data_tokenized_texts {
using namespace tessera;

using Ids = std::vector<Token>;

TEST_CASE("whole and cut, as the Q-Former, OPT and T5 read them") {
    const std::string cat = "a photo of a cat on a mat";
    const std::string dogs = "two dogs and a red ball in the green grass near the old house by the sea";
    const auto bert = read_tokenizer(test::golden("stage1")), opt = read_tokenizer(test::golden("blip2_opt")),
               t5 = read_tokenizer(test::golden("blip2_t5"));
    CHECK(encode_for_qformer(*bert, cat) == Ids{2, 114, 229, 205, 114, 354, 262, 114, 126, 186, 3});
    CHECK(encode_for_qformer(*bert, cat, 9) == Ids{2, 114, 229, 205, 114, 354, 262, 114, 3});
    CHECK(encode_for_qformer(*bert, dogs, 9) == Ids{2, 133, 38, 30, 255, 22, 34, 114, 3});
    CHECK(encode_for_qformer(*bert, dogs).size() == 32);
    CHECK(encode_for_opt(*opt, cat) == Ids{2, 68, 323, 298, 260, 458, 364, 260, 299, 271, 202});
    CHECK(encode_for_opt(*opt, cat, 9) == Ids{2, 68, 323, 298, 260, 458, 364, 260, 299});  // the newline is cut, too
    CHECK(encode_for_t5(*t5, cat) == Ids{3, 14, 28, 27, 15, 3, 93, 45, 3, 6, 38, 21, 1});
    CHECK(encode_for_t5(*t5, cat, 9) == Ids{3, 14, 28, 27, 15, 3, 93, 45, 1});
    CHECK_THROWS_WITH_AS(encode_for_qformer(*bert, cat, 2),
                         "[option.value] most tokens of a text: expected more than 2, found 2", Error);
}

TEST_CASE("texts lie one after another, and memory stays when they go") {
    const auto opt = read_tokenizer(test::golden("blip2_opt"));
    const std::vector<std::string> words{"a cat", "", "a photo of a cat on a mat"};
    TokenizedTexts texts(words, [&](const std::string& text) { return opt->encode(text); });
    REQUIRE(texts.count() == 3);
    CHECK(Ids(texts[1].begin(), texts[1].end()) == Ids{2});
    CHECK(texts[2].size() == 10);
    CHECK(texts.most_tokens() == 10);
    CHECK(TextBatch(texts).length(0) == static_cast<Index>(texts[0].size()));
    texts.clear();
    CHECK(texts.count() == 0);
    CHECK(texts.most_tokens() == 0);
    texts.push_back(Ids{5, 6});
    CHECK(texts[0][1] == 6);
}

}  // namespace train_data_tokenized_texts
