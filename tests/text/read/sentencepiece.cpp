#include <doctest/doctest.h>

#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <tessera/core/json.hpp>
#include <tessera/text/read/sentencepiece.hpp>
#include <tessera/text/read/unigram.hpp>

#include "support/golden.hpp"
#include "support/read_json.hpp"
#include "text/scratch_folder.hpp"

namespace text_sentencepiece {
using namespace tessera;
using test::check_says;
using test::message_of;

namespace {
// A message of a protocol buffer.
struct Message {
    std::string bytes;
    Message& varint(unsigned field, std::uint64_t value) {
        number(field << 3);
        return number(value);
    }
    Message& text(unsigned field, std::string_view content) {
        number(field << 3 | 2);
        number(content.size());
        bytes += content;
        return *this;
    }
    Message& fixed32(unsigned field, std::uint32_t value) {
        number(field << 3 | 5);
        for (unsigned shift = 0; shift < 32; shift += 8)
            bytes += static_cast<char>(static_cast<unsigned char>(value >> shift));
        return *this;
    }
    Message& number(std::uint64_t value) {
        for (; value >= 0x80; value >>= 7) bytes += static_cast<char>(static_cast<unsigned char>(value | 0x80));
        bytes += static_cast<char>(static_cast<unsigned char>(value));
        return *this;
    }
};
std::string piece(std::string_view text, std::uint32_t score = 0, std::uint64_t type = 1) {
    return Message().text(1, text).fixed32(2, score).varint(3, type).bytes;
}
const std::string trainer = Message().varint(3, 1).varint(40, 0).varint(41, std::uint64_t(-1)).varint(42, 1).bytes;

SentencePieceModel read(std::string_view bytes) {
    const test::ScratchFolder folder;
    return read_sentencepiece(folder.write("spiece.model", bytes));
}
std::string refused(std::string_view bytes) {
    return message_of(Errc::tokenizer_format, [&] { read(bytes); });
}
}  // namespace

TEST_CASE("the pieces are those of tokenizer.json, to the last bit of each score") {
    const auto model = read_sentencepiece(test::golden("tokenizers/unigram/spiece.model"));
    const Json json = test::read_json(test::golden("tokenizers/unigram/tokenizer.json"));
    const Json& vocab = json["model"]["vocab"];
    REQUIRE(model.pieces.size() == 500);  // the other 100 are sentinels
    for (std::size_t i = 0; i < model.pieces.size(); ++i) {
        CHECK(model.pieces[i].text == vocab[i][0].get<std::string>());
        CHECK(static_cast<double>(model.pieces[i].score) == vocab[i][1].get<double>());
    }
    CHECK(model.kind == SentencePieceModel::Kind::unigram);
    CHECK(model.pad == 0);
    CHECK(model.eos == 1);
    CHECK(model.unknown == 2);
    CHECK(model.bos == -1);
    CHECK(model.pieces[0].type == SentencePieceModel::Type::control);
    CHECK(model.pieces[2].type == SentencePieceModel::Type::unknown);
    CHECK(model.charsmap == detail::decode_base64(json["normalizer"]["precompiled_charsmap"].get<std::string>()));
}

TEST_CASE("a small model, with fields that are not known") {
    Message model;
    model.text(1, piece("<unk>", 0, 2)).varint(9, 300).text(1, piece("</s>", 0, 3)).text(1, piece("a", 0xBF800000));
    model.fixed32(77, 5).text(2, trainer).text(3, Message().text(1, "name").text(2, "map").bytes);
    const auto read_back = read(model.bytes);
    REQUIRE(read_back.pieces.size() == 3);
    CHECK(read_back.pieces[2].text == "a");
    CHECK(read_back.pieces[2].score == -1);
    CHECK(read_back.unknown == 0);
    CHECK(read_back.bos == -1);
    CHECK(read_back.eos == 1);
    CHECK(read_back.charsmap == "map");
}

TEST_CASE("what is not such a model is an error that says where it stops to be one") {
    const std::string two = Message().text(1, piece("<unk>", 0, 2)).text(1, piece("</s>", 0, 3)).bytes;
    check_says(refused(""), "the file is empty");
    check_says(refused(two), "how they were trained, found 2 pieces");
    check_says(refused(Message().text(2, trainer).bytes), "found 0 pieces");
    check_says(refused("\x0A\x05"
                       "ab"),
               "expected 5 more bytes, found 2");
    check_says(refused("\x0A\xFF\xFF\xFF\xFF\x0F"
                       "ab"),
               "expected 4294967295 more bytes, found 2");
    check_says(refused("\x0A" + std::string(30, '\xFF')), "a number does not end");
    check_says(refused("\x0A\xFF"), "a number breaks off");
    check_says(refused("\x0B"), "expected a wire type of 0, 1, 2 or 5, found 3");
    check_says(refused(std::string_view("\x00\x00", 2)), "expected a field");
    check_says(refused(Message().varint(1, 5).bytes), "expected wire type 2 for field 1, found 0");
    check_says(refused(Message().text(1, Message().text(2, "1234").bytes).bytes), "expected wire type 5 for field 2");
    check_says(refused(Message().text(1, piece("\xFF")).bytes), "a piece is not UTF-8");
    check_says(refused(Message().text(1, piece("a", 0x7FC00000)).bytes), "the score of 'a' is not a finite number");
    check_says(refused(Message().text(1, piece("a", 0, 7)).bytes), "unknown type 7");
    check_says(refused(two + Message().text(2, Message().varint(40, 2).bytes).bytes), "a special token has the id 2");
    check_says(refused(two + Message().text(2, Message().varint(3, 9).bytes).bytes), "unknown kind 9");
}

TEST_CASE("a file cut anywhere, or with any byte changed, is read or refused") {
    const MappedFile file(test::golden("tokenizers/unigram/spiece.model"));
    std::mt19937 random(8);
    int refusals = 0;
    for (int round = 0; round < 100; ++round) {
        std::string bytes(file.text().substr(0, 12000));  // pieces, and the beginning of the settings
        if (round % 2 == 0) bytes.resize(random() % bytes.size());
        if (round % 2 == 1)
            for (int i = 0; i < 5; ++i)
                bytes[random() % bytes.size()] = static_cast<char>(static_cast<unsigned char>(random()));
        try {
            read(bytes);
        } catch (const Error& error) {
            CHECK(error.code == Errc::tokenizer_format);
            ++refusals;
        }
    }
    CHECK(refusals > 50);
}

}  // namespace text_sentencepiece
