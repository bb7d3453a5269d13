#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <tessera/text/read/tokenizer.hpp>
#include <tessera/text/read/wordpiece.hpp>
#include <vector>

#include "support/golden.hpp"
#include "support/read_json.hpp"
#include "text/scratch_folder.hpp"

namespace text_read_wordpiece {
using namespace tessera;
using test::check_says;
using test::message_of;
using test::ScratchFolder;

namespace {
using Ids = std::vector<Token>;
constexpr std::string_view small = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\ncat\n##s\n\nCat\né\n猫";

// The message for the golden tokenizer.json with `value` at `place`.
std::string refused(const char* place, std::string_view value) {
    Json json = test::read_json(test::golden("tokenizers/wordpiece/tokenizer.json"));
    json[Json::json_pointer(place)] = Json::parse(value);
    const ScratchFolder folder;
    folder.write("tokenizer.json", json.dump());
    return message_of(Errc::tokenizer_format, [&] { read_tokenizer(folder.path()); });
}
}  // namespace

TEST_CASE("a bare vocab.txt is BERT's, uncased; ids are line numbers") {
    const ScratchFolder folder;
    folder.write("vocab.txt", small);
    const auto tokenizer = read_wordpiece(folder.path(), TokenizerSettings{});
    CHECK(tokenizer->encode("Cats [MASK] 猫cat dog") == Ids{2, 5, 6, 4, 10, 5, 1, 3});
    CHECK(tokenizer->size() == 11);
    CHECK(!tokenizer->has(7));  // an empty line
    CHECK(tokenizer->special_tokens().cls == 2);
    CHECK(tokenizer->special_tokens().sep == 3);
    CHECK(tokenizer->special_tokens().pad == 0);
    CHECK(tokenizer->special_tokens().unknown == 1);
    CHECK(tokenizer->special_tokens().mask == 4);
    CHECK(!tokenizer->special_tokens().bos);
    CHECK(tokenizer->decode(Ids{2, 5, 6, 3}, SkipSpecials::yes) == "cats");
}

TEST_CASE("the settings can keep case and accents, and name other tokens") {
    const ScratchFolder folder;
    folder.write("vocab.txt", small);
    folder.write("tokenizer_config.json", R"({"do_lower_case": false})");
    CHECK(read_tokenizer(folder.path())->encode("Cat é", Specials::omit) == Ids{8, 9});
    folder.write("tokenizer_config.json",
                 R"({"do_lower_case": true, "strip_accents": false, "tokenize_chinese_chars": false})");
    CHECK(read_tokenizer(folder.path())->encode("CAT É 猫cat", Specials::omit) == Ids{5, 9, 1});
    folder.write("tokenizer_config.json", R"({"cls_token": "cat", "unk_token": "Cat", "bos_token": "[DEC]",
                                              "added_tokens_decoder": {"11": {"content": "[DEC]", "special": true}}})");
    const auto other = read_tokenizer(folder.path());
    CHECK(other->encode("x[DEC]") == Ids{5, 8, 11, 3});
    CHECK(other->special_tokens().bos == 11);
}

TEST_CASE("a vocab.txt with the line ends of Windows is the same") {
    const ScratchFolder unix_lines, windows_lines;
    const std::string text = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\ncat\n";
    std::string changed = text;
    replace_all(changed, "\n", "\r\n");
    unix_lines.write("vocab.txt", text);
    windows_lines.write("vocab.txt", changed);
    CHECK(read_tokenizer(unix_lines.path())->encode("a cat") == read_tokenizer(windows_lines.path())->encode("a cat"));
}

TEST_CASE("a file that needs what this WordPiece does not do is an error that names it") {
    check_says(refused("/normalizer/type", R"("Lowercase")"),
               "normalizer.type: 'Lowercase' is not supported; expected BertNormalizer");
    check_says(refused("/pre_tokenizer/type", R"("Whitespace")"), "pre_tokenizer.type: 'Whitespace' is not supported");
    check_says(refused("/decoder", "null"), "expected a decoder of type WordPiece, found none");
    check_says(refused("/decoder/prefix", R"("@@")"), "decoder.prefix: '@@' is not supported");
    check_says(refused("/model/unk_token", R"("<unk>")"), "model.vocab: expected the token '<unk>' for unknown words");
    check_says(refused("/model/max_input_chars_per_word", "-1"), "model.max_input_chars_per_word: expected");
    check_says(refused("/normalizer/lowercase", R"("yes")"),
               "normalizer.lowercase: expected true or false, found \"yes\"");
    check_says(refused("/normalizer", "null"), "no error");
}

}  // namespace text_read_wordpiece
