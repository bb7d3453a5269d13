#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <string_view>
#include <tessera/text/piece_tokenizer.hpp>
#include <utility>
#include <vector>

#include "text/scratch_folder.hpp"

namespace text_piece_tokenizer {
using namespace tessera;
using test::message_of;

namespace {
// One token for each lower-case letter, "^" for the beginning of the text.
class Letters final : public PieceModel {
  public:
    Letters() : PieceModel({}) {
        vocabulary_.add("^", 0, "test");
        for (char c = 'a'; c <= 'z'; ++c) vocabulary_.add(std::string(1, c), c - 'a' + 1, "test");
    }
    std::string normalize(std::string_view text) const override {
        std::string out;
        for (const char c : text)
            if (c != '-') out += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
        return out;
    }
    void encode(std::string_view text, bool first, std::vector<Token>& ids) const override {
        if (first) ids.push_back(0);
        for (const char c : text) ids.push_back(vocabulary_.find(std::string_view(&c, 1)).value_or(0));
    }
    void detokenize(std::string_view piece, bool first, std::string& bytes) const override {
        (bytes += first ? "" : ".") += piece;
    }
};

PieceTokenizer tokenizer() {
    TokenizerRules rules;
    rules.added = {{.content = "<E>", .id = 30, .special = true}, {.content = "Xy-Z", .id = 31, .normalized = true}};
    rules.prefix_ids = {30};
    rules.suffix_ids = {30, 1};
    rules.special_tokens.eos = 30;
    return PieceTokenizer(std::make_unique<Letters>(), std::move(rules));
}
using Ids = std::vector<Token>;
}  // namespace

TEST_CASE("added tokens are cut out before and after normalization, the rest goes to the model") {
    const auto letters = tokenizer();
    CHECK(letters.encode("aB", Specials::omit) == Ids{0, 1, 2});
    CHECK(letters.encode("aB") == Ids{30, 0, 1, 2, 30, 1});
    CHECK(letters.encode("") == Ids{30, 30, 1});
    CHECK(letters.encode("", Specials::omit) == Ids{});
    CHECK(letters.encode("a<E>b", Specials::omit) == Ids{0, 1, 30, 2});
    CHECK(letters.encode("<E>b", Specials::omit) == Ids{30, 2});  // b is not at the beginning
    CHECK(letters.encode("a<e>", Specials::omit) == Ids{0, 1, 0, 5, 0});
    CHECK(letters.encode("aX-yzb", Specials::omit) == Ids{0, 1, 31, 2});
    CHECK(letters.encode("xyz<E>XYZ", Specials::omit) == Ids{31, 30, 31});
    CHECK(letters.encode("--<E>", Specials::omit) == Ids{30});  // nothing is left before it
}

TEST_CASE("ids, pieces and roles") {
    const auto letters = tokenizer();
    CHECK(letters.size() == 32);
    CHECK(letters.has(26));
    CHECK(!letters.has(27));
    CHECK(letters.has(31));
    CHECK(!letters.has(32));
    CHECK(!letters.has(-1));
    CHECK(letters.piece(2) == "b");
    CHECK(letters.piece(31) == "Xy-Z");
    CHECK(letters.find("b") == 2);
    CHECK(letters.find("<E>") == 30);
    CHECK(!letters.find("ab"));
    CHECK(letters.is_special(30));
    CHECK(!letters.is_special(31));
    CHECK(!letters.is_special(1));
    CHECK(!letters.is_special(99));
    CHECK(letters.special_tokens().eos == 30);
    CHECK(!letters.special_tokens().bos);
    CHECK(letters.decode(Ids{30, 1, 31, 2}, SkipSpecials::yes) == "a.Xy-Z.b");
    CHECK(letters.decode(Ids{30, 1}, SkipSpecials::no) == "<E>.a");
}

TEST_CASE("wrong text and wrong ids are errors") {
    const auto letters = tokenizer();
    CHECK(message_of(Errc::text_encoding, [&] { letters.encode("ab\xC3"); }) ==
          "[text.encoding] the text to encode: expected UTF-8, found the byte 0xc3 at position 2");
    CHECK(message_of(Errc::token_id, [&] { letters.piece(27); }) ==
          "[token.id] token 27 is not in the vocabulary of 32 tokens");
    CHECK(message_of(Errc::token_id, [&] { letters.decode(Ids{28}, SkipSpecials::yes); }) ==
          "[token.id] token 28 is not in the vocabulary of 32 tokens");
}

}  // namespace text_piece_tokenizer
