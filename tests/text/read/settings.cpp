#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <tessera/text/read/settings.hpp>
#include <vector>

#include "text/scratch_folder.hpp"

namespace text_tokenizer_settings {
using namespace tessera;
using test::check_says;
using test::message_of;
using test::ScratchFolder;

namespace {
Vocabulary words(const std::vector<std::string>& list) {
    Vocabulary vocabulary;
    for (const auto& piece : list) vocabulary.add(piece, vocabulary.size(), "vocab");
    return vocabulary;
}
}  // namespace

TEST_CASE("an empty folder says nothing") {
    const ScratchFolder folder;
    const auto settings = read_tokenizer_settings(folder.path());
    CHECK(settings.roles.empty());
    CHECK(settings.special.empty());
    CHECK(settings.added.empty());
    CHECK(!settings.has_config);
    CHECK(!settings.clean_up_spaces);
    CHECK(!settings.add_bos);
}

TEST_CASE("roles and flags are read as every version writes them") {
    const ScratchFolder folder;
    folder.write("special_tokens_map.json", R"({"bos_token": {"content": "<s>", "lstrip": false}, "eos_token": "</s>",
        "pad_token": null, "additional_special_tokens": ["<x>", {"content": "<y>"}]})");
    folder.write("tokenizer_config.json", R"({"eos_token": "<end>", "add_bos_token": true, "add_prefix_space": false,
        "clean_up_tokenization_spaces": true, "do_lower_case": false, "strip_accents": null, "extra_ids": 7,
        "extra_special_tokens": {"image_token": "<image>"}, "model_max_length": 1000000000000000019884624838656,
        "added_tokens_decoder": {"9": {"content": "<image>", "special": true, "lstrip": true, "rstrip": false}}})");
    folder.write("added_tokens.json", R"({"<image>": 9, "<x>": 10, "word": 11})");
    const auto settings = read_tokenizer_settings(folder.path());
    CHECK(settings.roles == std::map<std::string, std::string>{{"bos_token", "<s>"}, {"eos_token", "<end>"}});
    CHECK(settings.special == std::set<std::string>{"<end>", "<image>", "<s>", "<x>", "<y>"});
    CHECK(settings.has_config);
    CHECK(settings.clean_up_spaces);
    CHECK(settings.add_bos == true);
    CHECK(!settings.add_eos);
    CHECK(settings.add_prefix_space == false);
    CHECK(settings.lower == false);
    CHECK(!settings.strip_accents);
    CHECK(settings.extra_ids == 7);
    REQUIRE(settings.added.size() == 4);
    CHECK(settings.added[0].content == "<image>");
    CHECK(settings.added[0].id == 9);
    CHECK(settings.added[0].lstrip);
    CHECK(!settings.added[0].normalized);
    CHECK(settings.added[0].source.ends_with("tokenizer_config.json"));
    CHECK(settings.added[1].content == "<image>");
    CHECK(settings.added[1].source.ends_with("added_tokens.json"));
    CHECK(settings.added[2].special);
    CHECK(!settings.added[3].special);
    CHECK(settings.added[3].normalized);
}

TEST_CASE("settings that are wrong are errors that name their file") {
    const auto refused = [](std::string_view file, std::string_view content) {
        const ScratchFolder folder;
        folder.write(file, content);
        const auto message = message_of(Errc::tokenizer_format, [&] { read_tokenizer_settings(folder.path()); });
        CHECK(message.find(file) != std::string::npos);
        return message;
    };
    check_says(refused("tokenizer_config.json", ""), "the file is empty");
    check_says(refused("tokenizer_config.json", "[]"), "expected an object, found []");
    check_says(refused("tokenizer_config.json", R"({"add_bos_token": 1})"), "add_bos_token: expected true or false");
    check_says(refused("tokenizer_config.json", R"({"extra_ids": 99999})"),
               "extra_ids: expected a whole number from 0 to 10000");
    check_says(refused("tokenizer_config.json", R"({"added_tokens_decoder": {"-1": {"content": "x"}}})"), "found '-1'");
    check_says(refused("tokenizer_config.json", R"({"added_tokens_decoder": {"1": {}}})"), "expected 'content'");
    check_says(refused("special_tokens_map.json", R"({"bos_token": 5})"), "bos_token: expected text, found 5");
    check_says(refused("special_tokens_map.json", R"({"additional_special_tokens": 5})"), "expected a list");
    check_says(refused("added_tokens.json", R"({"a": "5"})"), "a: expected a whole number from 0 to ");
}

