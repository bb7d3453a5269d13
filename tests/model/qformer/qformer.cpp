// The Q-Former with text, from a retrieval checkpoint: text alone, and queries and text together, against transformers.
#include <doctest/doctest.h>

#include <tessera/checkpoint/dump.hpp>
#include <tessera/checkpoint/load.hpp>
#include <tessera/checkpoint/safetensors.hpp>
#include <tessera/mask/catalog/blip2.hpp>
#include <tessera/model/qformer/qformer.hpp>

#include "support/compare.hpp"
#include "support/golden.hpp"

namespace model_qformer_qformer {
using namespace tessera;

namespace {

inline constexpr QFormerConfig retrieval = checked(QFormerConfig{.queries = 8,
                                                                 .width = 48,
                                                                 .heads = 4,
                                                                 .hidden = 80,
                                                                 .layers = 4,
                                                                 .context = 64,
                                                                 .vocabulary = 501,
                                                                 .positions = 64});
struct Golden {
    std::filesystem::path path = test::golden("blip2_itr");
    Safetensors file{path / "expected.safetensors"};
    QFormer<retrieval> model;
    std::vector<std::vector<Token>> texts;
    std::size_t padded = 0;  // length of the reference's rows

    Golden() {
        load_weights(model, Checkpoint(path));
        const auto ids = file.tensor("input_ids").to<Token>();
        const auto mask = file.tensor("attention_mask").to<std::int64_t>();
        padded = static_cast<std::size_t>(file.tensor("input_ids").shape[1]);
        for (std::size_t i = 0; i < ids.size(); ++i) {
            if (i % padded == 0) texts.emplace_back();
            if (mask[i] != 0) texts.back().push_back(ids[i]);
        }
    }
    // The first `count` rows of entry `index` of a stored [entries, rows, 48].
    std::vector<float> rows(const std::string& name, std::size_t index, std::size_t count) const {
        const auto all = file.tensor(name).to_floats();
        const auto begin = all.begin() + static_cast<std::ptrdiff_t>(
                                             index * static_cast<std::size_t>(file.tensor(name).shape[1]) * 48);
        return {begin, begin + static_cast<std::ptrdiff_t>(count * 48)};
    }
};

}  // namespace

TEST_CASE("text alone") {
    const Golden golden;
    for (std::size_t i = 0; i < golden.texts.size(); ++i) {
        CAPTURE(i);
        Dump dump;
        Scratch s(dump);
        golden.model.text(golden.texts[i], s);
        for (int layer = 0; layer < 4; ++layer) {
            const std::string n = std::to_string(layer);
            test::check_close(n, dump.at("qformer.layer_" + n).values,
                              golden.rows("text.layer_" + n, i, golden.texts[i].size()), 6e-5);
        }
    }
}

TEST_CASE("queries and text together, every picture with every text") {
    const Golden golden;
    const auto seen = golden.file.tensor("vision.last_hidden_state").to_floats();
    for (std::size_t picture = 0; picture < 4; ++picture)
        for (std::size_t text = 0; text < 4; ++text) {
            CAPTURE(picture);
            CAPTURE(text);
            Dump dump;
            Scratch s(dump);
            const ConstRows<64> patches(seen.data() + picture * 17 * 64, {17, 64});
            golden.model(patches, golden.texts[text], masks::bidirectional(), s);
            for (const std::string layer : {"layer_0", "layer_3"})
                test::check_close(layer, dump.at("qformer." + layer).values,
                                  golden.rows("itm." + layer, picture * 4 + text, 8 + golden.texts[text].size()), 6e-5);
        }
}

TEST_CASE("under the multimodal causal mask queries are as without text, and no token sees a later one") {
    const Golden golden;
    const auto seen = golden.file.tensor("vision.last_hidden_state").to_floats();
    const ConstRows<64> patches(seen.data(), {17, 64});
    Scratch s;
    const auto alone = golden.model(patches, s);
    const auto mask = masks::multimodal_causal(8);
    const auto whole = golden.model(patches, golden.texts[1], mask, s);
    // The kernels for 8 and for more queries sum in other orders: in each of 4 layers a score of 12 products, and a softmax and
    // a mix of 8 keys with a dozen roundings more.
    test::check_close("queries", whole.slice(0, 8).span(), alone.span(), 4 * (12 + 8 + 8 + 12) * 0x1p-24);
    auto changed = golden.texts[1];
    changed.back() = 7;
    const auto other = golden.model(patches, changed, mask, s);
    const auto same = whole.slice(0, whole.extent(0) - 1).span(), rest = other.slice(0, whole.extent(0) - 1).span();
    CHECK(std::equal(same.begin(), same.end(), rest.begin()));
    CHECK(whole(whole.extent(0) - 1, 0) != other(whole.extent(0) - 1, 0));
}

TEST_CASE("too much text, and words that are not there, are errors") {
    const Golden golden;
    Scratch s;
    const std::vector<Token> long_text(65, 5), unknown{501};
    CHECK_THROWS_WITH_AS(golden.model.text(long_text, s),
                         "[sequence.length] QFormer: expected at most 64 text tokens, found 65", Error);
    CHECK_THROWS_WITH_AS(golden.model.text(unknown, s), "[token.id] token 0: expected an id below 501, found 501",
                         Error);
}

}  // namespace model_qformer_qformer
