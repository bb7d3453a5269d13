// A stage-1 checkpoint with LAVIS's names: what its three objectives are made of, against the reference.
#include <tessera/model/qformer/stage1.hpp>

#include <doctest/doctest.h>

#include <numeric>
#include <set>
#include <tessera/checkpoint/load.hpp>
#include <tessera/kernel/row/softmax.hpp>

#include "support/compare.hpp"
#include "support/golden_models.hpp"
#include "support/retrieval_goldens.hpp"

namespace model_qformer_stage1 {
using namespace tessera;

namespace {

constexpr double activations = 6e-5;  // tests/golden/make/README.template.md

constexpr QFormerConfig tiny = test::golden_stage1;

struct Golden : test::RetrievalGolden {
    Blip2Stage1<QFormer<tiny>> model;
    Scratch s;
    Rows<64> image_embeds;

    explicit Golden(const std::string& name = "input_ids") : RetrievalGolden("stage1", name) {
        load_weights(model, Checkpoint(path));
        const auto image = all("image");
        image_embeds = model.vision_norm(ConstRows<64>(image.data(), {5 * 17, 64}), s);
    }
    std::vector<Index> whole(const std::string& name) const {
        const auto values = file.tensor(name).to<std::int64_t>();
        return {values.begin(), values.end()};
    }
    /// The rows of a stored [5, 32, width] that are no padding.
    std::vector<float> valid(const std::string& name) const {
        std::vector<float> out;
        for (Index i = 0; i < 5; ++i) {
            const auto part = rows(name, i, texts().length(i));
            out.insert(out.end(), part.begin(), part.end());
        }
        return out;
    }
};

}  // namespace

TEST_CASE("LAVIS's names: everything is loaded, and what is tied is a copy") {
    Blip2Stage1<QFormer<tiny>> model;
    const auto report = load_weights(model, Checkpoint(test::golden("stage1")));
    CHECK(report.unexpected.empty());
    CHECK(report.ignored == std::vector<std::string>{"Qformer.bert.embeddings.position_ids"});
    CHECK(std::set(report.copies.begin(), report.copies.end()) ==
          std::set<std::string>{"Qformer.cls.predictions.decoder.bias", "Qformer.cls.predictions.decoder.weight"});
    CHECK(model.temperature.data()[0] == 0.07f);
}

TEST_CASE("the published shape has the published number of parameters") {
    static constexpr QFormerConfig vit_g = checked(QFormerConfig{.vocabulary = 30523});
    CHECK(parameter_count(Blip2Stage1<QFormer<vit_g>>()) == 186705470);  // the paper says 188 M
}

TEST_CASE("contrast") {
    Golden golden;
    Scratch& s = golden.s;
    const auto& model = golden.model;
    test::check_close("image_embeds", golden.image_embeds.span(), golden.all("image_embeds"), activations);
    const auto keys = model.qformer.read(golden.image_embeds, s, 5);
    test::check_close("query_states", model.qformer(keys, s).span(), golden.all("query_states"), activations);
    test::check_close("text_states", model.qformer.text(golden.texts(), s).span(), golden.valid("text_states"),
                      activations);
    const auto images = model.image_features(keys, s);
    const auto texts = model.text_features(golden.texts(), s);
    test::check_close("image_feats", images.span(), golden.all("image_feats"), activations);
    test::check_close("text_feat", texts.span(), golden.all("text_feat"), activations);

    const auto cosines = model.itc(images, texts, s);
    const float temperature = model.temperature.data()[0];
    std::vector<float> i2t(25), t2i(25);
    for (Index i = 0; i < 5; ++i)
        for (Index j = 0; j < 5; ++j)
            i2t[std::size_t(i * 5 + j)] = t2i[std::size_t(j * 5 + i)] = cosines(i, j) / temperature;
    test::check_close("sim_i2t", i2t, golden.all("sim_i2t"), activations);
    test::check_close("sim_t2i", t2i, golden.all("sim_t2i"), activations);
    const auto q2t = golden.all("sim_q2t");  // [image, text, query]
    std::vector<float> nearest;
    for (std::size_t i = 0; i < 25; ++i) nearest.push_back(*std::max_element(&q2t[i * 8], &q2t[i * 8] + 8));
    test::check_close("sim_q2t", cosines.span(), nearest, activations);

    // What hard negatives are drawn from: a small constant before the diagonal is taken out.
    const auto weights = [](std::vector<float> x) {
        kernel::softmax(x.data(), x.data(), 5, 5);
        for (std::size_t i = 0; i < 25; ++i) x[i] = i % 6 == 0 ? 0 : x[i] + 1e-4f;
        return x;
    };
    // softmax turns an error of a score into that share of the weight; similarities reach 1/0.07.
    test::check_close("weights_i2t", weights(i2t), golden.all("weights_i2t"), activations / 0.07);
    test::check_close("weights_t2i", weights(t2i), golden.all("weights_t2i"), activations / 0.07);
}

TEST_CASE("matching: each text with its own picture and with a negative one, each picture with a negative text") {
    Golden golden;
    Scratch& s = golden.s;
    const auto keys = golden.model.qformer.read(golden.image_embeds, s, 5);
    const auto negative_images = golden.whole("negative_images"), negative_texts = golden.whole("negative_texts");
    struct Entry {
        ImageTextPair pair;
        Index row;  // of the reference
    };
    std::vector<Entry> entries;
    for (Index i = 0; i < 5; ++i) {
        entries.push_back({{i, i}, i});
        entries.push_back({{negative_images[std::size_t(i)], i}, 5 + i});
        entries.push_back({{i, negative_texts[std::size_t(i)]}, 10 + i});
    }
    std::ranges::stable_sort(entries, {}, [](const Entry& entry) { return entry.pair.image; });
    std::vector<ImageTextPair> pairs;
    for (const Entry& entry : entries) pairs.push_back(entry.pair);
    const auto states = golden.model.qformer(keys, pairs, golden.texts(), masks::bidirectional(), s);
    const auto logits = golden.model.itm(keys, pairs, golden.texts(), s);
    const auto want = golden.all("itm_logits");
    Index row = 0;
    for (std::size_t i = 0; i < entries.size(); ++i) {
        CAPTURE(entries[i].row);
        const Index rows = 8 + golden.texts().length(pairs[i].text);
        test::check_close("itm_states", states.slice(row, rows).span(), golden.rows("itm_states", entries[i].row, rows),
                          activations);
        test::check_close("itm_logits", logits.slice(static_cast<Index>(i), 1).span(),
                          std::span(want).subspan(std::size_t(entries[i].row) * 2, 2), activations);
        row += rows;
    }
}

TEST_CASE("generation: queries and text in one pass under the multimodal causal mask") {
    Golden golden("decoder_input_ids");
    Scratch& s = golden.s;
    const auto keys = golden.model.qformer.read(golden.image_embeds, s, 5);
    std::vector<ImageTextPair> pairs;
    for (Index i = 0; i < 5; ++i) pairs.push_back({i, i});
    const auto states = golden.model.qformer(keys, pairs, golden.texts(), masks::multimodal_causal(8), s);
    auto text = s.rows<48>(static_cast<Index>(golden.ids.size()));
    for (Index i = 0, row = 0; i < 5; ++i) {
        const Index length = golden.texts().length(i);
        std::ranges::copy(states.slice(row + 8, length), text.slice(golden.starts[std::size_t(i)], length).data());
        row += 8 + length;
    }
    test::check_close("lm_states", text.span(), golden.valid("lm_states"), activations);
    test::check_close("lm_logits", golden.model.logits(text, s).span(), golden.valid("lm_logits"), activations);
}

namespace {

/// The decoder's Continuation of each beginning by rows one after another, from place `first` of the text on.
struct Step {
    std::vector<Causal> masks;
    std::vector<std::vector<Index>> places;
    std::vector<Continuation<KeyValueCache<48>>> texts;

