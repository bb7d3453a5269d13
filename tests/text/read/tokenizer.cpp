#include <doctest/doctest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <tessera/text/read/tokenizer.hpp>
#include <vector>

#include "support/read_json.hpp"
#include "support/rounded_golden.hpp"
#include "text/scratch_folder.hpp"

namespace text_read_tokenizer {
using namespace tessera;
using test::golden;
using test::ScratchFolder;

namespace {
using Ids = std::vector<Token>;

std::string streamed(const Tokenizer& tokenizer, const Ids& ids, SkipSpecials skip) {
    DecodeStream stream(tokenizer, skip);
    std::string text;
    for (const Token id : ids) text += stream.push(id);
    return text + stream.flush();
}

// Everything that an expected.json of tests/golden/tokenizers says of `tokenizer`.
void compare(const Tokenizer& tokenizer, const Json& expected) {
    CHECK(tokenizer.size() == expected["vocabulary_with_added_tokens"].get<Token>());
    REQUIRE(expected["encode"].size() > 200);
    REQUIRE(expected["decode"].size() > 50);
    const auto decoded = [&](const Json& row) {
        const auto ids = row["ids"].get<Ids>();
        for (const auto skip : {SkipSpecials::no, SkipSpecials::yes}) {
            const auto text = row[skip == SkipSpecials::no ? "decoded" : "decoded_skip_special"].get<std::string>();
            CHECK(tokenizer.decode(ids, skip) == text);
            CHECK(streamed(tokenizer, ids, skip) == text);
        }
    };
    for (const Json& row : expected["encode"]) {
        const auto text = row["text"].get<std::string>();
        CAPTURE(text);
        CHECK(tokenizer.encode(text) == row["ids"].get<Ids>());
        CHECK(tokenizer.encode(text, Specials::omit) == row["ids_without_specials"].get<Ids>());
        decoded(row);
    }
    for (const Json& row : expected["decode"]) decoded(row);
}
}  // namespace

TEST_CASE("several hundred strings, as the tokenizers of the checkpoints make them") {
    for (const char* kind : {"bpe", "wordpiece", "unigram"}) {
        CAPTURE(kind);
        const auto folder = golden("tokenizers") / kind;
        compare(*read_tokenizer(folder), test::read_json(folder / "expected.json"));
    }
}

TEST_CASE("the same from the files of the first releases, without tokenizer.json") {
    for (const char* kind : {"bpe", "wordpiece", "unigram"}) {
        CAPTURE(kind);
        const auto folder = golden("tokenizers") / kind;
        const ScratchFolder old;
        for (const char* file : {"vocab.json", "merges.txt", "vocab.txt", "spiece.model", "added_tokens.json",
                                 "special_tokens_map.json", "tokenizer_config.json"})
            old.copy(folder, file);
        compare(*read_tokenizer(old.path()), test::read_json(folder / "expected.json"));
    }
}

TEST_CASE("the same from a tokenizer.json alone") {
    for (const char* kind : {"bpe", "wordpiece", "unigram"}) {
        CAPTURE(kind);
        const auto folder = golden("tokenizers") / kind;
        const ScratchFolder alone;
        alone.copy(folder, "tokenizer.json");
        const auto tokenizer = read_tokenizer(alone.path());
        compare(*tokenizer, test::read_json(folder / "expected.json"));
        const auto full = read_tokenizer(folder)->special_tokens(), found = tokenizer->special_tokens();
        CHECK(found.eos == full.eos);
        CHECK(found.pad == full.pad);
        CHECK(found.cls == full.cls);
    }
}

TEST_CASE("prompts and generated text of the models") {
    std::size_t prompts = 0, texts = 0;
    for (const char* model :
         {"blip2_opt", "blip2_opt_bf16", "blip2_opt_f16", "blip2_t5", "opt", "opt_350m_style", "t5"}) {
        if (!std::filesystem::exists(golden(model))) continue;
        CAPTURE(model);
        const auto tokenizer = read_tokenizer(test::golden_checkpoint(model));
        const auto image = tokenizer->find("<image>");
        const Json expected = test::read_json(golden(model) / "expected.json");
        for (const auto& entry : expected["generate"].items()) {
            CAPTURE(entry.key());
            const Json& run = entry.value();
            for (std::size_t i = 0; i < run["text"].size(); ++i, ++texts)
                // Random weights also give ids that only the model has.
                CHECK(tokenizer->decode(run["new_tokens"][i].get<Ids>(), SkipSpecials::yes, OutOfVocabulary::skip) ==
                      run["text"][i].get<std::string>());
            if (!run.contains("prompts")) continue;
            for (std::size_t i = 0; i < run["prompts"].size(); ++i, ++prompts) {
                Ids ids;  // without placeholders of the picture and without padding
                for (std::size_t t = 0; t < run["input_ids"][i].size(); ++t)
                    if (run["attention_mask"][i][t] == 1 && run["input_ids"][i][t] != *image)
                        ids.push_back(run["input_ids"][i][t].get<Token>());
                const Json& prompt = run["prompts"][i];
                CHECK(tokenizer->encode(prompt.is_null() ? "" : prompt.get<std::string>()) == ids);
            }
        }
    }
    CHECK(texts >= 60);
    CHECK(prompts >= 60);
}

TEST_CASE("broken files are refused in one sentence that names what is wrong") {
    int count = 0;
    const Json index = test::read_json(golden("malformed/index.json"));
    for (const Json& entry : index["cases"]) {
        if (entry["kind"] != "tokenizer") continue;
        ++count;
        const auto path = entry["path"].get<std::string>(), must = entry["must"].get<std::string>();
        CAPTURE(path);
        std::string message;
        try {
            const auto tokenizer = read_tokenizer(golden("malformed") / path);
            tokenizer->decode(tokenizer->encode("a photo of </s><image> [CLS] café"), SkipSpecials::no);
        } catch (const Error& error) {
            CHECK(error.code == Errc::tokenizer_format);
            message = error.what();
        }
        CAPTURE(message);
        if (must == "error") CHECK(!message.empty());
        if (must == "load") CHECK(message.empty());
        if (message.empty()) continue;
        CHECK(message.find('\n') == std::string::npos);
        CHECK(message.size() < 500);
        for (const Json& name : entry["names"]) CHECK(message.find(name.get<std::string>()) != std::string::npos);
    }
    CHECK(count >= 38);
}

TEST_CASE("a folder without a tokenizer, and no folder, are errors") {
    const ScratchFolder folder;
    CHECK(test::message_of(Errc::tokenizer_format, [&] { read_tokenizer(folder.path()); }) ==
          "[tokenizer.format] " + folder.path().string() +
              ": no tokenizer; expected tokenizer.json, vocab.json with merges.txt, vocab.txt or spiece.model");
    CHECK(test::message_of(Errc::file_open, [&] { read_tokenizer(folder.path() / "nowhere"); }) ==
          "[file.open] " + (folder.path() / "nowhere").string() + ": expected a folder with a tokenizer, found none");
}

TEST_CASE("a tokenizer.json with any part missing or changed is read or refused") {
    for (const char* kind : {"bpe", "wordpiece", "unigram"}) {
        Json whole = test::read_json(golden("tokenizers") / kind / "tokenizer.json");
        if (whole["normalizer"].contains("precompiled_charsmap")) whole["normalizer"]["precompiled_charsmap"] = nullptr;
        // Every object is reached, and its members are taken away and replaced one at a time; of long lists, the front.
        std::vector<Json::json_pointer> places;
        const auto walk = [&](auto&& self, const Json& value, const Json::json_pointer& place) -> void {
            std::size_t left = 6;
            for (const auto& [key, member] : value.items()) {
                if (left-- == 0) break;
                const auto inner = value.is_array() ? place / static_cast<std::size_t>(std::stoul(key)) : place / key;
                places.push_back(inner);
                if (member.is_structured()) self(self, member, inner);
            }
        };
        walk(walk, whole, Json::json_pointer());
        REQUIRE(places.size() > 40);
        const ScratchFolder folder;
        for (const auto& place : places)
            for (const Json& other : {Json(), Json(-1), Json::object()}) {
                Json changed = whole;
                changed[place] = other;
                folder.write("tokenizer.json", changed.dump());
                try {
                    const auto tokenizer = read_tokenizer(folder.path());
                    tokenizer->decode(tokenizer->encode("a photo"), SkipSpecials::no);
                } catch (const Error& error) {
                    if (error.code != Errc::tokenizer_format) FAIL(place.to_string(), ": ", error.what());
                }
            }
    }
}

}  // namespace text_read_tokenizer
