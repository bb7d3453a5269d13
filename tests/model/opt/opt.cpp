// OPT after caches: many texts at once, and several continuations of one text in one cache.
#include <doctest/doctest.h>

#include <tessera/mask/catalog/bitmap.hpp>
#include <tessera/model/blip2/stock.hpp>
#include <tessera/model/opt/opt.hpp>
#include <tessera/nn/randomize.hpp>

#include "support/compare.hpp"

namespace model_opt {
using namespace tessera;

namespace {

using Model = Opt<tiny_opt>;
static_assert(LanguageModel<Model>);
// Rows one at a time take sums in another order than many at once; float32 in any order is within 4.9e-6 of float64 for
// a model of this shape (measured with PyTorch), so two orders are within twice that.
constexpr double tolerance = 2 * 4.9e-6;

std::vector<Token> some_ids(Token seed, std::size_t count) {
    std::vector<Token> ids(count);
    for (std::size_t i = 0; i < count; ++i) ids[i] = (seed * 37 + static_cast<Token>(i) * 17) % 608;
    return ids;
}
std::vector<Index> places(Index first, Index count) {
    std::vector<Index> out(static_cast<std::size_t>(count));
    std::iota(out.begin(), out.end(), first);
    return out;
}
// The states of a text that is read in one go.
Rows<64> whole(const Model& model, const std::vector<Token>& ids, Scratch& s) {
    const Index starts[] = {0, static_cast<Index>(ids.size())};
    return model(model.embedding(ids, s), starts, s);
}

}  // namespace

TEST_CASE("texts of different lengths, read together and continued together") {
    Model model;
    randomize(model, 3);
    Scratch s;
    const std::vector<std::vector<Token>> texts{some_ids(1, 9), some_ids(2, 1), some_ids(3, 30)};
    const std::size_t later[] = {2, 0, 5};  // how many tokens of each come in the second pass
    std::vector<Model::Cache> caches;
    for (const auto& text : texts) caches.push_back(model.cache(static_cast<Index>(text.size())));
    for (const bool second : {false, true}) {
        std::vector<Token> ids;
        std::vector<Causal> masks(texts.size());
        std::vector<std::vector<Index>> positions(texts.size());
        std::vector<Continuation<Model::Cache>> parts;
        for (std::size_t i = 0; i < texts.size(); ++i) {
            const std::size_t begin = second ? texts[i].size() - later[i] : 0;
            const std::size_t end = second ? texts[i].size() : texts[i].size() - later[i];
            ids.insert(ids.end(), texts[i].begin() + static_cast<std::ptrdiff_t>(begin),
                       texts[i].begin() + static_cast<std::ptrdiff_t>(end));
            const Index rows = static_cast<Index>(end - begin);
            if (rows == 0) continue;
            masks[i] = Causal::after(caches[i].length);
            positions[i] = places(caches[i].length, rows);
            parts.push_back({&caches[i], rows, masks[i], positions[i]});
        }
        const auto states = model.append(model.embedding(ids, s), parts, s);
        Index row = 0;
        for (std::size_t i = 0; i < texts.size(); ++i) {
            const Index count = static_cast<Index>(second ? later[i] : texts[i].size() - later[i]);
            const auto want = whole(model, texts[i], s);
            const Index first = second ? want.extent(0) - count : 0;
            test::check_close("states", states.slice(row, count).span(), want.slice(first, count).span(), tolerance);
            row += count;
        }
    }
    for (std::size_t i = 0; i < texts.size(); ++i)
        CHECK(caches[i].positions == places(0, static_cast<Index>(texts[i].size())));
}

TEST_CASE("continuations of one text share its cache: a tree, whose rows at the same place share a position") {
    Model model;
    randomize(model, 5);
    Scratch s;
    const auto stem = some_ids(4, 11);
    const std::vector<Token> ends[] = {{7, 8}, {7, 9}, {300, 21}};  // the first two agree in their first token
    auto cache = model.cache(11 + 2 + 3);
    model.append(model.embedding(stem, s), cache, s);

    const auto read = [&](const std::vector<Token>& ids, const std::vector<bool>& sees, Index place) {
        const Index rows = static_cast<Index>(ids.size()), keys = cache.length + rows;
        const Predicate path{[&](Site at) {
            return at.key < 11 || sees[static_cast<std::size_t>(at.query * (keys - 11) + at.key - 11)];
        }};
        const Bitmap mask(bits_of(path, rows, keys), rows, keys);
        const std::vector<Index> positions(ids.size(), place);
        const Continuation<Model::Cache> part{&cache, rows, mask, positions};
        return model.append(model.embedding(ids, s), {&part, 1}, s);
    };
    const auto first = read({7, 300}, {true, false, false, true}, 11);
    const auto second = read({8, 9, 21},
                             {true, false, true, false, false,  //
                              true, false, false, true, false,  //
                              false, true, false, false, true},
                             12);
    for (std::size_t i = 0; i < 3; ++i) {
        auto ids = stem;
        ids.insert(ids.end(), ends[i].begin(), ends[i].end());
        const auto want = whole(model, ids, s);
        const Index at = static_cast<Index>(i);
        test::check_close("first", first.slice(at / 2, 1).span(), want.slice(11, 1).span(), tolerance);
        test::check_close("second", second.slice(at, 1).span(), want.slice(12, 1).span(), tolerance);
    }
    CHECK(cache.positions == std::vector<Index>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 11, 12, 12, 12});
    CHECK_THROWS_WITH_AS(model.append(model.embedding(stem, s), cache, s),
                         "[sequence.length] Opt: the cache holds 16 positions, found 27", Error);
}

TEST_CASE("a beginning is the soft rows and the embedded words, and its cache has room for more") {
    Model model;
    randomize(model, 7);
    Scratch s;
    const auto soft = model.embedding(some_ids(9, 4), s);
    const std::vector<Token> ids{600, 600, 600, 600, 2, 50}, words{2, 50};
    const Prompt<64> prompts[] = {{soft, ids}, {{}, words}};
    const auto beginnings = model.begin(prompts, 10, s);
    REQUIRE(beginnings.size() == 2);
    CHECK(beginnings[0].cache.capacity() == 16);
    CHECK(beginnings[1].cache.capacity() == 12);
    CHECK(beginnings[0].seen == ids);
    REQUIRE(beginnings[0].rows.extent(0) == 6);
    for (Index i = 0; i < soft.size(); ++i) CHECK(beginnings[0].rows.data()[i] == soft.data()[i]);
    const auto embedded = model.embedding(words, s);
    for (Index i = 0; i < embedded.size(); ++i) {
        CHECK(beginnings[0].rows.data()[4 * 64 + i] == embedded.data()[i]);
        CHECK(beginnings[1].rows.data()[i] == embedded.data()[i]);
    }
}

}  // namespace model_opt
