#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <tessera/text/vocabulary.hpp>
#include <utility>

#include "text/scratch_folder.hpp"

namespace text_vocabulary {
using namespace tessera;
using test::message_of;

TEST_CASE("pieces and ids, one to one, with holes") {
    Vocabulary vocabulary;
    CHECK(vocabulary.size() == 0);
    vocabulary.add("b", 3, "here");
    vocabulary.add("", 1, "here");
    CHECK(vocabulary.size() == 4);
    CHECK(vocabulary.find("b") == 3);
    CHECK(vocabulary.find("") == 1);
    CHECK(!vocabulary.find("c"));
    CHECK(*vocabulary.piece(3) == "b");
    CHECK(!vocabulary.piece(2));
    CHECK(!vocabulary.piece(-1));
    CHECK(!vocabulary.piece(4));

    Vocabulary moved = std::move(vocabulary);
    CHECK(*moved.piece(3) == "b");
    CHECK(moved.find("b") == 3);
}

TEST_CASE("nothing is there twice") {
    Vocabulary vocabulary;
    vocabulary.add("a", 0, "here");
    CHECK(message_of(Errc::tokenizer_format, [&] { vocabulary.add("a", 1, "here"); }) ==
          "[tokenizer.format] here: the token 'a' has two ids, 0 and 1");
    CHECK(message_of(Errc::tokenizer_format, [&] { vocabulary.add("b", 0, "here"); }) ==
          "[tokenizer.format] here: the tokens 'a' and 'b' have the same id, 0");
}

TEST_CASE("a piece may be set again: the last id is found, both are known") {
    Vocabulary vocabulary;
    vocabulary.set("a", 0);
    vocabulary.set("a", 2);
    CHECK(vocabulary.find("a") == 2);
    CHECK(*vocabulary.piece(0) == "a");
    CHECK(*vocabulary.piece(2) == "a");
    CHECK(!vocabulary.piece(1));
}

TEST_CASE("many pieces are found, and nothing else") {
    Vocabulary vocabulary;
    for (Token id = 0; id < 5000; ++id) vocabulary.add(std::to_string(id * 7), id, "here");
    for (Token n = 0; n < 35000; ++n) {
        const auto id = vocabulary.find(std::to_string(n));
        if (id != (n % 7 == 0 ? std::optional(n / 7) : std::nullopt)) FAIL(n);
    }
}

TEST_CASE("a vocabulary may have holes, but not a table far larger than itself") {
    static_assert(Vocabulary::highest_id(0) == 65536);
    static_assert(Vocabulary::highest_id(50265) == 50265 + 65536);
    static_assert(Vocabulary::highest_id(std::size_t(-1)) > 0);
}

}  // namespace text_vocabulary
