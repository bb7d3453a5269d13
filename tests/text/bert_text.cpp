#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <tessera/text/bert_text.hpp>

namespace text_bert_text {
using namespace tessera;

namespace {
std::string words(std::string_view text) {
    std::string out;
    BertText::for_each_word(text, [&](std::string_view word) { (out += out.empty() ? "" : "|") += word; });
    return out;
}
}  // namespace

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

}  // namespace text_bert_text
