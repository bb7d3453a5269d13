#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <tessera/text/model/bpe.hpp>
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
    for (const auto& [left, right] : merges) CHECK(bpe.add_merge(left, right) == "");
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
std::string words(std::string_view text) {
    std::string out;
    for_each_gpt2_word(text, [&](std::string_view word) { (out += out.empty() ? "" : "|") += word; });
    return out;
}

// GPT-2's pattern as a backtracking matcher goes through it: alternative by alternative, each as long as it can be.
std::vector<std::u32string> words_by_pattern(const std::u32string& text) {
    const auto is_space = [](char32_t c) { return is_white_space(c); };
    const auto is_other = [](char32_t c) { return !is_white_space(c) && !is_letter(c) && !is_number(c); };
    std::vector<std::u32string> out;
    for (std::size_t begin = 0; begin < text.size();) {
        const auto rest = std::u32string_view(text).substr(begin);
        const auto longest = [&](std::size_t from, auto&& accepts) {
            std::size_t n = from;
            while (n < rest.size() && accepts(rest[n])) ++n;
            return n > from ? n : 0;
        };
        const auto with_space = [&](auto&& accepts) {  // " ?x+": with the space first, then without
            const std::size_t n = rest[0] == U' ' ? longest(1, accepts) : 0;
            return n > 0 ? n : longest(0, accepts);
        };
        std::size_t length = 0;
        for (const std::u32string_view ending : {U"'s", U"'t", U"'re", U"'ve", U"'m", U"'ll", U"'d"})
            if (length == 0 && rest.starts_with(ending)) length = ending.size();
        if (length == 0) length = with_space([](char32_t c) { return is_letter(c); });
        if (length == 0) length = with_space([](char32_t c) { return is_number(c); });
        if (length == 0) length = with_space(is_other);
        for (std::size_t n = longest(0, is_space); length == 0 && n > 0; --n)  // "\s+(?!\S)" gives back, one at a time
            if (n == rest.size() || is_space(rest[n])) length = n;
        if (length == 0) length = longest(0, is_space);
        REQUIRE(length > 0);
        out.emplace_back(rest.substr(0, length));
        begin += length;
    }
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
    for (const Token id : ids) bpe.detokenize(*bpe.vocabulary().piece(id), false, back);
    CHECK(back == word);
}

TEST_CASE("a vocabulary without a byte, and merges of what is not there, are errors") {
    Vocabulary vocabulary;
    vocabulary.add("a", 0, "test");
    CHECK(message_of(Errc::tokenizer_format, [&] { Bpe(std::move(vocabulary), {}, "vocab.json"); }) ==
          "[tokenizer.format] vocab.json: the byte 0 has no token; expected 'Ā', as in every byte-level vocabulary");
    Bpe bpe = bpe_of({});
    CHECK(bpe.add_merge("a", "猫") == "the merge of 'a' and '猫' needs '猫', which is not in the vocabulary");
    CHECK(bpe.add_merge("a b") == "the merge of 'a' and 'b' needs 'ab', which is not in the vocabulary");
    for (const char* line : {"", "a", "a ", " a", "a  b", "a b c"})
        CHECK(bpe.add_merge(line) == "expected a merge of two parts, found '" + std::string(line) + "'");
}

TEST_CASE("every byte has a character of its own, and back") {
    constexpr auto characters = byte_characters();
    static_assert(characters[' '] == 0x120 && characters['\n'] == 0x10A && characters['a'] == 'a');
    static_assert(characters[0] == 0x100 && characters[0xAD] == 0x143 && characters[0xFF] == 0xFF);
    std::set<char32_t> seen;
    for (unsigned byte = 0; byte < 256; ++byte) {
        seen.insert(characters[byte]);
        CHECK(character_byte(characters[byte]) == static_cast<unsigned char>(byte));
    }
    CHECK(seen.size() == 256);
    for (const char32_t c : {U' ', U'\n', char32_t(0x7F), char32_t(0xAD), char32_t(0x144), U'猫'})
        CHECK(!character_byte(c));
}

TEST_CASE("a piece stands for bytes if all its characters do") {
    std::string out;
    append_bytes(out, "Ġphoto");
    append_bytes(out, "Ċ");
    append_bytes(out, "<my token>");  // an added token with a space
    append_bytes(out, "Ġ猫");
    append_bytes(out, "Ã©");
    CHECK(out == " photo\n<my token>Ġ猫é");
}

TEST_CASE("text falls into GPT-2's words") {
    CHECK(words("") == "");
    CHECK(words("it's they're we've I'm he'd she'll") == "it|'s| they|'re| we|'ve| I|'m| he|'d| she|'ll");
    CHECK(words("IT'S don''t '' 's") == "IT|'|S| don|''|t| ''| '|s");
    CHECK(words("a1b2½x") == "a|1|b|2½|x");
    CHECK(words("  a  b") == " | a| | b");
    CHECK(words("a   ") == "a|   ");
    CHECK(words("a\n\n b\n") == "a|\n\n| b|\n");
    CHECK(words("a\nb") == "a|\n|b");
    CHECK(words(" \t!x") == " |\t|!|x");
    CHECK(words("a\u00A0 b\u00A0c") == "a|\u00A0| b|\u00A0|c");
    CHECK(words("e\u0301 猫🐱!") == "e|\u0301| 猫|🐱!");
}

TEST_CASE("words are those of the pattern") {
    std::mt19937 random(3);
    const std::u32string pool = U"  \t\n\u00A0\u3000''''sstrevmlldDabéΩ猫12½ⅷ!.,_-+🐱\u0301\u200D";
    for (int round = 0; round < 20000; ++round) {
        std::u32string text;
        std::string utf8;
        for (std::size_t n = random() % 14; n > 0; --n) {
            text += pool[random() % pool.size()];
            append_utf8(utf8, text.back());
        }
        std::vector<std::string> found, expected;
        for_each_gpt2_word(utf8, [&](std::string_view word) { found.emplace_back(word); });
        for (const auto& word : words_by_pattern(text)) {
            expected.emplace_back();
            for (const char32_t c : word) append_utf8(expected.back(), c);
        }
        if (found != expected) FAIL("'", utf8, "': ", words(utf8));
    }
}

}  // namespace text_bpe
