#include <doctest/doctest.h>

#include <tessera/generate/stop_strings.hpp>
#include <tessera/text/read/tokenizer.hpp>

#include "support/golden.hpp"

namespace generate_stop_strings {
using namespace tessera;

namespace {
std::shared_ptr<const Tokenizer> words() { return read_tokenizer(test::golden("blip2_opt")); }
}  // namespace

TEST_CASE("a stop string is complete with the token that brings its last byte, wherever it began") {
    const auto tokenizer = words();
    const auto ids = tokenizer->encode("Question: what colour is the boat? Answer: a boat", Specials::omit);
    const auto first = [&](const std::string& stop) {  // how many tokens there are when it is complete
        const std::vector<std::string> stops{stop};
        for (std::size_t n = 1; n <= ids.size(); ++n)
            if (completes_stop(*tokenizer, std::span(ids).first(n), stops)) return n;
        return std::size_t{0};
    };
    for (const std::string stop : {"Question", "colour is", "boat?", "t", "? An", "the boat? Answer: a", "Q"}) {
        CAPTURE(stop);
        const std::size_t n = first(stop);
        REQUIRE(n > 0);
        const auto upto = [&](std::size_t count) {
            return tokenizer->decode(std::span(ids).first(count), SkipSpecials::no).find(stop) != std::string::npos;
        };
        CHECK(upto(n));
        CHECK(!upto(n - 1));
    }
    CHECK(first("boats") == 0);
    CHECK(!completes_stop(*tokenizer, ids, {}));
    const std::vector<std::string> stops{"boat"};
    CHECK(!completes_stop(*tokenizer, {}, stops));
    // Only the last token counts: what was complete before does not stop again.
    auto more = ids;
    more.push_back(ids[0]);
    CHECK(completes_stop(*tokenizer, ids, stops));
    CHECK(!completes_stop(*tokenizer, more, stops));
}

TEST_CASE("text is cut where the first stop string begins") {
    const std::vector<std::string> stops{" dog", "the", "\n\n"};
    const auto cut = [&](std::string text) {
        cut_at_stop(text, stops);
        return text;
    };
    CHECK(cut("a dog and the cat") == "a");
    CHECK(cut("and the dog") == "and ");
    CHECK(cut("a cat\n") == "a cat\n");
    CHECK(cut("the cat") == "");
}

TEST_CASE("a stream holds back what may become a stop string, and nothing else") {
    const auto tokenizer = words();
    const auto ids = tokenizer->encode("a photo of a boat on the water", Specials::omit);
    const std::string whole = tokenizer->decode(ids, SkipSpecials::yes);
    for (const std::string stop : {"boat on a", "photo of a b", "zebra"}) {
        const std::vector<std::string> stops{stop};
        TextStream stream(*tokenizer, stops);
        std::string out, read;
        bool stopped = false;
        for (std::size_t n = 1; n <= ids.size() && !stopped; ++n) {
            out += stream.push(ids[n - 1]);
            read = tokenizer->decode(std::span(ids).first(n), SkipSpecials::yes);
            CHECK(read.starts_with(out));
            CHECK(read.substr(out.size()).size() <= stop.size() + 8);
            stopped = completes_stop(*tokenizer, std::span(ids).first(n), stops);
        }
        out += stream.flush(stopped);
        CHECK(out == whole.substr(0, whole.find(stop)));
    }
}

}  // namespace generate_stop_strings
