// Settings drawn at random, with several ends, bad words and stop strings, against transformers.
#include <doctest/doctest.h>

#include <tessera/generate/generate.hpp>
#include <tessera/generate/load.hpp>

#include "support/generate_settings.hpp"
#include "support/golden.hpp"
#include "support/read_json.hpp"

namespace generate_search {
using namespace tessera;

TEST_CASE("texts and scores of searches with settings drawn at random equal those of transformers") {
    const auto model = load<Opt<tiny_opt>>(test::golden("opt").string());
    const auto tokenizer = read_tokenizer(test::golden("blip2_opt"));
    const Json cases = test::read_json(test::golden("search/cases.json"));
    Scratch s;
    for (std::size_t i = 0; i < cases.size(); ++i) {
        const auto& run = cases[i];
        CAPTURE(i);
        const auto ids = run["input_ids"].get<std::vector<Token>>();
        const auto ends = run["eos_token_id"].get<std::vector<Token>>();
        const Prompt<64> prompt[] = {{{}, ids}};
        const GenerateOptions options = test::options_of(run["settings"]);
        const auto found = generate(model, prompt, options, ends, s, {.tokenizer = tokenizer.get()})[0];
        REQUIRE(found.size() == run["new_tokens"].size());
        test::check_run(run, 0, found);
    }
    CHECK(cases.size() > 50);
}

}  // namespace generate_search
