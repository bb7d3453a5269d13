#include <doctest/doctest.h>

#include <random>
#include <tessera/study/parse.hpp>
#include "support/mask.hpp"

namespace study_parse {
using namespace tessera;
using test::picture;

namespace {

std::string parsed(std::string_view text, Index queries, Index keys) {
    return picture(parse_mask(text, queries, keys), queries, keys);
}

}  // namespace

TEST_CASE("expressions") {
    CHECK(parsed("prefix 2 | causal", 4, 4) == "##..|##..|###.|####");
    CHECK(parsed(" ( keys 1|~causal )&queries 2", 3, 3) == "###|#.#|...");
    CHECK(parsed("~full | causal & prefix 1", 3, 3) == "#..|#..|#..");
    CHECK(parsed("~~causal", 3, 3) == "#..|##.|###");
    CHECK(parsed("uni_modal 1", 3, 3) == "#..|.##|.##");
    CHECK(parsed("multimodal_causal 2", 4, 4) == "##..|##..|###.|####");
    CHECK(parsed("window 1", 3, 3) == "#..|##.|.##");
    CHECK(parsed("window 0 1", 3, 3) == "##.|.##|..#");
    CHECK(parsed("dilated 2", 4, 4) == "#...|.#..|#.#.|.#.#");
    CHECK(parsed("dilated 2 0 2", 4, 4) == "#.#.|.#.#|..#.|...#");
    CHECK(parsed("strided 2 1", 1, 5) == ".#.#.");
    CHECK(parsed("sequences 1 0 2", 3, 3) == "#..|.##|.##");
    CHECK(parsed("sequences 1 2 by 3 2", 3, 5) == "###..|...##|...##");
    CHECK(parsed("sequences 1 2 by 3 2 causal", 3, 5) == "###..|...#.|...##");
    CHECK(parsed("documents 4 7 7", 3, 3) == "#..|.##|.##");
    CHECK(parsed("documents 4 7 by 7 7 8", 2, 3) == "...|##.");
    CHECK(parsed("padded 2 1", 4, 4) == "##..|##..|..#.|..#.");
    CHECK(parsed("padded 2 1 to 1 3 left", 2, 6) == ".##...|.....#");
    CHECK(parsed("tree -1 0 0", 3, 3) == "#..|##.|#.#");
    CHECK(parsed("neighborhood 2 2 0", 4, 4) == "#...|.#..|..#.|...#");
    CHECK(parsed("random 0.5 7", 3, 8) == picture(Random{0.5, 7}, 3, 8));
    CHECK(parsed("random 1", 2, 2) == "##|##");
    CHECK(parsed("random 0.5 7 2 3", 4, 6) == picture(Random{0.5, 7, 2, 3}, 4, 6));
    CHECK(parsed("pattern '#.|.#' | pattern \".#|..\"", 2, 2) == "##|.#");
    CHECK(parsed("blocks 1 2 '#.|##'", 2, 4) == "##..|####");
    CHECK(parsed("shifted -1 -1 causal", 3, 3) == "...|.#.|.##");
    CHECK(parsed("shifted 0 1 (causal bottom_right)", 2, 3) == "##.|###");  // of the inner lengths
    CHECK(parsed("if queries 1 then keys 1 else keys 2 | causal", 3, 3) == "#..|##.|###");
    CHECK(parsed("global_window 1 0 1", 4, 4) == "####|###.|#.##|#..#");
    CHECK(parsed("prefix_lm 2", 3, 3) == "##.|##.|###");
    CHECK(parsed("sparse_strided 2", 4, 4) == picture(masks::sparse_strided(2), 4, 4));
    CHECK(parsed("segments 1", 2, 2) == "#.|.#");
    CHECK(picture(parse_mask("heads 1 & causal | ~heads 1", 2, 2), 2, 2, 1) == "##|##");
    CHECK(picture(parse_mask("per_head (full) (causal)", 2, 2), 2, 2, 1) == "#.|##");
    CHECK(picture(parse_mask("random 0.5 7 1 1 by_head", 2, 8), 2, 8, 3) ==
          picture(Random{.seed = 7, .by_head = true}, 2, 8, 3));
}

TEST_CASE("unequal lengths want a corner") {
    CHECK(parsed("causal bottom_right", 2, 4) == "###.|####");
    CHECK(parsed("causal top_left", 2, 4) == "#...|##..");
    CHECK(parsed("window 1 1 bottom_right", 2, 4) == ".###|..##");
    CHECK(parsed("multimodal_causal 1 top_left", 2, 3) == "#..|##.");
    CHECK(parsed("causal after 1", 2, 3) == "##.|###");
    CHECK(parsed("global_window 1 0 bottom_right", 2, 3) == "###|#.#");
    CHECK_THROWS_WITH_AS(
        parse_mask("causal", 2, 4),
        "[option.value] mask 'causal': is not for 2 queries and 4 keys: lengths have to add up, and where "
        "there are not as many of both, top_left, bottom_right or after N has to say which corner the "
        "diagonal begins in",
        Error);
    CHECK_THROWS_AS(parse_mask("sequences 1 2", 4, 4), Error);
    CHECK_THROWS_AS(parse_mask("padded 1 2", 3, 3), Error);
}

TEST_CASE("mistakes are named, with their place") {
    const auto message = [](std::string_view text) -> std::string {
        try {
            parse_mask(text, 8, 8);
        } catch (const Error& error) {
            CHECK(error.code == Errc::option_value);
            return error.what();
        }
        return "no error";
    };
    const std::string number = "expected a whole number from 0 to 1000000000, found ";
    CHECK(message("prefix x") == "[option.value] mask 'prefix x', character 8: " + number + "'x'");
    CHECK(message("prefix") == "[option.value] mask 'prefix', character 7: " + number + "the end");
    CHECK(message("prefix -1") == "[option.value] mask 'prefix -1', character 8: " + number + "'-1'");
    CHECK(message("prefix 99999999999999999999").find(number) != std::string::npos);
    CHECK(message("full full") ==
          "[option.value] mask 'full full', character 6: expected &, | or the end, found 'full'");
    CHECK(message("(full") == "[option.value] mask '(full', character 6: expected ), found the end");
    CHECK(message("random 1.5").find("expected a number from 0 to 1, found '1.5'") != std::string::npos);
    CHECK(message("random nan").find("expected a number from 0 to 1, found 'nan'") != std::string::npos);
    CHECK(message("strided 0").find("from 1 to") != std::string::npos);
    CHECK(message("").find("expected ~, ( or one of full") != std::string::npos);
    CHECK(message("full & cusal 3") ==
          "[option.value] mask 'full & cusal 3', character 8: expected a mask, perhaps causal, found 'cusal 3'");
    CHECK(message("xyz").find("character 1: expected ~, ( or one of full, causal, prefix") != std::string::npos);
    CHECK(message("~tree 0") ==
          "[option.value] mask '~tree 0', character 7: Tree: expected a parent from -1 to -1 for node 0, found 0");
    CHECK(message("padded 9") ==
          "[option.value] mask 'padded 9', character 8: Padded: expected lengths from 0 to 8, found 9");
    CHECK(message("documents 2 1").find("character 11: Documents: expected ids that do not decrease") !=
          std::string::npos);
    CHECK(message("sequences 1 2 by 3").find("character 11: Packed: expected as many offsets") != std::string::npos);
    CHECK(message("pattern '#.|#'").find("character 9: Pattern: expected rows of 2 keys") != std::string::npos);
    CHECK(message("blocks 1 1 '#.|#'").find("character 12: Pattern: expected rows of 2 keys") != std::string::npos);
    CHECK(message("pattern #.").find("character 9: expected a picture in quotation marks") != std::string::npos);
    CHECK(message("pattern '#.").find("character 9: expected a picture in quotation marks") != std::string::npos);
    CHECK(message("if full causal") ==
          "[option.value] mask 'if full causal', character 9: expected then, found 'causal'");
    CHECK(message("if full then causal").find("character 20: expected else, found the end") != std::string::npos);
    CHECK(message("per_head causal").find("expected ( and the mask of the first head, found 'causal'") !=
          std::string::npos);
    CHECK(message("full\n\xff").find("mask 'full\\x0a\\xff', character 6: expected &, | or the end, found '\\xff'") !=
          std::string::npos);
    CHECK(message(std::string(100000, '(')).find("at most 100 brackets") != std::string::npos);
    CHECK(message(std::string(100000, '~')).find("at most 100 brackets") != std::string::npos);
}

TEST_CASE("any text is a mask or an error, and a mask keeps its word") {
    std::vector<std::string> words{
        "(",          ")",    "~",       "&",  "|",  "0",    "1",     "2",    "3",    "-1",       "0.5",
        "1000000000", "\xc3", "'#.|##'", "by", "to", "left", "after", "then", "else", "top_left", "bottom_right",
        "by_head"};
    for (const parsing::Word& one : parsing::words) words.emplace_back(one.name);
    std::mt19937 random(7);
    int masks = 0;
    for (int i = 0; i < 50000; ++i) {
        std::string text;
        for (std::size_t n = 1 + random() % 5; n > 0; --n) text += words[random() % words.size()] + ' ';
        try {
            const AnyMask mask = parse_mask(text, 5, 7);
            ++masks;
            const Verdict verdict = verify(mask, 5, 7, 2);
            CHECK_MESSAGE(verdict, text, verdict.text());
        } catch (const Error&) {}
    }
    CHECK(masks > 500);
}

}  // namespace study_parse
