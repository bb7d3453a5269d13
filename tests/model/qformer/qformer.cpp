// The Q-Former with text, from a retrieval checkpoint: text alone, and queries and text together, against transformers.
#include <doctest/doctest.h>

#include <tessera/checkpoint/dump.hpp>
#include <tessera/checkpoint/load.hpp>
#include <tessera/mask/catalog/blip2.hpp>
#include <tessera/mask/catalog/padded.hpp>
#include <tessera/model/blip2/stock.hpp>
#include <tessera/model/qformer/qformer.hpp>
#include <tessera/study/flow.hpp>

#include "support/compare.hpp"
#include "support/retrieval_goldens.hpp"

namespace model_qformer_qformer {
using namespace tessera;

namespace {

constexpr double activations = 6e-5;  // tests/golden/make/README.template.md
// The kernels for 8 and for more queries sum in other orders: in each of 4 layers a score of 12 products, and a softmax and a
// mix of 8 keys with a dozen roundings more.
constexpr double other_order = 4 * (12 + 8 + 8 + 12) * 0x1p-24;

struct Golden : test::RetrievalGolden {
    QFormer<tiny_itm_qformer> model;
    std::vector<float> seen = all("vision.last_hidden_state");
    ConstRows<64> patches{seen.data(), {4 * 17, 64}};  // of four pictures

