#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <random>
#include <string>
#include <string_view>
#include <tessera/text/model/unigram.hpp>
#include <utility>
#include <vector>

#include "text/scratch_folder.hpp"

namespace text_unigram {
using namespace tessera;
using test::message_of;

namespace {
const UnigramOptions plain = [] {
    UnigramOptions options;
    options.prepend = UnigramOptions::Prepend::never;
    return options;
}();

std::string pieces(const Unigram& model, std::string_view text, bool first = true) {
    std::vector<Token> ids;
    model.encode(text, first, ids);
    std::string out;
    for (const Token id : ids) (out += out.empty() ? "" : " ") += *model.vocabulary().piece(id);
    return out;
}
Unigram letters(UnigramOptions options) {
    return Unigram({{"<unk>", 0}, {"▁", -1}, {"a", -1}, {"b", -1}, {"▁a", -1}, {"▁b", -1.5}, {"▁▁", -1}}, 0,
                   std::move(options), "test");
}
}  // namespace

TEST_CASE("the best way through a word") {
    const Unigram model(
        {{"<unk>", 0}, {"a", 0}, {"b", 0}, {"c", 0}, {"d", 0}, {"cd", 1}, {"ab", 2}, {"abc", 5}, {"abcd", 10}}, 0,
        plain, "test");
    CHECK(pieces(model, "abcd") == "abcd");
    CHECK(pieces(model, "abcdacdxx") == "abcd a cd <unk>");
    CHECK(pieces(model, "x猫aéb") == "<unk> a <unk> b");
    CHECK(pieces(model, "") == "");
}

TEST_CASE("of equally good ways, the one that comes to a place first") {
    const Unigram model({{"<unk>", 0}, {"a", -1}, {"aa", -2}, {"aaa", -3}}, 0, plain, "test");
    CHECK(pieces(model, "aaa") == "aaa");
    const Unigram other({{"<unk>", 0}, {"a", -1}, {"b", -1}, {"ab", -1.5}, {"bb", -1.5}}, 0, plain, "test");
    CHECK(pieces(other, "abb") == "a bb");  // as good as "ab b"
}

TEST_CASE("no other way has a better score") {
    std::mt19937 random(7);
    std::uniform_real_distribution<double> score(-8, -1);
    const std::vector<std::string> letters{"a", "b", "é"};
    for (int round = 0; round < 100; ++round) {
        std::vector<Unigram::Piece> list{{"<unk>", 0}};
        for (const auto& piece : letters) list.push_back({piece, score(random)});
        for (const char* piece : {"ab", "ba", "aé", "éa", "aab", "bé", "aba", "éé", "abab"})
            if (random() % 3 > 0) list.push_back({piece, score(random)});
        const Unigram model(list, 0, plain, "test");
        for (int i = 0; i < 10; ++i) {
            std::vector<std::string> characters;
            std::string word;
            for (std::size_t n = 1 + random() % 9; n > 0; --n) word += characters.emplace_back(letters[random() % 3]);

            double best = -1e9;  // over all ways to set borders between the characters
            for (unsigned borders = 0; borders < 1u << (characters.size() - 1); ++borders) {
                double sum = 0;
                std::string part;
                for (std::size_t k = 0; k < characters.size(); ++k) {
                    part += characters[k];
                    if (k + 1 < characters.size() && !(borders >> k & 1)) continue;
                    const auto piece = model.vocabulary().find(part);
                    sum += piece ? list[static_cast<std::size_t>(*piece)].score : -1e9;
                    part.clear();
                }
                best = std::max(best, sum);
            }
            std::vector<Token> ids;
            model.encode(word, true, ids);
            double sum = 0;
            std::string back;
            for (const Token id : ids) {
                sum += list[static_cast<std::size_t>(id)].score;
                back += list[static_cast<std::size_t>(id)].text;
            }
            CHECK(back == word);
            CHECK(sum == doctest::Approx(best).epsilon(1e-14));
        }
    }
}

TEST_CASE("words get marks") {
    UnigramOptions options;
    CHECK(pieces(letters(options), "a b") == "▁a ▁b");
    CHECK(pieces(letters(options), "  a\n\tb ") == "▁a ▁b");
    CHECK(pieces(letters(options), "a▁b") == "▁a ▁b");
    CHECK(pieces(letters(options), "▁▁a") == "▁ ▁a");  // each mark begins a word, so "▁▁" is never reached
    CHECK(pieces(letters(options), " ") == "");
    options.split_white_space = false;
    CHECK(pieces(letters(options), " a  b") == "▁a ▁ ▁b");
    options.split_marks = false;
    CHECK(pieces(letters(options), "a  b") == "▁a ▁▁ b");
    options.prepend = UnigramOptions::Prepend::never;
    options.split_marks = true;
    CHECK(pieces(letters(options), "ab a") == "a b ▁a");
    options.prepend = UnigramOptions::Prepend::first;
    options.split_white_space = true;
    CHECK(pieces(letters(options), "a b") == "▁a b");
    CHECK(pieces(letters(options), "a b", false) == "a b");
}

TEST_CASE("normalizers follow one another") {
    UnigramOptions options;
    options.normalizers = {StripEnds{}, ReplaceText{" ", "▁", true}, ReplaceText{"x", "yy"}};
    CHECK(letters(options).normalize("  a  b x   c \n") == "a▁b yy▁c");
    options.normalizers = {StripEnds{.left = true, .right = false}};
    CHECK(letters(options).normalize(" a ") == "a ");
    CHECK(letters(options).normalize("  ") == "");
    options.normalizers = {StripEnds{.left = false, .right = true}};
    CHECK(letters(options).normalize("\u3000é\u3000") == "\u3000é");
    CHECK(letters(options).normalize("  ") == "");
}

TEST_CASE("normalizers that blow a text up are an error, before they take all memory") {
    UnigramOptions options;
    options.normalizers.assign(64, ReplaceText{"a", "aa"});
    const Unigram bomb = letters(options);
    CHECK(bomb.normalize("b") == "b");
    CHECK_THROWS_WITH_AS(bomb.normalize("a"), "[tokenizer.format] test: the normalizers make 8192 bytes of a text of 1",
                         Error);
}

TEST_CASE("marks become spaces again") {
    UnigramOptions options;
    const auto spelled = [&](std::vector<std::string> list) {
        std::string out;
        for (std::size_t i = 0; i < list.size(); ++i) letters(options).detokenize(list[i], i == 0, out);
        return out;
    };
    CHECK(spelled({"▁the", "▁cat", "s"}) == "the cats");
    CHECK(spelled({"▁", "▁a▁"}) == " a ");
    options.decode_prepended = false;
    CHECK(spelled({"▁the", "▁cat"}) == " the cat");
}

TEST_CASE("of a piece that is there twice, the last id counts, and decoding knows both") {
    const Unigram model({{"<unk>", 0}, {"", 0}, {"a", -1}, {"ab", -5}, {"b", -1}, {"ab", -1}, {"", 0}}, 0, plain,
                        "test");
    std::vector<Token> ids;
    model.encode("aabb", true, ids);
    CHECK(ids == std::vector<Token>{2, 5, 4});
    CHECK(*model.vocabulary().piece(3) == "ab");
    CHECK(model.vocabulary().find("") == 6);
}

TEST_CASE("an empty vocabulary is an error") {
    CHECK(message_of(Errc::tokenizer_format, [] { Unigram({}, 0, {}, "x.json"); }) ==
          "[tokenizer.format] x.json: the vocabulary is empty");
}

}  // namespace text_unigram
