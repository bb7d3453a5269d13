#include <doctest/doctest.h>

#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <tessera/text/tokenizer.hpp>
#include <vector>

namespace text_tokenizer {
using namespace tessera;

namespace {
// Token n is the n-th piece, whatever its bytes; the last one is special. 100 is a hole.
class Pieces final : public Tokenizer {
  public:
    explicit Pieces(std::vector<std::string> list, bool clean = false) : list_(std::move(list)), clean_(clean) {}
    std::vector<Token> encode(std::string_view, Specials) const override { return {}; }
    std::string piece(Token token) const override { return list_.at(static_cast<std::size_t>(token)); }
    std::optional<Token> find(std::string_view) const override { return {}; }
    Token size() const override { return static_cast<Token>(list_.size()); }
    bool has(Token token) const override { return token >= 0 && token < size() && token != 100; }
    SpecialTokens special_tokens() const override { return {}; }
    bool is_special(Token token) const override { return token == size() - 1; }
    void detokenize(Token token, bool first, std::string& bytes) const override {
        bytes += first && piece(token) == "_" ? "" : piece(token);
    }
    bool cleans_up_spaces() const override { return clean_; }

  private:
    std::vector<std::string> list_;
    bool clean_;
};
}  // namespace

TEST_CASE("tokens become text, with or without special ones") {
    const Pieces pieces({"a", "b", "</s>"});
    const std::vector<Token> tokens{2, 0, 1, 2};
    CHECK(pieces.decode(tokens, SkipSpecials::no) == "</s>ab</s>");
    CHECK(pieces.decode(tokens, SkipSpecials::yes) == "ab");
    CHECK(pieces.decode({}, SkipSpecials::yes) == "");
}

TEST_CASE("the first token that is not skipped is the first") {
    const Pieces pieces({"_", "b", "</s>"});
    CHECK(pieces.decode(std::vector<Token>{2, 0, 1}, SkipSpecials::yes) == "b");
    CHECK(pieces.decode(std::vector<Token>{2, 0, 1}, SkipSpecials::no) == "</s>_b");
}

TEST_CASE("an id outside of the vocabulary is an error, or skipped if that is wanted") {
    const Pieces pieces({"a", "</s>"});
    CHECK_THROWS_WITH_AS(pieces.decode(std::vector<Token>{0, 2}, SkipSpecials::yes),
                         "[token.id] token 2 is not in the vocabulary of 2 tokens", Error);
    CHECK(pieces.decode(std::vector<Token>{0, 2, 0}, SkipSpecials::yes, OutOfVocabulary::skip) == "aa");
    CHECK_THROWS_WITH_AS(pieces.decode(std::vector<Token>{-1}, SkipSpecials::yes, OutOfVocabulary::skip),
                         "[token.id] token -1 is not in the vocabulary of 2 tokens", Error);
}

TEST_CASE("a stream gives whole characters as soon as they are whole") {
    const Pieces pieces({"\xF0", "\x9F", "\x90", "\xB1", "a", "</s>"});
    DecodeStream stream(pieces);
    CHECK(stream.push(4) == "a");
    CHECK(stream.push(0) == "");
    CHECK(stream.push(1) == "");
    CHECK(stream.push(5) == "");
    CHECK(stream.push(2) == "");
    CHECK(stream.push(3) == "🐱");
    CHECK(stream.push(0) == "");
    CHECK(stream.push(4) == "�a");  // the character did not go on
    CHECK(stream.push(1) == "�");
    CHECK(stream.push(0) == "");
    CHECK(stream.flush() == "�");
    CHECK(stream.flush() == "");
}

TEST_CASE("after flush() a stream is as new") {
    const Pieces pieces({"_", "\xF0", "</s>"});
    DecodeStream stream(pieces);
    stream.push(0);
    stream.push(1);
    stream.flush();
    CHECK(stream.push(0) == "");  // first again
}

TEST_CASE("what a stream gives is, put together, what all tokens give") {
    std::mt19937 random(9);
    const Pieces pieces(
        {" ", "'", "s", ".", "n't", " a", "\xC3", "\xA9", "\xF0\x9F", "猫", "x", "  ", "ve", "_", "</s>"}, true);
    const Pieces plain(
        {" ", "'", "s", ".", "n't", " a", "\xC3", "\xA9", "\xF0\x9F", "猫", "x", "  ", "ve", "_", "</s>"});
    for (int round = 0; round < 3000; ++round) {
        std::vector<Token> tokens;
        for (std::size_t n = random() % 25; n > 0; --n) tokens.push_back(static_cast<Token>(random() % 15));
        DecodeStream stream(pieces, SkipSpecials::yes);
        std::string text;
        for (const Token token : tokens) {
            const std::string part = stream.push(token);
            CHECK(find_invalid_utf8(part) == std::string::npos);
            text += part;
        }
        text += stream.flush();
        std::string whole = plain.decode(tokens, SkipSpecials::yes);
        clean_up_spaces(whole);
        CHECK(text == whole);
    }
}

}  // namespace text_tokenizer
