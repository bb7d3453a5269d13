#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <tessera/text/read/tokenizer_json.hpp>
#include <vector>

#include "text/scratch_folder.hpp"

namespace text_tokenizer_json {
using namespace tessera;
using test::check_says;
using test::message_of;

namespace {
Vocabulary three() {
    Vocabulary vocabulary;
    for (const char* piece : {"[CLS]", "[SEP]", "a"}) vocabulary.add(piece, vocabulary.size(), "vocab");
    return vocabulary;
}
TokenizerRules rules(std::string_view post_processor) {
    const JsonFile file(R"({"added_tokens": [{"id": 5, "content": "<image>", "special": true}], "post_processor": )" +
                            std::string(post_processor) + "}",
                        "tokenizer.json", Errc::tokenizer_format);
    return read_rules(file.root(), {}, three());
}
std::string refused(std::string_view post_processor) {
    return message_of(Errc::tokenizer_format, [&] { rules(post_processor); });
}
using Ids = std::vector<Token>;
}  // namespace

TEST_CASE("what stands around a text") {
    CHECK(rules("null").prefix_ids.empty());
    CHECK(rules(R"({"type": "ByteLevel", "trim_offsets": false})").suffix_ids.empty());
    for (const char* type : {"BertProcessing", "RobertaProcessing"}) {
        const auto around =
            rules(R"({"sep": ["[SEP]", 1], "cls": ["[CLS]", 0], "type": ")" + std::string(type) + "\"}");
        CHECK(around.prefix_ids == Ids{0});
        CHECK(around.suffix_ids == Ids{1});
    }
    const std::string both = R"({"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "x", "type_id": 0}},
        {"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "x", "type_id": 0}}],
        "special_tokens": {"x": {"id": "x", "ids": [0, 5], "tokens": ["[CLS]", "<image>"]}}})";
    CHECK(rules(both).prefix_ids == Ids{0, 5});
    CHECK(rules(both).suffix_ids == Ids{0, 5});
    CHECK(rules(R"({"type": "Sequence", "processors": [{"type": "ByteLevel"}, )" + both + "]}").prefix_ids ==
          Ids{0, 5});
}

TEST_CASE("a post-processor that cannot be followed is an error") {
    CHECK(refused(R"({"type": "Nonsense"})") ==
          "[tokenizer.format] tokenizer.json: post_processor.type: 'Nonsense' is not supported; expected "
          "TemplateProcessing, BertProcessing, RobertaProcessing or ByteLevel");
    check_says(refused(R"({"type": "TemplateProcessing", "single": []})"), "expected the sequence A, found none");
    check_says(refused(R"({"type": "TemplateProcessing", "single": [{"Sequence": {"id": "B"}}]})"),
               "single[0]: expected the sequence A, once");
    check_says(
        refused(R"({"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "x"}}], "special_tokens": {}})"),
        "special_tokens: expected 'x'");
    check_says(refused(R"({"type": "BertProcessing", "sep": ["[SEP]", 1], "cls": ["[CLS]"]})"),
               "expected a token and its id");
    check_says(refused(R"({"type": "BertProcessing", "sep": ["[SEP]", 1], "cls": ["x", 4]})"),
               "expected ids of tokens, found 4");
    check_says(refused(R"({"type": "BertProcessing", "sep": ["[SEP]", 1], "cls": ["x", -4]})"),
               "expected a whole number from 0 to ");
}

TEST_CASE("the kind of a model, also where old files do not say it") {
    const auto type = [](std::string_view model) {
        const JsonFile file("{\"model\": " + std::string(model) + "}", "tokenizer.json", Errc::tokenizer_format);
        return model_type(file.root());
    };
    CHECK(type(R"({"type": "Anything"})") == "Anything");
    CHECK(type(R"({"vocab": {}, "merges": []})") == "BPE");
    CHECK(type(R"({"vocab": [["a", 0]]})") == "Unigram");
    CHECK(type(R"({"vocab": {"a": 0}})") == "WordPiece");
    CHECK(message_of(Errc::tokenizer_format, [&] { type(R"({"vocab": 7})"); }) ==
          "[tokenizer.format] tokenizer.json: model.vocab: expected an object, found 7");
}

TEST_CASE("a vocabulary is read, and each wrong id is named") {
    const auto read = [](std::string_view text) {
        return read_vocabulary(JsonFile(text, "vocab.json", Errc::tokenizer_format).root());
    };
    const auto vocabulary = read(R"({"b": 0, "a": 65538})");  // as far as a hole may reach
    CHECK(vocabulary.find("a") == 65538);
    CHECK(message_of(Errc::tokenizer_format, [&] { read(R"({"b": 0, "a": 4000000})"); }) ==
          "[tokenizer.format] vocab.json: a: expected a whole number from 0 to 65538, found 4000000");
    CHECK(message_of(Errc::tokenizer_format, [&] { read("{}"); }) ==
          "[tokenizer.format] vocab.json: the vocabulary is empty");
    CHECK(message_of(Errc::tokenizer_format, [&] { read("[]"); }) ==
          "[tokenizer.format] vocab.json: expected an object, found []");
}

}  // namespace text_tokenizer_json