TEST_CASE("files that contradict each other are errors that name both") {
    const ScratchFolder folder;
    folder.write("tokenizer_config.json", R"({"added_tokens_decoder": {"9": {"content": "<image>"}}})");
    folder.write("added_tokens.json", R"({"<image>": 8})");
    const auto settings = read_tokenizer_settings(folder.path());
    const auto message = message_of(Errc::tokenizer_format, [&] { join_rules({}, settings, words({"a"})); });
    check_says(message, "added_tokens.json: the added token '<image>' has the id 8, but 9 in ");
    check_says(message, "tokenizer_config.json");
}

TEST_CASE("tokens come from several files, each once, and special ones of the vocabulary are added tokens") {
    TokenizerSettings settings;
    settings.added = {{.content = "</s>", .id = 1}, {.content = "<image>", .id = 3, .special = true}};
    settings.special = {"<pad>", "<nowhere>"};
    settings.roles = {{"eos_token", "<image>"}, {"bos_token", "<nowhere>"}};
    const auto vocabulary = words({"<pad>", "</s>", "a"});
    const auto rules = join_rules({{.content = "</s>", .id = 1, .special = true}}, settings, vocabulary);
    REQUIRE(rules.added.size() == 3);
    CHECK(rules.added[0].special);  // the first file counts
    CHECK(rules.added[1].content == "<image>");
    CHECK(rules.added[2].content == "<pad>");
    CHECK(rules.added[2].special);
    CHECK(rules.special_tokens.eos == 3);
    CHECK(!rules.special_tokens.bos);
    CHECK(!rules.special_tokens.pad);
}

TEST_CASE("tokens that usually have a role have it where no file says otherwise, and are special") {
    TokenizerSettings settings;
    settings.roles = {{"eos_token", "a"}, {"bos_token", "<nowhere>"}};
    settings.assume({{"bos_token", "</s>"}, {"eos_token", "</s>"}, {"pad_token", "<pad>"}, {"cls_token", "[CLS]"}});
    CHECK(settings.special == std::set<std::string>{"<nowhere>", "<pad>", "[CLS]", "a"});
    const auto rules = join_rules({}, settings, words({"<pad>", "</s>", "a"}));
    CHECK(rules.special_tokens.eos == 2);
    CHECK(!rules.special_tokens.bos);  // what a file names counts, even if it is nowhere
    CHECK(rules.special_tokens.pad == 0);
    CHECK(!rules.special_tokens.cls);
    CHECK(rules.added.size() == 2);
}

TEST_CASE("added tokens that contradict the vocabulary are errors") {
    const auto vocabulary = words({"<pad>", "</s>", "a"});
    const auto refused = [&](std::vector<AddedToken> listed) {
        for (AddedToken& token : listed) token.source = "t.json";
        return message_of(Errc::tokenizer_format, [&] { join_rules(listed, {}, vocabulary); });
    };
    CHECK(refused({{.content = "<image>", .id = 2}}) ==
          "[tokenizer.format] t.json: the added token '<image>' has the id 2 of the token 'a'");
    CHECK(refused({{.content = "a", .id = 5}}) ==
          "[tokenizer.format] t.json: the added token 'a' has the id 5, but 2 in the vocabulary");
    CHECK(refused({{.content = "x", .id = 5}, {.content = "y", .id = 5}}) ==
          "[tokenizer.format] t.json: the added token 'y' has the id 5 of the added token 'x'");
    CHECK(refused({{.content = "x", .id = 5}, {.content = "x", .id = 6}}) ==
          "[tokenizer.format] t.json: the added token 'x' has the id 6, but 5 in t.json");
    CHECK(refused({{.content = "", .id = 5}}) == "[tokenizer.format] t.json: the added token 5 has no characters");
    check_says(refused({{.content = "x", .id = 100000}}), "far beyond the vocabulary of 3 tokens");
    CHECK(refused({{.content = "x", .id = 5}, {.content = "x", .id = 5}}) == "no error");
}

}  // namespace text_tokenizer_settings