    Step(auto& beginnings, const std::vector<Index>& rows, Index first) {
        masks.reserve(rows.size());
        for (std::size_t i = 0; i < rows.size(); ++i) {
            auto& cache = beginnings[i].cache;
            masks.push_back(Causal::after(cache.length));
            places.emplace_back(rows[i]);
            std::iota(places.back().begin(), places.back().end(), first);
            texts.push_back({&cache, rows[i], masks.back(), {}});
        }
        for (std::size_t i = 0; i < rows.size(); ++i) texts[i].positions = places[i];
    }
};

}  // namespace

TEST_CASE("generation: text alone over the keys and values that the queries left, all at once and token by token") {
    static_assert(LanguageModel<QFormerDecoder<QFormer<tiny>>>);
    Golden golden("decoder_input_ids");
    Scratch& s = golden.s;
    const auto keys = golden.model.qformer.read(golden.image_embeds, s, 5);
    const auto decoder = golden.model.decoder(keys);
    std::vector<Prompt<48>> prompts;
    std::vector<Index> lengths;
    for (Index i = 0; i < 5; ++i) {
        prompts.push_back({{}, golden.texts()[i]});
        lengths.push_back(golden.texts().length(i));
    }
    auto beginnings = decoder.begin(prompts, 0, s);
    const auto embedded = s.rows<48>(static_cast<Index>(golden.ids.size()));
    for (std::size_t i = 0; i < 5; ++i) {
        CHECK(beginnings[i].cache.length == 8);
        CHECK(std::ranges::equal(beginnings[i].seen, prompts[i].ids));
        std::ranges::copy(beginnings[i].rows, embedded.slice(golden.starts[i], lengths[i]).data());
    }
    const Step step(beginnings, lengths, 0);
    const auto states = decoder.append(embedded, step.texts, s);
    test::check_close("lm_states", states.span(), golden.valid("lm_states"), activations);
    test::check_close("lm_logits", decoder.logits(states, s).span(), golden.valid("lm_logits"), activations);

    auto again = decoder.begin(prompts, 0, s);
    const auto want = golden.all("lm_logits");
    for (Index t = 0; t < 32; ++t) {
        CAPTURE(t);
        std::vector<Index> rows;
        std::vector<Token> now;
        for (Index i = 0; i < 5; ++i) {
            rows.push_back(t < lengths[std::size_t(i)] ? 1 : 0);
            if (rows.back() == 1) now.push_back(golden.texts()[i][std::size_t(t)]);
        }
        const Step one(again, rows, t);
        const auto logits = decoder.logits(decoder.append(decoder.embedding(now, s), one.texts, s), s);
        for (Index i = 0, row = 0; i < 5; row += rows[std::size_t(i++)])
            if (rows[std::size_t(i)] == 1)
                test::check_close("lm_logits", logits.slice(row, 1).span(),
                                  std::span(want).subspan(std::size_t((i * 32 + t) * 381), 381), activations);
    }
}

TEST_CASE("a decoder wants a prompt for each picture, and no more words than there are places") {
    Golden golden;
    Scratch& s = golden.s;
    const auto keys = golden.model.qformer.read(golden.image_embeds, s, 5);
    const auto decoder = golden.model.decoder(keys);
    const std::vector<Token> ids(65, 7);
    const std::vector<Prompt<48>> prompts(5, Prompt<48>{{}, ids});
    CHECK_THROWS_WITH_AS(decoder.begin(std::span(prompts).first(4), 1, s),
                         "[option.value] QFormerDecoder: expected a prompt for each of 5 pictures, found 4", Error);
    auto beginnings = decoder.begin(prompts, 1, s);
    const Step step(beginnings, {65}, 0);
    CHECK_THROWS_WITH_AS(decoder.append(beginnings[0].rows, step.texts, s),
                         "[sequence.length] QFormer: expected at most 64 text tokens, found 65", Error);
}

}  // namespace model_qformer_stage1
