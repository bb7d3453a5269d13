#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <tessera/text/added_tokens.hpp>
#include <vector>

namespace text_added_tokens {
using namespace tessera;

namespace {
// "text" for text, "[text]" for a token.
std::string parts(const TokenFinder& finder, std::string_view text) {
    std::string out;
    finder.split(text, [&](TextPart part) {
        if (!out.empty()) out += '|';
        out += part.token ? '[' + std::string(part.text) + ']' : std::string(part.text);
    });
    return out;
}
TokenFinder finder_of(std::vector<AddedToken> tokens) {
    TokenFinder finder;
    for (const AddedToken& token : tokens) finder.add(token.content, token);
    return finder;
}
}  // namespace

TEST_CASE("the leftmost token counts, and of those the longest") {
    const auto finder = finder_of({{.content = "ab"}, {.content = "abcd"}, {.content = "bc"}, {.content = "abc"}});
    CHECK(parts(finder, "") == "");
    CHECK(parts(finder, "x") == "x");
    CHECK(parts(finder, "ab") == "[ab]");
    CHECK(parts(finder, "xabcdabcxabxbc") == "x|[abcd]|[abc]|x|[ab]|x|[bc]");
    CHECK(parts(finder, "aab") == "a|[ab]");
    CHECK(parts(finder, "日ab本") == "日|[ab]|本");
}

TEST_CASE("an empty token is never found") {
    TokenFinder finder;
    finder.add("", {});
    CHECK(parts(finder, "ab") == "ab");
}

TEST_CASE("a token may take white space along") {
    const auto left = finder_of({{.content = "<m>", .lstrip = true}});
    CHECK(parts(left, "a \n　<m> b") == "a|[ \n　<m>]| b");
    CHECK(parts(left, " <m> <m>") == "[ <m>]|[ <m>]");
    const auto right = finder_of({{.content = "<m>", .rstrip = true}});
    CHECK(parts(right, "a <m>\t b") == "a |[<m>\t ]|b");
    CHECK(parts(right, "<m> ") == "[<m> ]");
    const auto both = finder_of({{.content = "<m>", .lstrip = true, .rstrip = true}});
    CHECK(parts(both, "a <m> <m> b") == "a|[ <m> ]|[<m> ]|b");
}

TEST_CASE("a single word is not found inside of a word") {
    const auto finder = finder_of({{.content = "cat", .single_word = true}});
    CHECK(parts(finder, "cat") == "[cat]");
    CHECK(parts(finder, "a cat, cats and bobcat") == "a |[cat]|, cats and bobcat");
    CHECK(parts(finder, "catcat cat") == "catcat |[cat]");
    CHECK(parts(finder, "écat cat猫 (cat)") == "écat cat猫 (|[cat]|)");
    CHECK(parts(finder, "cat\u0301") == "cat\u0301");
}

TEST_CASE("tokens are found by id and by content") {
    const std::vector<AddedToken> list{{.content = "</s>", .id = 2, .special = true},
                                       {.content = "Foo", .id = 7, .normalized = true}};
    AddedTokens tokens;
    for (const AddedToken& token : list) tokens.add(token, token.normalized ? "foo" : token.content);
    CHECK(tokens.size() == 8);
    CHECK(tokens.find(2)->special);
    CHECK(tokens.find(3) == nullptr);
    CHECK(tokens.find("Foo") == 7);
    CHECK(!tokens.find("foo"));
    CHECK(parts(tokens.in_text, "</s>Foo foo") == "[</s>]|Foo foo");
    CHECK(parts(tokens.in_normalized_text, "</s>Foo foo") == "</s>Foo |[foo]");
    CHECK(AddedTokens().size() == 0);
}

}  // namespace text_added_tokens
