// OPT alone, with norms before and after its parts, against transformers.
#include <doctest/doctest.h>

#include <tessera/checkpoint/dump.hpp>
#include <tessera/checkpoint/safetensors.hpp>
#include <tessera/generate/generate.hpp>
#include <tessera/generate/load.hpp>

#include "support/compare.hpp"
#include "support/generate_settings.hpp"
#include "support/golden_models.hpp"
#include "support/golden_numbers.hpp"
#include "support/read_json.hpp"

namespace generate_opt {
using namespace tessera;

TEST_CASE_TEMPLATE("states, logits and texts of a ragged batch", Model, Opt<tiny_opt>, Opt<test::golden_opt_350m>) {
    const bool post_norm = !Model::config.pre_norm;
    const std::string name = post_norm ? "opt_350m_style" : "opt";
    const auto path = test::golden(name);
    const double tolerance = post_norm ? 1e-4 : 6e-5;  // tests/golden/make/README.template.md
    const Safetensors file(test::golden_expected(name));
    const Json expected = test::read_json(path / "expected.json");
    const auto model = load<Model>(path.string());
    const auto& stored = file.tensor("input_ids");
    const auto ids = stored.to<Token>();
    const auto mask = file.tensor("attention_mask").to<std::int64_t>();
    const auto rows = static_cast<std::size_t>(stored.shape[0]), length = static_cast<std::size_t>(stored.shape[1]);

    // The reference pads on the left; here rows follow each other and nothing is padded.
    std::vector<Token> packed;
    std::vector<Index> starts{0};
    for (std::size_t i = 0; i < rows * length; ++i) {
        if (mask[i] != 0) packed.push_back(ids[i]);
        if ((i + 1) % length == 0) starts.push_back(static_cast<Index>(packed.size()));
    }
    Dump dump;
    Scratch s(dump);
    const auto embedded = model.embedding(packed, s);
    const auto logits = model.logits(model(embedded, starts, s), s);
    const auto valid = [&](const std::string& what) {
        const auto all = test::golden_numbers(file, what);
        const std::size_t width = all.size() / mask.size();
        std::vector<float> out;
        for (std::size_t i = 0; i < mask.size(); ++i)
            if (mask[i] != 0)
                out.insert(out.end(), all.begin() + static_cast<std::ptrdiff_t>(i * width),
                           all.begin() + static_cast<std::ptrdiff_t>((i + 1) * width));
        return out;
    };
    for (int layer = 0; layer < 3; ++layer) {
        const std::string what = "layer_" + std::to_string(layer);
        test::check_close(what, dump.at("decoder." + what).values, valid(what), tolerance);
    }
    test::check_close("logits", logits.span(), valid("logits"), tolerance);

    // Every run: the prompts one by one, and all in a batch.
    const Token end[] = {2};
    for (const auto& entry : expected["generate"].items()) {
        CAPTURE(entry.key());
        const auto& run = entry.value();
        const GenerateOptions options = test::options_of(run["settings"]);
        std::vector<Prompt<Model::embedding_width>> prompts;
        for (std::size_t i = 0; i < rows; ++i)
            prompts.push_back({{},
                               std::span(packed).subspan(static_cast<std::size_t>(starts[i]),
                                                         static_cast<std::size_t>(starts[i + 1] - starts[i]))});
        Scratch plain;
        const auto together = generate(model, prompts, options, end, plain);
        REQUIRE(together.size() == rows);
        for (std::size_t i = 0; i < rows; ++i) {
            CAPTURE(i);
            REQUIRE(static_cast<Index>(together[i].size()) == options.n_best);
            test::check_run(run, i, together[i]);
            test::check_run(run, i, generate(model, {&prompts[i], 1}, options, end, plain)[0]);
        }
    }
}

TEST_CASE("reading token by token after a cache gives the states of the whole sequence") {
    const auto model = load<Opt<tiny_opt>>(test::golden("opt").string());
    Scratch s;
    std::vector<Token> ids;
    for (Token i = 0; i < 33; ++i) ids.push_back(5 + i * 17 % 500);
    const Index starts[] = {0, 33};
    const auto whole = model(model.embedding(ids, s), starts, s);
    auto cache = model.cache(33);
    for (Index at = 0; at < 33;) {
        const Index count = at == 0 ? 7 : at == 7 ? 13 : 1;
        const auto part =
            std::span<const Token>(ids).subspan(static_cast<std::size_t>(at), static_cast<std::size_t>(count));
        const auto states = model.append(model.embedding(part, s), cache, s);
        // One row goes another way through the keys than many, so sums are taken in another order. float32 in any order is
        // within 4.9e-6 of float64 for this model (measured with PyTorch); two orders, within twice that.
        test::check_close("states", states.span(), whole.slice(at, count).span(), 2 * 4.9e-6);
        at += count;
    }
    CHECK_THROWS_WITH_AS(model.append(model.embedding(std::span<const Token>(ids).first(1), s), cache, s),
                         "[sequence.length] Opt: the cache holds 33 positions, found 34", Error);
    const Index too_long[] = {0, 161};
    Tensor<float, dyn, 64> rows({161, 64});
    CHECK_THROWS_WITH_AS(model(rows, too_long, s), "[sequence.length] Opt: expected at most 160 positions, found 161",
                         Error);
}

}  // namespace generate_opt
