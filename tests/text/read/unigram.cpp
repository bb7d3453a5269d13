#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <tessera/text/read/tokenizer.hpp>
#include <tessera/text/read/unigram.hpp>
#include <vector>

#include "support/golden.hpp"
#include "text/scratch_folder.hpp"

namespace text_read_unigram {
using namespace tessera;
using test::check_says;
using test::message_of;
using test::ScratchFolder;

namespace {
using Ids = std::vector<Token>;

// A tokenizer.json of a few pieces, after a change.
Json small() {
    return Json::parse(R"({"added_tokens": [{"id": 1, "content": "</s>", "special": true}],
        "normalizer": null, "pre_tokenizer": {"type": "Metaspace", "replacement": "▁", "add_prefix_space": true},
        "decoder": {"type": "Metaspace", "replacement": "▁", "add_prefix_space": true},
        "model": {"unk_id": 0,
            "vocab": [["<unk>", 0], ["</s>", 0], ["▁", -1], ["a", -2], ["▁a", -2.5], ["▁▁", -1]]}})");
}
Ids ids(const Json& json, std::string_view text) {
    const ScratchFolder folder;
    folder.write("tokenizer.json", json.dump());
    return read_tokenizer(folder.path())->encode(text, Specials::omit);
}
std::string refused(const char* place, std::string_view value) {
    Json json = small();
    json[Json::json_pointer(place)] = Json::parse(value);
    return message_of(Errc::tokenizer_format, [&] { ids(json, ""); });
}
}  // namespace

TEST_CASE("the sections that T5's files have had over the years") {
    Json json = small();
    CHECK(ids(json, "a  a") == Ids{4, 2, 4});
    json["pre_tokenizer"] = Json::parse(R"({"type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"},
        {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": true}]})");
    CHECK(ids(json, "a  a") == Ids{4, 4});
    json["normalizer"] =
        Json::parse(R"({"type": "Sequence", "normalizers": [{"type": "Precompiled", "precompiled_charsmap": ""},
        {"type": "Strip", "strip_left": false, "strip_right": true},
        {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": "▁"},
        {"type": "Replace", "pattern": {"String": "b"}, "content": "a"}]})");
    json["pre_tokenizer"] = Json{{"type", "Metaspace"}, {"replacement", "▁"}, {"prepend_scheme", "first"}};
    CHECK(ids(json, "a   b ") == Ids{4, 4});
    CHECK(ids(json, "</s>a") == Ids{1, 3});  // not the first
    json["pre_tokenizer"] = Json{{"type", "Metaspace"}, {"replacement", "▁"}, {"add_prefix_space", false}};
    CHECK(ids(json, "a") == Ids{3});
}

TEST_CASE("a piece may be there twice, as the empty one of UMT5 is") {
    Json json = small();
    json["model"]["vocab"].push_back(Json::array({"a", -1}));
    json["model"]["vocab"].push_back(Json::array({"", 0}));
    json["model"]["vocab"].push_back(Json::array({"", 0}));
    CHECK(ids(json, "aa") == Ids{2, 6, 6});
}

TEST_CASE("a bare spiece.model is T5's, with a hundred sentinels") {
    const ScratchFolder folder;
    folder.copy(test::golden("tokenizers/unigram"), "spiece.model");
    const auto tokenizer = read_unigram(folder.path(), TokenizerSettings{});
    CHECK(tokenizer->size() == 600);
    CHECK(tokenizer->find("<extra_id_0>") == 599);
    CHECK(tokenizer->find("<extra_id_99>") == 500);
    CHECK(tokenizer->is_special(550));
    CHECK(tokenizer->special_tokens().eos == 1);
    CHECK(tokenizer->special_tokens().pad == 0);
    CHECK(tokenizer->special_tokens().unknown == 2);
    CHECK(!tokenizer->special_tokens().bos);
    CHECK(tokenizer->encode("") == Ids{1});
    CHECK(tokenizer->encode("<extra_id_7>", Specials::omit) == Ids{592});
    CHECK(tokenizer->decode(tokenizer->encode("a photo of a cat"), SkipSpecials::yes) == "a photo of a cat");

    folder.write("tokenizer_config.json", R"({"extra_ids": 2})");
    CHECK(read_tokenizer(folder.path())->size() == 502);
}

TEST_CASE("a file that needs what this Unigram does not do is an error that names it") {
    check_says(refused("/normalizer", "null"), "no error");
    check_says(refused("/normalizer", R"({"type": "NFKC"})"), "normalizer.type: 'NFKC' is not supported");
    check_says(refused("/normalizer", R"({"type": "Replace", "pattern": {"Regex": "x+"}, "content": ""})"),
               "normalizer.pattern.Regex: 'x+' is not supported");
    check_says(refused("/normalizer", R"({"type": "Replace", "pattern": {"String": ""}, "content": ""})"),
               "normalizer.pattern: expected a pattern, found nothing");
    check_says(refused("/normalizer", R"({"type": "Precompiled", "precompiled_charsmap": "*"})"),
               "normalizer.precompiled_charsmap: the table of characters is not base64");
    check_says(refused("/pre_tokenizer", "null"), "expected a pre_tokenizer of type Metaspace");
    check_says(refused("/pre_tokenizer/type", R"("Digits")"), "pre_tokenizer.type: 'Digits' is not supported");
    check_says(refused("/pre_tokenizer/type", R"("WhitespaceSplit")"),
               "'WhitespaceSplit' is not supported; expected Metaspace");
    check_says(refused("/pre_tokenizer/replacement", R"("")"),
               "pre_tokenizer.replacement: expected one character, found ''");
    check_says(refused("/pre_tokenizer/replacement", R"("▁▁")"),
               "pre_tokenizer.replacement: expected one character, found '▁▁'");
    check_says(refused("/pre_tokenizer/prepend_scheme", R"("maybe")"), "prepend_scheme: 'maybe' is not supported");
    check_says(refused("/decoder/replacement", R"("_")"), "decoder.replacement: '_' is not supported");
    check_says(refused("/model/byte_fallback", "true"), "model.byte_fallback: 'true' is not supported");
    check_says(refused("/model/unk_id", "null"), "model: expected 'unk_id', found none");
    check_says(refused("/model/unk_id", "6"), "model.unk_id: expected a whole number from 0 to 5, found 6");
    check_says(refused("/model/vocab/2", R"(["▁"])"), "model.vocab[2]: expected a piece and its score");
    check_says(refused("/model/vocab/2", R"([5, 0])"), "model.vocab[2][0]: expected text, found 5");
    check_says(refused("/model/vocab/2", R"(["▁", "0"])"), "model.vocab[2][1]: expected a number, found \"0\"");
}

}  // namespace text_read_unigram
