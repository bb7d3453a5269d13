#include <doctest/doctest.h>

#include <random>
#include <string>
#include <string_view>
#include <tessera/text/read/bpe.hpp>
#include <tessera/text/read/tokenizer.hpp>
#include <vector>

#include "support/golden.hpp"
#include "support/read_json.hpp"
#include "text/letters.hpp"
#include "text/scratch_folder.hpp"

namespace text_read_bpe {
using namespace tessera;
using test::check_says;
using test::message_of;
using test::ScratchFolder;

namespace {
using Ids = std::vector<Token>;

// vocab.json with the 256 bytes (id = byte) and some more tokens after them.
std::string vocab_json(const std::vector<std::string>& more) {
    Json json = Json::object();
    for (unsigned byte = 0; byte < 256; ++byte) json[test::spelled(static_cast<unsigned char>(byte))] = byte;
    for (const auto& piece : more) json[piece] = json.size();
    return json.dump();
}

// The message for the golden tokenizer.json with `value` at `place`.
std::string refused(const char* place, std::string_view value) {
    Json json = test::read_json(test::golden("tokenizers/bpe/tokenizer.json"));
    json[Json::json_pointer(place)] = Json::parse(value);
    const ScratchFolder folder;
    folder.write("tokenizer.json", json.dump());
    return message_of(Errc::tokenizer_format, [&] { read_tokenizer(folder.path()); });
}
}  // namespace

TEST_CASE("a bare vocab.json with merges.txt: with </s> it is OPT's, without it GPT-2's") {
    const ScratchFolder opt;
    opt.write("vocab.json", vocab_json({"</s>", "<pad>", "ab"}));
    opt.write("merges.txt", "#version: 0.2\r\na b\r\n");
    const auto tokenizer = read_bpe(opt.path(), TokenizerSettings{});
    CHECK(tokenizer->encode("ab</s>c") == Ids{256, 258, 256, 'c'});
    CHECK(tokenizer->encode("ab", Specials::omit) == Ids{258});
    CHECK(tokenizer->special_tokens().bos == 256);
    CHECK(tokenizer->special_tokens().eos == 256);
    CHECK(tokenizer->special_tokens().pad == 257);
    CHECK(tokenizer->decode(Ids{256, 258, 257}, SkipSpecials::yes) == "ab");

    const ScratchFolder gpt2;
    gpt2.write("vocab.json", vocab_json({"<|endoftext|>", "ab"}));
    gpt2.write("merges.txt", "a b");  // neither a comment nor a last newline
    const auto other = read_bpe(gpt2.path(), TokenizerSettings{});
    CHECK(other->encode("ab<|endoftext|>") == Ids{257, 256});
    CHECK(other->special_tokens().eos == 256);
}

TEST_CASE("what tokenizer_config.json wants at the ends") {
    const ScratchFolder folder;
    folder.write("vocab.json", vocab_json({"</s>", "<s>"}));
    folder.write("merges.txt", "");
    folder.write("tokenizer_config.json", R"({"add_prefix_space": true})");
    CHECK(read_tokenizer(folder.path())->encode("a") == Ids{' ', 'a'});
    folder.write("tokenizer_config.json", R"({"add_bos_token": true, "add_eos_token": true, "bos_token": "<s>"})");
    CHECK(read_tokenizer(folder.path())->encode("a") == Ids{257, 'a', 256});
    folder.write("tokenizer_config.json", R"({"add_bos_token": false})");
    CHECK(read_tokenizer(folder.path())->encode("a") == Ids{'a'});
}

TEST_CASE("merges as text and as pairs are the same") {
    Json json = test::read_json(test::golden("tokenizers/bpe/tokenizer.json"));
    const ScratchFolder folder;
    for (auto& merge : json["model"]["merges"]) merge = merge[0].get<std::string>() + ' ' + merge[1].get<std::string>();
    folder.write("tokenizer.json", json.dump());
    const auto text = read_tokenizer(folder.path()), pairs = read_tokenizer(test::golden("tokenizers/bpe"));
    const std::string_view sample = "a photo of two cats, 12 of them\n isn't it?";
    CHECK(text->encode(sample) == pairs->encode(sample));
}

TEST_CASE("a tokenizer.json that only moves offsets gets its first token from the settings") {
    Json json = test::read_json(test::golden("tokenizers/bpe/tokenizer.json"));
    json["post_processor"] = Json{{"type", "ByteLevel"}};
    const ScratchFolder folder;
    folder.write("tokenizer.json", json.dump());
    CHECK(read_tokenizer(folder.path())->encode("").empty());
    folder.write("tokenizer_config.json", R"({"add_bos_token": true, "bos_token": "</s>"})");
    CHECK(read_tokenizer(folder.path())->encode("") == Ids{2});
}

TEST_CASE("spaces are cleaned up if tokenizer_config.json says so") {
    const ScratchFolder folder;
    folder.write("vocab.json", vocab_json({"</s>"}));
    folder.write("merges.txt", "");
    folder.write("tokenizer_config.json", R"({"clean_up_tokenization_spaces": true})");
    const auto tokenizer = read_tokenizer(folder.path());
    CHECK(tokenizer->decode(tokenizer->encode("it 's a cat ."), SkipSpecials::yes) == "it's a cat.");
}

TEST_CASE("a file that needs what this BPE does not do is an error that names it") {
    check_says(refused("/normalizer", R"({"type": "NFC"})"),
               "tokenizer.json: normalizer: '{\"type\":\"NFC\"}' is not supported; expected null");
    check_says(refused("/pre_tokenizer", "null"), "expected a pre_tokenizer of type ByteLevel, found none");
    check_says(refused("/pre_tokenizer/type", R"("Whitespace")"), "pre_tokenizer.type: 'Whitespace' is not supported");
    check_says(refused("/decoder", "null"), "expected a decoder of type ByteLevel");
    check_says(refused("/model/end_of_word_suffix", R"("</w>")"), "model.end_of_word_suffix: '</w>' is not supported");
    check_says(refused("/model/dropout", "0.1"), "model.dropout: '0.1' is not supported");
    check_says(refused("/model/dropout", "0"), "no error");
    check_says(refused("/model/merges/3", R"("a  b")"), "model.merges[3]: expected a merge of two parts, found 'a  b'");
    check_says(refused("/model/merges/3", R"(["a"])"), "model.merges[3]: expected a merge of two parts, found 1");
    check_says(refused("/model/merges/3", "5"), "model.merges[3]: expected a list, found 5");
    check_says(refused("/model/merges/3", R"(["a", "zzz"])"),
               "model.merges[3]: the merge of 'a' and 'zzz' needs 'zzz'");
    check_says(refused("/model/vocab", "null"), "model: expected 'vocab', found none");

    const ScratchFolder clip;
    clip.write("vocab.json", vocab_json({"a</w>"}));
    clip.write("merges.txt", "");
    check_says(message_of(Errc::tokenizer_format, [&] { read_tokenizer(clip.path()); }),
               "vocab.json: marks of word ends");
    const ScratchFolder half;
    half.write("merges.txt", "");
    check_says(message_of(Errc::tokenizer_format, [&] { read_tokenizer(half.path()); }), "vocab.json: missing");
}

TEST_CASE("any text comes back from its tokens") {
    const auto tokenizer = read_tokenizer(test::golden("tokenizers/bpe"));
    std::mt19937 random(10);
    for (int round = 0; round < 400; ++round) {
        std::string text;
        for (std::size_t n = random() % 60; n > 0; --n) {
            const unsigned limits[] = {0x80, 0x800, 0x110000};
            auto c = static_cast<char32_t>(random() % limits[random() % 3]);
            if (c >= 0xD800 && c < 0xE000) c = U' ';
            append_utf8(text, c);
        }
        const auto ids = tokenizer->encode(text, Specials::omit);
        CHECK(tokenizer->decode(ids, SkipSpecials::no) == text);
        CHECK(tokenizer->decode(tokenizer->encode(text), SkipSpecials::yes) == text);
        for (const Token id : ids) CHECK(tokenizer->find(tokenizer->piece(id)) == id);
    }
}

TEST_CASE("bytes that are not UTF-8 are not encoded, and never crash") {
    const auto tokenizer = read_tokenizer(test::golden("tokenizers/bpe"));
    std::mt19937 random(11);
    int refusals = 0;
    for (int round = 0; round < 500; ++round) {
        std::string bytes;
        for (std::size_t n = random() % 12; n > 0; --n)
            bytes += static_cast<char>(static_cast<unsigned char>(random()));
        if (find_invalid_utf8(bytes) == std::string::npos) {
            CHECK(tokenizer->decode(tokenizer->encode(bytes), SkipSpecials::yes) == bytes);
        } else {
            check_says(message_of(Errc::text_encoding, [&] { tokenizer->encode(bytes); }),
                       "expected UTF-8, found the byte");
            ++refusals;
        }
    }
    CHECK(refusals > 300);
}

TEST_CASE("any ids become text, which a stream gives as well") {
    const auto tokenizer = read_tokenizer(test::golden("tokenizers/bpe"));
    std::mt19937 random(12);
    for (int round = 0; round < 300; ++round) {
        Ids ids;
        for (std::size_t n = random() % 40; n > 0; --n) ids.push_back(static_cast<Token>(random() % 601));
        for (const auto skip : {SkipSpecials::no, SkipSpecials::yes}) {
            DecodeStream stream(*tokenizer, skip);
            std::string text;
            for (const Token id : ids) {
                const auto part = stream.push(id);
                CHECK(find_invalid_utf8(part) == std::string::npos);
                text += part;
            }
            CHECK(text + stream.flush() == tokenizer->decode(ids, skip));
        }
    }
}

}  // namespace text_read_bpe
