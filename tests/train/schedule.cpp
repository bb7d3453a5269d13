#include <doctest/doctest.h>

#include <cmath>
#include <tessera/train/schedule.hpp>

#include "support/golden.hpp"
#include "support/read_json.hpp"

namespace train_schedule {
using namespace tessera;

TEST_CASE("LAVIS's schedules give the rates that LAVIS gives") {
    const Json cases = test::read_json(test::golden("optim/schedules.json"));
    REQUIRE(cases.size() == 7);
    for (const auto& item : cases.items()) {
        INFO(item.key());
        const Json& one = item.value();
        const Json& settings = one["settings"];
        const LavisSchedule schedule{
            .anneal = settings["kind"] == "linear_warmup_step_lr" ? Anneal::step : Anneal::cosine,
            .peak = settings["init_lr"],
            .floor = settings["min_lr"],
            .start = settings.value("warmup_lr", -1.0),
            .warmup_steps = settings.value("warmup_steps", Index{0}),
            .epochs = settings["max_epoch"],
            .factor = settings.value("decay_rate", 1.0)};
        REQUIRE(!one["epoch_step_lr"].empty());
        for (const Json& row : one["epoch_step_lr"]) {
            INFO("epoch " << row[0] << ", step " << row[1]);
            const double want = row[2];
            CHECK(std::abs(schedule.checked().rate(row[0], row[1]) - want) <= 2e-16 * std::abs(want));
        }
    }
}

// What transformers 5.24 gives: get_cosine_schedule_with_warmup and get_linear_schedule_with_warmup, 4 steps of warm-up of 12, peak 1.
TEST_CASE("a warm-up, then a cosine or a line") {
    const double cosine[] = {0,
                             0.25,
                             0.5,
                             0.75,
                             1,
                             0.96193976625564337,
                             0.85355339059327373,
                             0.69134171618254492,
                             0.5,
                             0.30865828381745514,
                             0.14644660940672627,
                             0.03806023374435663,
                             0,
                             0};
    const double linear[] = {0, 0.25, 0.5, 0.75, 1, 0.875, 0.75, 0.625, 0.5, 0.375, 0.25, 0.125, 0, 0};
    const Schedule one{.peak = 1, .warmup_steps = 4, .steps = 12};
    for (Index step = 0; step < 14; ++step) {
        INFO("step " << step);
        const auto at = static_cast<std::size_t>(step);
        CHECK(std::abs(one.rate(step) - cosine[at]) <= 2e-16);
        Schedule other = one;
        other.anneal = Anneal::linear;
        CHECK(other.rate(step) == linear[at]);
        // From another start to another floor: the same curve.
        other.start = 0.5, other.floor = 0.25;
        CHECK(other.rate(step) == (step < 4 ? 0.5 + 0.5 * linear[at] : 0.25 + 0.75 * linear[at]));
        other.anneal = Anneal::none;
        CHECK(other.rate(step) == (step < 4 ? 0.5 + 0.5 * linear[at] : 1));
    }
}

TEST_CASE("steps down to a floor") {
    const Schedule schedule{
        .anneal = Anneal::step, .peak = 1, .floor = 0.2, .warmup_steps = 2, .steps = 20, .factor = 0.5, .every = 3};
    const double want[] = {0, 0.5, 1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.2, 0.2};
    for (Index step = 0; step < 13; ++step) CHECK(schedule.rate(step) == want[static_cast<std::size_t>(step)]);
}

TEST_CASE("the paper's stage 2: never below 5e-5") {
    const Schedule schedule = Schedule{.floor = 5e-5, .steps = 80000}.checked();
    CHECK(schedule.rate(0) == 0);
    CHECK(schedule.rate(1000) == doctest::Approx(5e-5));
    CHECK(schedule.rate(2000) == 1e-4);
    CHECK(schedule.rate(41000) == doctest::Approx(7.5e-5));
    CHECK(schedule.rate(79999) >= 5e-5);
    CHECK(schedule.rate(80000) == 5e-5);
    CHECK(schedule.rate(1000000) == 5e-5);
    CHECK(Schedule{.peak = 1, .warmup_steps = 5, .steps = 5}.checked().rate(5) == 1);  // a warm-up and no more
}

TEST_CASE("settings that contradict each other") {
    const auto refuses = [](Schedule schedule, const char* message) {
        CHECK_THROWS_WITH_AS(schedule.checked(), message, Error);
    };
    refuses({.floor = 2e-4}, "[option.value] Schedule: floor: expected 0 to the peak of 0.0001, found 0.0002");
    refuses({.peak = -1}, "[option.value] Schedule: peak: expected a learning rate of 0 or more, found -1");
    refuses({.peak = std::nan("")}, "[option.value] Schedule: peak: expected a learning rate of 0 or more, found nan");
    refuses({.start = 1}, "[option.value] Schedule: start: expected 0 to the peak of 0.0001, found 1");
    refuses({.steps = 100},
            "[option.value] Schedule: warmup_steps: expected 0 to 100, the steps there are, found 2000");
    refuses({.anneal = Anneal::step, .factor = 0},
            "[option.value] Schedule: factor: expected above 0 and at most 1, found 0");
    refuses({.anneal = Anneal::step, .every = 0}, "[option.value] Schedule: every: expected 1 or more steps, found 0");
    CHECK_THROWS_WITH_AS(LavisSchedule{.anneal = Anneal::linear}.checked(),
                         "[option.value] LavisSchedule: expected Anneal::cosine or Anneal::step", Error);
    CHECK_THROWS_WITH_AS(LavisSchedule{.epochs = 0}.checked(),
                         "[option.value] LavisSchedule: epochs: expected 1 or more, found 0", Error);
    CHECK_THROWS_WITH_AS(LavisSchedule{.floor = 1}.checked(),
                         "[option.value] LavisSchedule: floor: expected 0 to the peak of 0.0001, found 1", Error);
    CHECK_THROWS_WITH_AS((LavisSchedule{.anneal = Anneal::step, .factor = 2}.checked()),
                         "[option.value] LavisSchedule: factor: expected above 0 and at most 1, found 2", Error);
}

}  // namespace train_schedule
