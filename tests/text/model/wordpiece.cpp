#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <tessera/text/model/wordpiece.hpp>
#include <utility>
#include <vector>

#include "text/scratch_folder.hpp"

namespace text_wordpiece {
using namespace tessera;
using test::message_of;

namespace {
WordPiece wordpiece_of(const std::vector<std::string>& list, WordPieceOptions options = {}) {
    Vocabulary vocabulary;
    for (const auto& piece : list) vocabulary.add(piece, vocabulary.size(), "test");
    return WordPiece(std::move(vocabulary), std::move(options), "vocab.txt");
}
std::string pieces(const WordPiece& model, std::string_view text) {
    std::vector<Token> ids;
    model.encode(text, true, ids);
    std::string out;
    for (const Token id : ids) (out += out.empty() ? "" : " ") += *model.vocabulary().piece(id);
    return out;
}
std::string spelled(const WordPiece& model, const std::vector<std::string>& list) {
    std::string out;
    for (std::size_t i = 0; i < list.size(); ++i) model.detokenize(list[i], i == 0, out);
    return out;
}
std::string words(std::string_view text) {
    std::string out;
    BertText::for_each_word(text, [&](std::string_view word) { (out += out.empty() ? "" : "|") += word; });
    return out;
}
}  // namespace

TEST_CASE("a word is cut into the longest pieces from the left") {
    const auto model =
        wordpiece_of({"[UNK]", "un", "unaff", "##aff", "##able", "##ab", "##le", "a", "##é", ",", "##,"});
    CHECK(pieces(model, "unaffable") == "unaff ##able");
    CHECK(pieces(model, "unable") == "un ##able");
    CHECK(pieces(model, "unab a") == "un ##ab a");
    CHECK(pieces(model, "aé") == "a ##é");
    CHECK(pieces(model, "un,a") == "un , a");
    CHECK(pieces(model, "") == "");
}

TEST_CASE("a word that cannot be cut is unknown as a whole") {
    const auto model = wordpiece_of({"[UNK]", "un", "##aff"});
    CHECK(pieces(model, "unaffx un x") == "[UNK] un [UNK]");
    CHECK(pieces(model, "aff") == "[UNK]");  // only continues a word
}

TEST_CASE("a word of more characters than are allowed is unknown") {
    const auto model = wordpiece_of({"[UNK]", "é", "##é"}, {.longest = 5});
    CHECK(pieces(model, "ééééé") == "é ##é ##é ##é ##é");
    CHECK(pieces(model, "éééééé") == "[UNK]");
}

TEST_CASE("pieces become text again") {
    const auto model = wordpiece_of({"[UNK]"});
    CHECK(spelled(model, {"un", "##aff", "##able", "is", "##n", "'", "t", "."}) == "unaffable isn ' t.");
    CHECK(spelled(model, {"##ing", "##s"}) == "##ings");  // nothing to continue
    CHECK(spelled(wordpiece_of({"[UNK]"}, {.clean_up = false}), {"a", ",", "b"}) == "a , b");
    CHECK(spelled(model, {"a", ",", "b"}) == "a, b");
}

TEST_CASE("without a token for unknown words there is no WordPiece") {
    CHECK(message_of(Errc::tokenizer_format, [] { wordpiece_of({"a"}); }) ==
          "[tokenizer.format] vocab.txt: expected the token '[UNK]' for unknown words, found none");
}

TEST_CASE("BERT's uncased normalization") {
    const BertText uncased;
    CHECK(uncased.normalize("Ångström CAFÉ") == "angstrom cafe");
    CHECK(uncased.normalize("a\tb\nc\u00A0d\u3000e") == "a b c d e");
    CHECK(uncased.normalize(std::string_view("a\0b\u200D\uFEFF\uFFFD\u0085\uE000\x7F", 18)) == "ab");
    CHECK(uncased.normalize("猫cat犬") == " 猫 cat 犬 ");
    CHECK(uncased.normalize("ひカ") == "ひカ");
    CHECK(uncased.normalize("ガ") == "カ");  // the voicing mark is an accent, too
    CHECK(uncased.normalize("한") == "\u1112\u1161\u11AB");
    CHECK(uncased.normalize("İ ẞ Σ") == "i ß σ");
    CHECK(uncased.normalize("\U0002B820 \U0002B920") == "\U0002B820  \U0002B920 ");
    CHECK(uncased.normalize("") == "");
}

TEST_CASE("each step can be left out") {
    CHECK(BertText{.strip_accents = false}.normalize("É İ") == "é i\u0307");
    CHECK(BertText{.lower = false}.normalize("É Å") == "E A");
    CHECK(BertText{.split_cjk = false}.normalize("猫cat") == "猫cat");
    CHECK(BertText{.clean = false}.normalize("a\tb\u200D") == "a\tb\u200D");
    CHECK(BertText{.clean = false, .split_cjk = false, .strip_accents = false, .lower = false}.normalize("É\n猫") ==
          "É\n猫");
}

TEST_CASE("words stand between white space, and a mark is a word") {
    CHECK(words("") == "");
    CHECK(words("  a  cat ") == "a|cat");
    CHECK(words("don't stop!!") == "don|'|t|stop|!|!");
    CHECK(words("$5 a+b x_y `z` ^~") == "$|5|a|+|b|x|_|y|`|z|`|^|~");
    CHECK(words("«où» 日。本") == "«|où|»|日|。|本");
    CHECK(words("€5 ©x") == "€5|©x");
    CHECK(words("-") == "-");
}

}  // namespace text_wordpiece
