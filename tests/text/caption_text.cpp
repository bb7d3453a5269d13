// Captions and questions as the processors of LAVIS give them: right values come from its own expressions in Python.
#include <doctest/doctest.h>

#include <string>
#include <tessera/text/caption_text.hpp>

namespace text_caption_text {
using namespace tessera;

TEST_CASE("captions and questions, whole and cut to three words") {
    struct Case {
        std::string from, caption, caption_3, question, question_3;
    };
    const std::string separators = "\n a\x1c\x1d?", long_a = "one two three four five";
    for (const Case& c : {
             Case{"A Dog (brown) plays; it's FUN!!  \n", "a dog brown plays it's fun", "a dog brown",
                  "a dog brown plays it's fun  \n", "a dog brown"},
             Case{"  a\tcat\t\ton \u3000 a mat.\n\n", "a\tcat on a mat", "a\tcat on a",
                  "  a\tcat\t\ton \u3000 a mat\n\n", "  a\tcat\t\ton"},
             Case{"\"Quote\": #tag ~ ÀÉÎ İstanbul\u00a0\u00a0x", "quote tag àéî i\u0307stanbul x", "quote tag àéî",
                  "quote tag  àéî i\u0307stanbul\u00a0\u00a0x", "quote tag "},
             Case{long_a, long_a, "one two three", long_a, "one two three"},
             Case{"", "", "", "", ""},
             Case{"...", "", "", "", ""},
             Case{separators, "a ?", "a ?", separators, separators},
             Case{"What is   this (thing)?  ", "what is this thing ?", "what is this", "what is   this thing?",
                  "what is "},
             Case{"a . b", "a b", "a b", "a  b", "a  b"},
             Case{"tab\tonly", "tab\tonly", "tab\tonly", "tab\tonly", "tab\tonly"},
             Case{"end \n", "end", "end", "end \n", "end \n"},
         }) {
        CAPTURE(c.from);
        CHECK(caption_text(c.from) == c.caption);
        CHECK(caption_text(c.from, {}, 3) == c.caption_3);
        CHECK(question_text(c.from) == c.question);
        CHECK(question_text(c.from, 3) == c.question_3);
        CHECK(caption_text(c.from, "a photo of ") == "a photo of " + c.caption);
    }
}

TEST_CASE("text that is not UTF-8 is refused") {
    CHECK_THROWS_WITH_AS(caption_text("a\xff"),
                         "[text.encoding] caption or question: expected UTF-8, found the byte 0xff at position 1",
                         Error);
}

TEST_CASE("questions and captions as LAVIS prepares them (values of its own functions), with edges") {
    CHECK(question_text("What IS \"this\"?  (A dog: yes!) ; ~ ") == "what is this?  a dog yes");
    CHECK(caption_text("What IS \"this\"?  (A dog: yes!) ; ~ ") == "what is this ? a dog yes");
    CHECK(question_text("Ünder the Sea.  Two\tCats\n") == "ünder the sea  two\tcats\n");
    CHECK(caption_text("Ünder the Sea.  Two\tCats\n") == "ünder the sea two\tcats");
    CHECK(question_text(" .. a cat..") == "  a cat");
    CHECK(caption_text(" .. a cat..") == "a cat");
    CHECK(caption_text("") == "");
    std::string words = "0";
    for (int i = 1; i < 60; ++i) words += " " + std::to_string(i);
    CHECK(question_text(words).ends_with(" 49"));
    CHECK(caption_text(words).ends_with(" 49"));
    CHECK_THROWS_AS(question_text("\xff"), Error);
}

}  // namespace text_caption_text
