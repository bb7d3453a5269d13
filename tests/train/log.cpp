#include <doctest/doctest.h>

#include <limits>
#include <tessera/train/log.hpp>

#include "support/allocations.hpp"
#include "support/temporary_folder.hpp"

namespace train_log {
using namespace tessera;

namespace {
std::string text_of(const std::filesystem::path& path) { return std::string(MappedFile(path).text()); }
}  // namespace

TEST_CASE("a line for a step") {
    const test::TemporaryFolder folder;
    const auto path = folder.path() / "log.jsonl";
    TrainingLog log(path, 0);
    log.append(1, {{"loss", 2.5f}, {"loss.itc", 0.1f}, {"rate", 1e-4}, {"pairs", 64}});
    CHECK(text_of(path) == "{\"step\":1,\"loss\":2.5,\"loss.itc\":0.1,\"rate\":1e-04,\"pairs\":64}\n");
    log.append(2, {{"loss", std::numeric_limits<float>::quiet_NaN()}, {"rate", 1e-300}});
    const std::vector<LogValue> values{{"loss", -3.0}};
    log.append(1234567, values);
    CHECK(text_of(path).substr(text_of(path).find('\n') + 1) ==
          "{\"step\":2,\"loss\":null,\"rate\":1e-300}\n{\"step\":1234567,\"loss\":-3}\n");
    const auto curves = read_log(path);
    REQUIRE(curves.size() == 4);
    CHECK(curves[0].name == "loss");
    CHECK(curves[0].steps == std::vector<double>{1, 1234567});
    CHECK(curves[0].values == std::vector<double>{2.5, -3});
    CHECK(curves[1].name == "loss.itc");
    CHECK(curves[1].values == std::vector<double>{0.1});
    CHECK(curves[2].values == std::vector<double>{1e-4, 1e-300});
}

TEST_CASE("a line allocates nothing after the first ones") {
    const test::TemporaryFolder folder;
    TrainingLog log(folder.path() / "log.jsonl", 0);
    log.append(1, {{"loss", 2.5f}, {"loss.contrast", 0.1f}, {"rate", 1.23456789e-4}});
    const Index before = test::allocations();
    log.append(2, {{"loss", 2.5f}, {"loss.contrast", 0.1f}, {"rate", 1.23456789e-4}});
    CHECK(test::allocations() == before);
}

TEST_CASE("a log goes on where the run goes on") {
    const test::TemporaryFolder folder;
    const std::string lines = "{\"step\":1,\"a\":1}\n{\"step\":2,\"a\":2}\n{\"step\":2,\"validation\":7}\n",
                      more = "{\"step\":3,\"a\":3}\n";
    const auto path = folder.write("log.jsonl", lines + more + "{\"step\":4,\"a\":");
    {
        TrainingLog log(path, 2);
        CHECK(text_of(path) == lines);
        log.append(3, {{"a", 3}});
        CHECK(text_of(path) == lines + more);
    }
    TrainingLog same(path, 3);
    CHECK(text_of(path) == lines + more);
    TrainingLog again(path, 0);
    CHECK(text_of(path).empty());
    CHECK(read_log(path).empty());
}

TEST_CASE("what is no log") {
    const test::TemporaryFolder folder;
    const auto path = folder.write("log.jsonl", "{\"step\":1}\n{\"loss\":1}\n");
    CHECK_THROWS_WITH_AS(read_log(path), ("[file.format] " + path.string() + ":2: expected 'step', found none").c_str(),
                         Error);
    CHECK_THROWS_AS(TrainingLog(path, 7), Error);
    CHECK(text_of(path) == "{\"step\":1}\n{\"loss\":1}\n");
    const auto other = folder.write("other", "1 2\n");
    CHECK_THROWS_AS(read_log(other), Error);
    CHECK_THROWS_WITH_AS(TrainingLog("/nowhere/log", 0),
                         "[file.open] /nowhere/log: cannot be written: No such file or directory", Error);
    if (!std::filesystem::exists("/dev/full")) return;
    TrainingLog full("/dev/full", 0);
    CHECK_THROWS_WITH_AS(full.append(1, {}), "[file.open] /dev/full: cannot be written: No space left on device",
                         Error);
}

}  // namespace train_log
