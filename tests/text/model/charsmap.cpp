#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <tessera/text/model/charsmap.hpp>
#include <tessera/text/read/sentencepiece.hpp>

#include "support/golden.hpp"
#include "text/scratch_folder.hpp"

namespace text_charsmap {
using namespace tessera;
using test::check_says;
using test::message_of;

namespace {
std::string golden_table() { return read_sentencepiece(test::golden("tokenizers/unigram/spiece.model")).charsmap; }
std::string size_field(std::uint32_t size) {
    std::string out;
    for (unsigned shift = 0; shift < 32; shift += 8)
        out += static_cast<char>(static_cast<unsigned char>(size >> shift));
    return out;
}
}  // namespace

TEST_CASE("the table of SentencePiece's nmt_nfkc") {
    const Charsmap map(golden_table(), "test");
    CHECK(map.normalize("") == "");
    CHECK(map.normalize("plain text") == "plain text");
    CHECK(map.normalize("ﬁne ＡＢＣ① ½") == "fine ABC1 1⁄2");
    CHECK(map.normalize("e\u0301 A\u030A") == "é Å");
    CHECK(map.normalize("a\u00A0b\u3000c\td") == "a b c d");
    CHECK(map.normalize("zero\u200Bwidth") == "zero width");
    CHECK(map.normalize("ｶﾞ") == "カ\u3099");  // six bytes, so each on its own
    CHECK(map.normalize("각") == "각");
}

TEST_CASE("a short cluster is replaced as a whole, even by what its beginning stands for") {
    const Charsmap map(golden_table(), "test");
    CHECK(map.normalize("ﬁ\u0301") == "fi");                    // five bytes: the accent is lost
    CHECK(map.normalize("ﬁ\u0301\u0302") == "fi\u0301\u0302");  // seven bytes: character by character
}

TEST_CASE("sizes that contradict each other are errors") {
    const auto refused = [](const std::string& bytes) {
        return message_of(Errc::tokenizer_format, [&] { Charsmap(bytes, "x.json"); });
    };
    CHECK(refused("abc") == "[tokenizer.format] x.json: the table of characters breaks off after 3 bytes");
    check_says(refused(size_field(8) + "1234"), "index has 8 bytes");
    check_says(refused(size_field(0xFFFFFFFC) + "1234"), "index has 4294967292 bytes");
    check_says(refused(size_field(0) + "1234"), "index has 0 bytes");
    check_says(refused(size_field(3) + "1234"), "multiple of 4");
    check_says(refused(size_field(4) + "1234\xFF"), "expected UTF-8");
}

TEST_CASE("a table of noise makes UTF-8 or nothing of any text, and does not read outside of itself") {
    std::mt19937 random(6);
    const std::string good = golden_table();
    for (int round = 0; round < 60; ++round) {
        std::string bytes = good;
        for (int i = 0; i < 2000; ++i) {
            const std::size_t index_bytes = 160000;  // the replacements stay UTF-8
            bytes[4 + random() % index_bytes] = static_cast<char>(static_cast<unsigned char>(random()));
        }
        const Charsmap map(bytes, "test");
        for (const std::string_view text : {"plain ＡＢＣ", "ﬁne e\u0301 각 猫 🐱", "\u0085\u00A0 ½ ㍿"})
            CHECK(find_invalid_utf8(map.normalize(text)) == std::string::npos);
    }
}

}  // namespace text_charsmap
