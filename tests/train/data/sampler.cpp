#include <doctest/doctest.h>

#include <cmath>
#include <map>
#include <set>
#include <tessera/train/data/sampler.hpp>

namespace train_data_sampler {
using namespace tessera;

namespace {

std::vector<Index> items_of(Sampler& sampler, Index step) {
    const auto batch = sampler.batch(step);
    return {batch.begin(), batch.end()};
}

}  // namespace

TEST_CASE("an epoch shows each item once, but for those that fill no batch") {
    for (const bool drop_last : {true, false}) {
        Sampler sampler(23, {.batch = 5, .seed = 3, .drop_last = drop_last});
        CHECK(sampler.steps_per_epoch() == (drop_last ? 4 : 5));
        for (Index epoch = 0; epoch < 3; ++epoch) {
            std::multiset<Index> seen;
            for (Index i = 0; i < sampler.steps_per_epoch(); ++i) {
                const Index step = epoch * sampler.steps_per_epoch() + i;
                CHECK(sampler.epoch(step) == epoch);
                const auto items = items_of(sampler, step);
                CHECK(items.size() == (i == 4 ? 3u : 5u));
                seen.insert(items.begin(), items.end());
            }
            CHECK(seen.size() == (drop_last ? 20u : 23u));
            CHECK(std::set<Index>(seen.begin(), seen.end()).size() == seen.size());
            CHECK(*seen.begin() >= 0);
            CHECK(*seen.rbegin() < 23);
        }
    }
}

TEST_CASE("a step's items depend on nothing but its number, the seed and the epoch") {
    const SamplerOptions options{.batch = 4, .seed = 9};
    Sampler forwards(50, options), anywhere(50, options), other(50, {.batch = 4, .seed = 10});
    std::vector<std::vector<Index>> all;
    for (Index step = 0; step < 40; ++step) all.push_back(items_of(forwards, step));
    for (const Index step : {39, 0, 13, 12, 25, 39, 1})
        CHECK(items_of(anywhere, step) == all[static_cast<std::size_t>(step)]);
    CHECK(items_of(other, 0) != all[0]);
    CHECK(all[0] != all[12]);                             // the first of the next epoch
    CHECK(all[0] == std::vector<Index>{46, 45, 33, 39});  // on every machine
}

TEST_CASE("every order of few items is as likely as the others") {
    Sampler sampler(3, {.batch = 3});
    std::map<std::vector<Index>, int> orders;
    for (Index epoch = 0; epoch < 6000; ++epoch) ++orders[items_of(sampler, epoch)];
    REQUIRE(orders.size() == 6);
    for (const auto& [order, times] : orders) CHECK(std::abs(times - 1000) < 150);  // 5 standard deviations of 29
}

TEST_CASE("without shuffling items come in order") {
    Sampler sampler(5, {.batch = 2, .shuffle = false, .drop_last = false});
    CHECK(items_of(sampler, 1) == std::vector<Index>{2, 3});
    CHECK(items_of(sampler, 2) == std::vector<Index>{4});
    CHECK(items_of(sampler, 3) == std::vector<Index>{0, 1});
}

TEST_CASE("too few items are refused") {
    CHECK_THROWS_WITH_AS(Sampler(3, {.batch = 4}),
                         "[option.value] expected at least 4 items, enough for a batch, found 3", Error);
    CHECK_THROWS_WITH_AS(Sampler(0, {.batch = 4, .drop_last = false}),
                         "[option.value] expected at least 1 items, enough for a batch, found 0", Error);
    CHECK_THROWS_WITH_AS(Sampler(3, {.batch = 0}), "[option.value] batch: expected at least 1, found 0", Error);
    CHECK(Sampler(3, {.batch = 4, .drop_last = false}).steps_per_epoch() == 1);
}

}  // namespace train_data_sampler
