#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <random>
#include <string>
#include <string_view>
#include <tessera/text/bpe.hpp>
#include <utility>
#include <vector>

#include "text/letters.hpp"
#include "text/scratch_folder.hpp"

namespace text_bpe {
using namespace tessera;
using test::byte_vocabulary;
using test::message_of;

namespace {
struct Pair {
    std::string left, right;
};

// All bytes, and the result of each merge as one more token (if it is not there yet).
Bpe bpe_of(const std::vector<Pair>& merges, BpeOptions options = {}) {
    Vocabulary vocabulary = byte_vocabulary();
    for (const auto& [left, right] : merges)
        if (!vocabulary.find(left + right)) vocabulary.add(left + right, vocabulary.size(), "test");
    Bpe bpe(std::move(vocabulary), options, "test");
    for (const auto& [left, right] : merges) bpe.add_merge(left, right, [] { return "test"; });
    return bpe;
}

std::string pieces(const Bpe& bpe, std::string_view text) {
    std::vector<Token> ids;
    bpe.encode(text, true, ids);
    std::string out;
    for (const Token id : ids) (out += out.empty() ? "" : " ") += *bpe.vocabulary().piece(id);
    return out;
}

// The definition: of all neighbours that can be merged, the pair that is first in the list; of those, the leftmost.
std::string pieces_by_definition(const std::vector<Pair>& merges, std::string_view word) {
    std::vector<std::string> parts;
    for (const char c : word) parts.push_back(test::spelled(static_cast<unsigned char>(c)));
    while (true) {
        std::size_t best = merges.size(), place = 0;
        for (std::size_t i = 0; i + 1 < parts.size(); ++i)
            for (std::size_t rank = 0; rank < best; ++rank)
                if (parts[i] == merges[rank].left && parts[i + 1] == merges[rank].right) {
                    best = rank;
                    place = i;
                }
        if (best == merges.size()) break;
        parts[place] += parts[place + 1];
        parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(place) + 1);
    }
    std::string out;
    for (const auto& part : parts) (out += out.empty() ? "" : " ") += part;
    return out;
}
}  // namespace

TEST_CASE("merges are applied in order, the leftmost first") {
    const auto bpe = bpe_of({{"l", "l"}, {"h", "e"}, {"he", "ll"}, {"Ġ", "w"}, {"hell", "o"}});
    CHECK(pieces(bpe, "") == "");
    CHECK(pieces(bpe, "hello world") == "hello Ġw o r l d");
    CHECK(pieces(bpe, "lll") == "ll l");
    CHECK(pieces(bpe, "é\n") == "Ã © Ċ");
}

TEST_CASE("merges do not cross words, unless words are not split") {
    const std::vector<Pair> merges{{"a", "Ġ"}, {"aĠ", "b"}};
    CHECK(pieces(bpe_of(merges), "a b") == "a Ġ b");
    CHECK(pieces(bpe_of(merges, {.split_words = false}), "a b") == "aĠb");
}

TEST_CASE("a space in front, if it is asked for and not there") {
    const std::vector<Pair> merges{{"Ġ", "a"}};
    CHECK(pieces(bpe_of(merges), "a a") == "a Ġa");
    CHECK(pieces(bpe_of(merges, {.add_prefix_space = true}), "a a") == "Ġa Ġa");
    CHECK(pieces(bpe_of(merges, {.add_prefix_space = true}), " a") == "Ġa");
}

TEST_CASE("whole words first, if it is asked for") {
    const std::vector<Pair> merges{{"b", "c"}, {"a", "b"}, {"ab", "c"}};  // "abc" cannot be reached: bc is merged first
    CHECK(pieces(bpe_of(merges), "abc abcd") == "a bc Ġ a bc d");
    CHECK(pieces(bpe_of(merges, {.whole_words_first = true}), "abc abcd") == "abc Ġ a bc d");
}

TEST_CASE("random merges do what the definition says") {
    std::mt19937 random(4);
    for (int round = 0; round < 300; ++round) {
        std::vector<Pair> merges;
        std::vector<std::string> known{"a", "b", "c"};
        while (merges.size() < 12) {
            const std::string left = known[random() % known.size()], right = known[random() % known.size()];
            const auto same = [&](const Pair& pair) { return pair.left + pair.right == left + right; };
            if (std::any_of(merges.begin(), merges.end(), same)) continue;  // two ways to one token: see below
            merges.push_back({left, right});
            known.push_back(left + right);
        }
        std::shuffle(merges.begin(), merges.end(), random);  // also rules whose parts are made by later rules
        const auto bpe = bpe_of(merges);
        for (int i = 0; i < 20; ++i) {
            std::string word;
            for (std::size_t n = random() % 20; n > 0; --n) word += static_cast<char>('a' + random() % 3);
            if (pieces(bpe, word) != pieces_by_definition(merges, word)) FAIL(word, ": ", pieces(bpe, word));
        }
    }
}

TEST_CASE("a long word does not take quadratic time") {
    const auto bpe = bpe_of({{"a", "a"}, {"aa", "aa"}, {"aaaa", "aaaa"}, {"b", "a"}, {"a", "b"}});
    std::vector<Token> ids;
    bpe.encode(std::string(1 << 18, 'a'), true, ids);
    CHECK(ids.size() == (1 << 18) / 8);
    std::mt19937 random(5);
    std::string word;
    for (int i = 0; i < 1 << 18; ++i) word += random() % 2 ? 'a' : 'b';
    ids.clear();
    bpe.encode(word, true, ids);
    std::string back;
    for (const Token id : ids) bpe.spell(*bpe.vocabulary().piece(id), false, back);
    CHECK(back == word);
}

TEST_CASE("a vocabulary without a byte, and merges of what is not there, are errors") {
    Vocabulary vocabulary;
    vocabulary.add("a", 0, "test");
    CHECK(message_of(Errc::tokenizer_format, [&] { Bpe(std::move(vocabulary), {}, "vocab.json"); }) ==
          "[tokenizer.format] vocab.json: the byte 0 has no token; expected 'Ā', as in every byte-level vocabulary");
    const auto where = [] { return "line 3"; };
    Bpe bpe = bpe_of({});
    CHECK(message_of(Errc::tokenizer_format, [&] { bpe.add_merge("a", "猫", where); }) ==
          "[tokenizer.format] line 3: the merge of 'a' and '猫' needs '猫', which is not in the vocabulary");
    CHECK(message_of(Errc::tokenizer_format, [&] { bpe.add_merge("a", "b", where); }) ==
          "[tokenizer.format] line 3: the merge of 'a' and 'b' needs 'ab', which is not in the vocabulary");
}

}  // namespace text_bpe
