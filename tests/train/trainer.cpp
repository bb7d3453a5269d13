#include <tessera/train/trainer.hpp>

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <limits>
#include <tessera/nn/linear.hpp>
#include <tessera/nn/randomize.hpp>
#include <tessera/train/loss/cross_entropy.hpp>

#include "support/allocations.hpp"
#include "support/message_of.hpp"
#include "support/temporary_folder.hpp"

namespace train_trainer {
using namespace tessera;
using test::message_of;
namespace fs = std::filesystem;

namespace {

constexpr Index in = 6, classes = 5, rows_of_step = 24;

struct Classifier {
    Linear<in, 16> hidden;
    Linear<16, classes> head;

    Rows<classes> operator()(ConstRows<in> x, Scratch& s) const {
        return head(hidden(x, s, {.activation = Activation::gelu}), s);
    }
    static void visit(auto& self, auto&& f) {
        f("hidden", self.hidden);
        f("head", self.head);
    }
};

constexpr const char* settings = R"({"what": "a classifier"})";

/// A model, and batches that depend on the number of the micro-batch only.
struct Training {
    Classifier model;
    Gradients gradients;
    AdamW adamw;
    TrainerOptions options;
    std::function<void(const MicroBatch&)> before = [](const MicroBatch&) {};

    explicit Training(Index steps = 12) : gradients(ready(model)), adamw(gradients) {
        options = {.steps = steps,
                   .rate = Schedule{.peak = 1e-2, .warmup_steps = 3, .steps = 100},
                   .clip = 0.5,
                   .seed = 5,
                   .save_every = 4};
    }
    static Classifier& ready(Classifier& model) {
        randomize(model, 3);
        return model;
    }
    StepLosses loss(const MicroBatch& at, Tape& tape) {
        before(at);
        const Index rows = rows_of_step / options.micro_batches;
        const auto x = tape.rows<in>(rows);
        const std::span targets(tape.take<Token>(rows), static_cast<std::size_t>(rows));
        for (Index row = 0; row < rows; ++row) {
            RandomStream random(1, at.number * rows + row);  // the rows of a step, however it is cut
            for (Index k = 0; k < in; ++k) x(row, k) = static_cast<float>(random.uniform(-1, 1));
            targets[static_cast<std::size_t>(row)] = static_cast<Token>(random.below(classes));
        }
        const auto loss = cross_entropy<classes>(model(x, tape), targets, tape);
        return {loss, {{"loss.words", loss}, {"drawn", static_cast<float>(at.seed >> 40)}}};
    }
    StepLoss losses() {
        return [this](const MicroBatch& at, Tape& tape) { return loss(at, tape); };
    }
    /// Begins or goes on.
    TrainingEnd run(const fs::path& folder) {
        const TrainingRun place = fs::exists(folder / "settings.json") ? TrainingRun::resume(folder, settings)
                                                                       : TrainingRun::begin(folder, settings);
        return train(model, gradients, adamw, place, options, losses());
    }
    std::vector<float> numbers() const {
        std::vector<float> out;
        for (const NamedLeaf& named : leaves_of(model))
            for (Index row = 0; row < named.leaf.rows(); ++row) {
                out.resize(out.size() + static_cast<std::size_t>(named.leaf.columns()));
                named.leaf.read(row, &out.back() + 1 - named.leaf.columns());
            }
        out.insert(out.end(), adamw.exp_avg().begin(), adamw.exp_avg().end());
        out.insert(out.end(), adamw.exp_avg_sq().begin(), adamw.exp_avg_sq().end());
        return out;
    }
};

/// The log without what time it took.
std::string log_of(const fs::path& folder) {
    const MappedFile file(folder / "log.jsonl");
    std::string out(file.text());
    for (std::size_t at = 0; (at = out.find("\"seconds\":", at)) != out.npos;)
        out.erase(at, out.find_first_of(",}", at) - at);
    return out;
}

/// The exit code of f() in a process of its own.
int in_child(const auto& f) {
    const pid_t child = ::fork();
    if (child == 0) {
        int code = 3;
        try {
            kernel::set_threads(1);  // those of the parent are not there
            f();
            code = 0;
        } catch (const std::exception& error) {
            std::fprintf(stderr, "%s\n", error.what());
        }
        ::_exit(code);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

TEST_CASE("a step is a loss, its gradient, AdamW at the schedule's rate; nothing more") {
    Training by_loop(4), by_hand(4);
    by_loop.options.clip = 0;
    CHECK(train(by_loop.gradients, by_loop.adamw, by_loop.options, by_loop.losses()).finished);
    const std::vector<float> before = by_hand.numbers();
    for (Index step = 0; step < 4; ++step) {
        by_hand.gradients.clear();
        Tape tape(by_hand.gradients);
        tape.backward(by_hand.loss({step, 0, step, 0}, tape).total);
        by_hand.adamw.step(by_hand.gradients, 1e-2 * static_cast<double>(step) / 3);
    }
    CHECK(by_loop.numbers() == by_hand.numbers());
    CHECK(by_loop.numbers() != before);
}

TEST_CASE("the same bits whether it runs through, is stopped and resumed, or recomputes its blocks") {
    const test::TemporaryFolder folder;
    Training whole;
    CHECK(whole.run(folder.path() / "whole").finished);

    Training first;
    first.options.stop = [steps = 0]() mutable { return steps++ == 6; };
    const TrainingEnd stopped = first.run(folder.path() / "parts");
    CHECK(stopped.step == 6);
    CHECK(!stopped.finished);
    CHECK(fs::exists(folder.path() / "parts" / "step-6"));
    Training second;
    second.options.recompute = Recompute::blocks;
    CHECK(second.run(folder.path() / "parts").finished);
    CHECK(second.numbers() == whole.numbers());
    CHECK(log_of(folder.path() / "parts") == log_of(folder.path() / "whole"));

    Training again;  // there is nothing left to do
    CHECK(again.run(folder.path() / "whole").step == 12);
    CHECK(again.numbers() == whole.numbers());
}

TEST_CASE("ended at any moment, it goes on to the same bits") {
    const test::TemporaryFolder folder;
    Training whole;
    whole.options.micro_batches = 2;
    whole.run(folder.path() / "whole");

    for (const Index moment : {0, 1, 5, 8, 9, 15, 17, 23}) {  // in that micro-batch
        CAPTURE(moment);
        const fs::path place = folder.path() / std::to_string(moment);
        const auto child = [&](Index ends) {
            return in_child([&] {
                Training training;
                training.options.micro_batches = 2;
                training.before = [ends](const MicroBatch& at) {
                    if (at.number == ends) ::_exit(9);
                };
                training.run(place);
            });
        };
        CHECK(child(moment) == 9);
        CHECK(child(moment + 3) == (moment + 3 < 24 ? 9 : 0));
        Training rest;
        rest.options.micro_batches = 2;
        CHECK(rest.run(place).finished);
        CHECK(rest.numbers() == whole.numbers());
        CHECK(log_of(place) == log_of(folder.path() / "whole"));
    }
}

TEST_CASE("micro-batches together are one large batch, up to rounding") {
    Training one(6), four(6);
    four.options.micro_batches = 4;
    std::vector<double> losses[2], norms[2];
    for (Training* training : {&one, &four}) {
        const std::size_t i = training == &four;
        training->options.clip = 0;
        training->options.report = [&, i](const StepReport& report) {
            losses[i].push_back(report.loss), norms[i].push_back(report.gradient_norm);
        };
        train(training->gradients, training->adamw, training->options, training->losses());
    }
    REQUIRE(losses[0].size() == 6);
    for (std::size_t step = 0; step < 6; ++step) {
        CHECK(losses[1][step] == doctest::Approx(losses[0][step]).epsilon(1e-5));
        CHECK(norms[1][step] == doctest::Approx(norms[0][step]).epsilon(1e-4));
    }
    CHECK(norms[1][0] > 0);
}

TEST_CASE("products of frozen bf16 weights in that arithmetic: other losses, but not by much") {
    std::vector<double> losses[2];
    for (const Products products : {Products::f32, Products::bf16}) {
        Training training(6);
        randomize(training.model.hidden, 3, DType::bf16);
        Gradients gradients(training.model, [](std::string_view path) { return path.starts_with("head."); });
        AdamW adamw(gradients);
        training.options.products = products;
        training.options.report = [&](const StepReport& report) {
            losses[products == Products::bf16].push_back(report.loss);
        };
        train(gradients, adamw, training.options, training.losses());
    }
    REQUIRE(losses[0].size() == 6);
    for (std::size_t step = 0; step < 6; ++step) {
        CHECK(losses[1][step] != losses[0][step]);
        CHECK(losses[1][step] == doctest::Approx(losses[0][step]).epsilon(1e-2));
    }
}

TEST_CASE("gradients are clipped before the step, and logged as they were") {
    Training clipped(1), scaled(1);
    double norm = 0;
    clipped.options.clip = 1e-3;
    clipped.options.report = [&](const StepReport& report) { norm = report.gradient_norm; };
    train(clipped.gradients, clipped.adamw, clipped.options, clipped.losses());
    CHECK(norm > 1e-2);
    CHECK(gradient_norm(clipped.gradients) == doctest::Approx(1e-3).epsilon(1e-3));
}

TEST_CASE("a line of the log has all losses, and what is measured every so many steps") {
    const test::TemporaryFolder folder;
    Training training(6);
    training.options.log_every = 4;
    training.options.validate_every = 3;
    training.options.validate = [](Index step) { return std::vector<LogValue>{{"measured", step * 10}}; };
    Index reports = 0;
    training.options.report = [&](const StepReport& report) { CHECK(report.step == ++reports); };
    training.run(folder.path() / "run");
    CHECK(reports == 6);
    const std::vector<LogCurve> curves = read_log(folder.path() / "run" / "log.jsonl");
    const auto curve = [&](std::string_view name) {
        const auto at = std::ranges::find(curves, name, &LogCurve::name);
        return at == curves.end() ? LogCurve{} : *at;
    };
    for (const char* name : {"loss", "loss.words", "rate", "gradient_norm", "seconds", "drawn"})
        CHECK(curve(name).steps == std::vector<double>{3, 4, 6});
    CHECK(curve("measured").steps == std::vector<double>{3, 6});
    CHECK(curve("measured").values == std::vector<double>{30, 60});
    CHECK(curve("drawn").values[0] != curve("drawn").values[1]);
    CHECK(curve("loss").values == curve("loss.words").values);
}

TEST_CASE("what is not finite ends training, with the step, the objective and the last good state") {
    const test::TemporaryFolder folder;
    for (const bool whole : {false, true}) {
        Training training;
        const StepLoss broken = [&](const MicroBatch& at, Tape& tape) {
            StepLosses losses = training.loss(at, tape);
            if (at.step < 6) return losses;
            (whole ? *const_cast<float*>(losses.total.data()) : losses.parts[0].value) =
                std::numeric_limits<float>::quiet_NaN();
            return losses;
        };
        const fs::path place = folder.path() / (whole ? "whole" : "part");
        const TrainingRun run = TrainingRun::begin(place, settings);
        const std::string said = message_of(
            [&] { train(training.model, training.gradients, training.adamw, run, training.options, broken); });
        const std::string found = whole ? "loss" : "loss.words";
        const std::string number = said.find("found -nan") == said.npos ? "nan" : "-nan";
        CHECK(said == "[training.value] step 7: " + found + ": expected a finite number, found " + number +
                          "; the last good state is " + (place / "step-4").string());
        Training resumed;
        CHECK(resumed.run(place).finished);
    }

    Training large(3);
    std::vector<float> row(16, 1e30f);
    leaves_of(large.model)[2].leaf.write(2, row.data(), 1);  // a row of head.weight: the scores stay finite
    const StepLoss steep = [&](const MicroBatch& at, Tape& tape) { return large.loss(at, tape); };
    const std::string said = message_of([&] { train(large.gradients, large.adamw, large.options, steep); });
    CHECK(said.starts_with("[training.value] step 1: "));
    CHECK(said.find("expected a finite number, found ") != said.npos);
}

TEST_CASE("options that cannot be") {
    Training training;
    const auto said = [&](const auto& change) {
        TrainerOptions options = training.options;
        change(options);
        return message_of([&] { train(training.gradients, training.adamw, options, training.losses()); });
    };
    CHECK(said([](TrainerOptions& o) { o.steps = -1; }) ==
          "[option.value] TrainerOptions: steps: expected 0 or more, found -1");
    CHECK(said([](TrainerOptions& o) { o.micro_batches = 0; }) ==
          "[option.value] TrainerOptions: micro_batches: expected 1 or more, found 0");
    CHECK(said([](TrainerOptions& o) { o.save_every = 0; }).find("save_every: expected 1") != std::string::npos);
    CHECK(said([](TrainerOptions& o) { o.log_every = 0; }).find("log_every: expected 1") != std::string::npos);
    CHECK(said([](TrainerOptions& o) { o.validate_every = -2; }).find("found -2") != std::string::npos);
    CHECK(said([](TrainerOptions& o) { o.clip = -1; }) ==
          "[option.value] TrainerOptions: clip: expected 0 or more, found -1");
    CHECK(said([](TrainerOptions& o) { o.rate = {}; }) ==
          "[option.value] TrainerOptions: rate: expected a learning rate, found none");
    CHECK(said([](TrainerOptions& o) { o.rate = [](Index step) { return step < 1 ? 1e-3 : -1.0; }; }) ==
          "[training.value] step 2: rate: expected a finite number, found -1");
}

TEST_CASE("a step allocates nothing after the first ones") {
    Training training(8);
    Index before = 0, after = 0;
    training.options.report = [&](const StepReport& report) {
        if (report.step == 3) before = test::allocations();
        if (report.step == 8) after = test::allocations();
    };
    train(training.gradients, training.adamw, training.options, training.losses());
    CHECK(after == before);
}

TEST_CASE("the same bits with one thread and two") {
    Training one, two;
    const int threads = kernel::threads();
    kernel::set_threads(1);
    train(one.gradients, one.adamw, one.options, one.losses());
    kernel::set_threads(2);
    train(two.gradients, two.adamw, two.options, two.losses());
    kernel::set_threads(threads);
    CHECK(one.numbers() == two.numbers());
}

}  // namespace train_trainer