    Golden() : RetrievalGolden("blip2_itr") { load_weights(model, Checkpoint(path)); }
};

std::vector<ImageTextPair> every_pair() {
    std::vector<ImageTextPair> pairs;
    for (Index i = 0; i < 16; ++i) pairs.push_back({i / 4, i % 4});
    return pairs;
}

}  // namespace

TEST_CASE("text alone, one by one and side by side") {
    const Golden golden;
    const auto texts = golden.texts();
    Dump all;
    Scratch together(all);
    golden.model.text(texts, together);
    for (Index i = 0; i < texts.count(); ++i) {
        CAPTURE(i);
        Dump dump;
        Scratch s(dump);
        golden.model.text(texts[i], s);
        for (int layer = 0; layer < 4; ++layer) {
            const std::string n = std::to_string(layer), name = "qformer.layer_" + n;
            const auto want = golden.rows("text.layer_" + n, i, texts.length(i));
            test::check_close(n, dump.at(name).values, want, activations);
            const auto side_by_side = std::span(all.at(name).values)
                                          .subspan(static_cast<std::size_t>(texts.starts[std::size_t(i)] * 48),
                                                   static_cast<std::size_t>(texts.length(i) * 48));
            test::check_close(n, side_by_side, want, activations);
        }
    }
}

TEST_CASE("texts without padding are as with padding that a mask hides") {
    const Golden golden;
    const auto stored = golden.file.tensor("input_ids").to<Token>();
    const Index longest = golden.file.tensor("input_ids").shape[1];
    Scratch s;
    const auto packed = golden.model.text(golden.texts(), s);
    for (Index i = 0; i < 4; ++i) {
        const Index length = golden.texts().length(i);
        const std::span<const Token> padded(stored.data() + i * longest, static_cast<std::size_t>(longest));
        const auto states = golden.model.text(padded, s, Padded({&length, 1}, longest, longest));
        test::check_close("text", packed.slice(golden.starts[std::size_t(i)], length).span(),
                          states.slice(0, length).span(), activations);
    }
}

TEST_CASE("queries and text together, every picture with every text: each pair alone, and all at once") {
    const Golden golden;
    const auto pairs = every_pair();
    Dump all;
    Scratch together(all);
    const auto keys = golden.model.read(golden.patches, together, 4);
    CHECK(keys.bytes() == 2 * 2 * 4 * 17 * 48 * 4);
    golden.model(keys, pairs, golden.texts(), masks::bidirectional(), together);
    Index row = 0;
    for (std::size_t i = 0; i < pairs.size(); ++i) {
        CAPTURE(i);
        const auto [picture, text] = pairs[i];
        const Index rows = 8 + golden.texts().length(text);
        Dump dump;
        Scratch s(dump);
        golden.model(golden.patches.slice(picture * 17, 17), golden.texts()[text], masks::bidirectional(), s);
        for (const std::string layer : {"layer_0", "layer_3"}) {
            if (golden.file.find("itm." + layer) == nullptr)
                continue;  // tests/golden has the last one, the reference both
            const auto want = golden.rows("itm." + layer, static_cast<Index>(i), rows);
            test::check_close("alone", dump.at("qformer." + layer).values, want, activations);
            const auto& values = all.at("qformer." + layer).values;
            test::check_close("together", std::span(values).subspan(std::size_t(row) * 48, std::size_t(rows) * 48),
                              want, activations);
        }
        row += rows;
    }
}

TEST_CASE("some pictures with some texts, as training pairs them") {
    const Golden golden;
    Scratch s;
    const auto keys = golden.model.read(golden.patches, s, 4);
    const std::vector<ImageTextPair> pairs{{1, 3}, {1, 0}, {3, 3}};
    const auto states = golden.model(keys, pairs, golden.texts(), masks::bidirectional(), s);
    Index row = 0;
    for (const auto [picture, text] : pairs) {
        const Index rows = 8 + golden.texts().length(text);
        test::check_close("states", states.slice(row, rows).span(),
                          golden.rows("itm.layer_3", picture * 4 + text, rows), activations);
        row += rows;
    }
    CHECK(row == states.extent(0));
    CHECK(golden.model(keys, std::span<const ImageTextPair>(), golden.texts(), masks::bidirectional(), s).extent(0) ==
          0);
}

TEST_CASE("pictures alone, from what the image encoder saw and from keys that are kept") {
    const Golden golden;
    Scratch s;
    const auto want = golden.all("qformer.layer_3");
    test::check_close("patches", golden.model(golden.patches, s, 4).span(), want, activations);
    test::check_close("keys", golden.model(golden.model.read(golden.patches, s, 4), s).span(), want, activations);
}

TEST_CASE("under the uni-modal mask neither queries nor text know of each other") {
    static_assert(!reaches(masks::uni_modal(8), {0, 8}, {8, 20}) && !reaches(masks::uni_modal(8), {8, 20}, {0, 8}));
    const Golden golden;
    Scratch s;
    const auto keys = golden.model.read(golden.patches, s, 4);
    const auto pairs = every_pair();
    const auto together = golden.model(keys, pairs, golden.texts(), masks::uni_modal(8), s);
    const auto queries = golden.model(keys, s), text = golden.model.text(golden.texts(), s);
    Index row = 0;
    for (const auto [picture, number] : pairs) {
        const Index length = golden.texts().length(number);
        test::check_close("queries", together.slice(row, 8).span(), queries.slice(picture * 8, 8).span(), activations);
        test::check_close("text", together.slice(row + 8, length).span(),
                          text.slice(golden.starts[std::size_t(number)], length).span(), activations);
        row += 8 + length;
    }
}

TEST_CASE("under the multimodal causal mask queries are as without text, and no token sees a later one") {
    static_assert(!reaches(masks::multimodal_causal(8), {8, 20}, {0, 8}));
    const Golden golden;
    const auto patches = golden.patches.slice(0, 17);
    Scratch s;
    const auto alone = golden.model(patches, s);
    const auto mask = masks::multimodal_causal(8);
    const auto text = golden.texts()[1];
    const auto whole = golden.model(patches, text, mask, s);
    test::check_close("queries", whole.slice(0, 8).span(), alone.span(), other_order);
    std::vector<Token> changed(text.begin(), text.end());
    changed.back() = 7;
    const auto other = golden.model(patches, changed, mask, s);
    const auto same = whole.slice(0, whole.extent(0) - 1).span(), rest = other.slice(0, whole.extent(0) - 1).span();
    CHECK(std::equal(same.begin(), same.end(), rest.begin()));
    CHECK(whole(whole.extent(0) - 1, 0) != other(whole.extent(0) - 1, 0));
}

TEST_CASE("too much text, words that are not there, and pairs of what is not there are errors") {
    const Golden golden;
    Scratch s;
    const std::vector<Token> long_text(65, 5), unknown{501};
    CHECK_THROWS_WITH_AS(golden.model.text(long_text, s),
                         "[sequence.length] QFormer: expected at most 64 text tokens, found 65", Error);
    CHECK_THROWS_WITH_AS(golden.model.text(unknown, s), "[token.id] token 0: expected an id below 501, found 501",
                         Error);
    CHECK_THROWS_WITH_AS(golden.model.read(golden.patches, s, 3),
                         "[option.value] QFormer: expected 3 pictures of equal size, found 68 patches", Error);
    const auto keys = golden.model.read(golden.patches, s, 4);
    const auto message = [&](std::vector<ImageTextPair> pairs) {
        try {
            golden.model(keys, pairs, golden.texts(), masks::bidirectional(), s);
        } catch (const Error& error) {
            return std::string(error.what());
        }
        return std::string("no error");
    };
    const std::string expected =
        "[option.value] QFormer: pair 1: expected a picture from 2 to 3 and a text from 0 to 3, found ";
    CHECK(message({{2, 0}, {4, 0}}) == expected + "4 and 0");
    CHECK(message({{2, 0}, {1, 0}}) == expected + "1 and 0");
    CHECK(message({{2, 0}, {2, 4}}) == expected + "2 and 4");
    CHECK(message({{2, 0}, {2, -1}}) == expected + "2 and -1");
}

}  // namespace model_qformer_qformer
