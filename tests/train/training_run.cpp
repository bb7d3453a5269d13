#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <tessera/nn/randomize.hpp>
#include <tessera/nn/weight.hpp>
#include <tessera/train/log.hpp>
#include <tessera/train/training_run.hpp>

#include "support/temporary_folder.hpp"

namespace train_training_run {
using namespace tessera;
namespace fs = std::filesystem;

namespace {

template <Index Out>
struct Layer {
    Weight<Out, 30> weight;
    Parameter<Out> bias;
    Weight<20, 30> frozen;
    static void visit(auto& self, auto&& f) {
        f("weight", self.weight);
        f("bias", self.bias);
        f("frozen.weight", self.frozen);
    }
};

bool learns(std::string_view path) { return !path.starts_with("frozen."); }

/// A model, its optimiser, and gradients that depend on the step only.
template <Index Out = 50>
struct Training {
    Layer<Out> model;
    Gradients gradients;
    AdamW adamw;

    explicit Training(std::uint64_t seed = 1) : gradients(ready(model, seed), learns), adamw(gradients) {}

    static Layer<Out>& ready(Layer<Out>& model, std::uint64_t seed) {
        randomize(model, seed);
        model.frozen.allocate(DType::bf16);
        const std::vector<float> ones(20 * 30, 0.3f);
        model.frozen.write(0, ones.data(), 20);
        return model;
    }
    void step(Index number) {
        auto seed = static_cast<std::uint64_t>(number);
        for (float& x : gradients.values()) {
            x = static_cast<float>(split_mix(seed) >> 40) * 0x1p-23f - 1;
            seed += split_mix_step;
        }
        adamw.step(gradients, 1e-2);
    }
    std::vector<float> numbers() const {
        std::vector<float> out;
        for (const NamedLeaf& named : leaves_of(model)) {
            const auto before = out.size();
            out.resize(before + static_cast<std::size_t>(named.leaf.rows() * named.leaf.columns()));
            for (Index row = 0; row < named.leaf.rows(); ++row)
                named.leaf.read(row, out.data() + static_cast<Index>(before) + row * named.leaf.columns());
        }
        out.insert(out.end(), adamw.exp_avg().begin(), adamw.exp_avg().end());
        out.insert(out.end(), adamw.exp_avg_sq().begin(), adamw.exp_avg_sq().end());
        return out;
    }
};

constexpr const char* settings = R"({"rate": 1e-2, "seed": 1, "data": {"folder": "x", "parts": [1, 2]}})";

/// Trains for `steps` steps, saving every second one, from wherever the run in `folder` has come to.
void train(const fs::path& folder, Index steps) {
    const TrainingRun run = fs::exists(folder / "settings.json") ? TrainingRun::resume(folder, settings)
                                                                 : TrainingRun::begin(folder, settings);
    Training training;
    const RunProgress start = run.load(training.model, training.gradients, training.adamw).value_or(RunProgress{});
    TrainingLog log(folder / "log.jsonl", start.step);
    for (Index step = start.step; step < steps;) {
        training.step(step);
        log.append(++step, {{"first", training.numbers().front()}});
        if (step % 2 == 0) run.save({step, {}}, training.model, training.gradients, training.adamw);
    }
}

std::string file_text(const fs::path& path) { return std::string(MappedFile(path).text()); }

/// f() in a process of its own, which ends with what it returns; −1 where it was killed.
template <class F>
int in_child(const F& f, useconds_t killed_after = 0) {
    const pid_t child = ::fork();
    if (child == 0) {
        int answer = 100;
        try {
            kernel::set_threads(1);
            answer = f();
        } catch (...) {}
        ::_exit(answer);
    }
    if (killed_after > 0) {
        ::usleep(killed_after);
        ::kill(child, SIGKILL);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

std::vector<std::string> names_in(const fs::path& folder) {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename().string());
    std::ranges::sort(names);
    return names;
}

}  // namespace

TEST_CASE("a run goes on from what was saved, with the same bits") {
    const test::TemporaryFolder folder;
    const fs::path place = folder.path() / "runs" / "first";
    const fs::path config = folder.write("config.json", "{\"model_type\":\"x\"}");
    Training training;
    const TrainingRun run = TrainingRun::begin(place, settings, {.keep = 2, .copies = {config}});
    CHECK(!run.load(training.model, training.gradients, training.adamw));
    std::vector<float> after_4;
    for (Index step = 0; step < 6;) {
        training.step(step++);
        if (step == 4) after_4 = training.numbers();
        if (step % 2 == 0)
            run.save({step, {{"seed", ~std::uint64_t{0}}, {"epoch", 3}}}, training.model, training.gradients,
                     training.adamw);
    }
    CHECK(names_in(place) == std::vector<std::string>{"latest", "settings.json", "step-4", "step-6"});
    CHECK(run.states() == std::vector<Index>{4, 6});
    CHECK(file_text(place / "latest") == "step-6\n");
    CHECK(names_in(place / "step-6") ==
          std::vector<std::string>{"config.json", "model.safetensors", "training.safetensors"});
    CHECK(file_text(place / "step-6" / "config.json") == "{\"model_type\":\"x\"}");
    const Safetensors state(place / "step-6" / "training.safetensors");
    CHECK(state.note("settings") == settings);
    CHECK(state.tensor("exp_avg.weight").shape == std::vector<Index>{50, 30});
    CHECK(state.tensors().size() == 4);

    Training other(99);
    const auto progress = TrainingRun::resume(place, settings).load(other.model, other.gradients, other.adamw);
    REQUIRE(progress);
    CHECK(progress->step == 6);
    CHECK(progress->counters.at("seed") == ~std::uint64_t{0});
    CHECK(progress->counters.at("epoch") == 3);
    CHECK(other.adamw.steps() == 6);
    CHECK(other.numbers() == training.numbers());
    CHECK(other.model.frozen.packed().dtype() == DType::bf16);
    training.step(6);
    other.step(6);
    CHECK(other.numbers() == training.numbers());

    fs::remove_all(place / "step-6");  // as if it had never been
    CHECK(run.load(other.model, other.gradients, other.adamw)->step == 4);
    CHECK(other.numbers() == after_4);
}

TEST_CASE("only what learns is saved, where the rest is known") {
    const test::TemporaryFolder folder;
    Training training;
    const TrainingRun run = TrainingRun::begin(folder.path() / "run", settings, {.weights = {.saves = learns}});
    training.step(0);
    run.save({1, {}}, training.model, training.gradients, training.adamw);
    CHECK(Safetensors(run.state_folder(1) / "model.safetensors").tensors().size() == 2);
    Training other(2);
    CHECK(run.load(other.model, other.gradients, other.adamw)->step == 1);
    CHECK(other.numbers() == training.numbers());
}

TEST_CASE("killed at any moment, it goes on to the same bits") {
    const test::TemporaryFolder folder;
    const fs::path whole = folder.path() / "whole", killed = folder.path() / "killed";
    constexpr Index steps = 60;
    REQUIRE(in_child([&] { return train(whole, steps), 0; }) == 0);
    int kills = 0;
    std::uint64_t seed = 7;
    for (int life = 0; life < 20; ++life) {
        // Longer and longer, so that there is an end on a slow machine too.
        const auto time = 1 + split_mix(seed++) % (2000 + 1000 * static_cast<std::uint64_t>(life));
        kills += in_child([&] { return train(killed, steps), 0; }, static_cast<useconds_t>(time)) == -1;
    }
    CHECK(kills > 0);
    REQUIRE(in_child([&] { return train(killed, steps), 0; }) == 0);
    for (const char* file :
         {"step-60/model.safetensors", "step-60/training.safetensors", "step-58/model.safetensors", "log.jsonl"})
        CHECK(file_text(whole / file) == file_text(killed / file));
    CHECK(names_in(whole) == names_in(killed));
}

TEST_CASE("what a broken-off save had left to do is done by the next load") {
    const test::TemporaryFolder folder;
    const fs::path place = folder.path() / "run";
    train(place, 6);
    const auto names = names_in(place);
    // Killed after the new state has its name: an older one more, one half removed, the name of the last not written.
    fs::copy(place / "step-4", place / "step-2", fs::copy_options::recursive);
    fs::create_directory(place / "step-0.partial");
    replace_file(place / "latest", "step-4\n");
    train(place, 6);
    CHECK(names_in(place) == names);
    CHECK(file_text(place / "latest") == "step-6\n");
    // A state that is not whole takes no place of one that is.
    fs::create_directory(place / "step-9");
    fs::create_directory(place / "step-8");
    train(place, 6);
    CHECK(names_in(place) ==
          std::vector<std::string>{"latest", "log.jsonl", "settings.json", "step-4", "step-6", "step-8", "step-9"});
}

TEST_CASE("states that are not whole are passed over") {
    const test::TemporaryFolder folder;
    const fs::path place = folder.path() / "run";
    std::string warning;
    const TrainingRun run =
        TrainingRun::begin(place, settings, {.keep = 9, .warn = [&](const std::string& text) { warning = text; }});
    Training training;
    for (Index step = 1; step <= 4; ++step) {
        training.step(step);
        run.save({step, {}}, training.model, training.gradients, training.adamw);
    }
    const auto found = [&] {
        Training other;
        const auto progress = run.load(other.model, other.gradients, other.adamw);
        return progress ? progress->step : -1;
    };
    CHECK(found() == 4);
    CHECK(warning.empty());
    fs::create_directory(place / "step-9");
    CHECK(found() == 4);
    CHECK(warning.starts_with("step-9 is not whole and is passed over: [file.open] "));
    fs::create_directory(place / "step-7.partial");
    fs::create_directory(place / "step-x");
    fs::copy(place / "step-2", place / "step-8", fs::copy_options::recursive);
    CHECK(found() == 4);
    CHECK(warning.ends_with("expected a state of step 8, found one of step 2"));
    fs::resize_file(place / "step-4" / "model.safetensors", fs::file_size(place / "step-4" / "model.safetensors") - 1);
    CHECK(found() == 3);
    for (std::uintmax_t size = fs::file_size(place / "step-3" / "training.safetensors"); size > 0; size /= 2) {
        fs::resize_file(place / "step-3" / "training.safetensors", size - 1);
        CHECK(found() == 2);
    }
    // What was not whole is written again.
    run.save({4, {}}, training.model, training.gradients, training.adamw);
    fs::remove_all(place / "step-8");
    CHECK(found() == 4);
    // Replacing a state, broken off between the two names.
    fs::rename(place / "step-4", place / "step-4.old");
    CHECK(found() == 2);
    Training other;
    CHECK(TrainingRun::resume(place, settings).load(other.model, other.gradients, other.adamw)->step == 4);
    for (const Index step : run.states()) fs::remove_all(run.state_folder(step));
    CHECK(found() == -1);
}

TEST_CASE("a full disk leaves the last good state, and says which it is") {
    const test::TemporaryFolder folder;
    const fs::path place = folder.path() / "run";
    const TrainingRun run = TrainingRun::begin(place, settings);
    Training training;
    const auto failed_save = [&](rlim_t room) {
        return in_child([&] {
            ::signal(SIGXFSZ, SIG_IGN);
            const rlimit limit{room, room};
            if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) return 1;
            try {
                run.save({2, {}}, training.model, training.gradients, training.adamw);
            } catch (const Error& error) {
                const std::string said = error.what();
                const std::string good = fs::exists(place / "step-1")
                                             ? "the last good state is " + (place / "step-1").string()
                                             : "no state was saved before";
                return said.starts_with("[file.open] ") &&
                               said.ends_with(": cannot be written: File too large; " + good)
                           ? 0
                           : 2;
            }
            return 3;
        });
    };
    CHECK(failed_save(100) == 0);
    CHECK(names_in(place) == std::vector<std::string>{"settings.json"});
    run.save({1, {}}, training.model, training.gradients, training.adamw);
    const auto weights = fs::file_size(place / "step-1" / "model.safetensors");
    const auto moments = fs::file_size(place / "step-1" / "training.safetensors");
    REQUIRE(weights < moments);
    for (const rlim_t room : {rlim_t{0}, rlim_t{weights - 1}, rlim_t{weights}, rlim_t{moments - 1}}) {
        CHECK(failed_save(room) == 0);
        CHECK(names_in(place) == std::vector<std::string>{"latest", "settings.json", "step-1"});
    }
    CHECK(failed_save(moments) == 3);  // there is room
    CHECK(run.states() == std::vector<Index>{1, 2});
}

TEST_CASE("runs that are there, that are not, and other settings") {
    const test::TemporaryFolder folder;
    const fs::path place = folder.path() / "run";
    const std::string here = place.string();
    const auto refused = [](auto&& f) {
        try {
            f();
        } catch (const Error& error) {
            return std::string(error.what());
        }
        return std::string("not refused");
    };
    const auto resume = [&](const char* other) { return refused([&] { TrainingRun::resume(place, other); }); };
    CHECK(resume(settings) == "[option.value] " + here + ": expected a run to go on with, found no settings.json");
    CHECK(refused([&] { TrainingRun::begin(place, "{"); }).starts_with("[option.value] settings: not JSON: "));
    CHECK(refused([&] { TrainingRun::begin(place, settings, {.keep = 0}); }) ==
          "[option.value] RunOptions: keep: expected 1 or more, found 0");
    const TrainingRun run = TrainingRun::begin(place, settings);
    CHECK(refused([&] { TrainingRun::begin(place, settings); }) ==
          "[option.value] " + here + ": holds a run already; resume it, or choose another folder");
    Training training;
    run.save({12, {}}, training.model, training.gradients, training.adamw);
    CHECK(refused([&] { TrainingRun::begin(place, settings); }) ==
          "[option.value] " + here +
              ": holds a run already, which has come to step-12; resume it, or choose another folder");

    const std::string file = "[option.value] " + here + "/settings.json: ",
                      end = "; begin another run for other settings";
    CHECK(resume(R"({"data": {"parts": [1, 2], "folder": "x"}, "seed": 1, "rate": 0.01})") == "not refused");
    CHECK(resume(R"({"rate": 2e-2, "seed": 1, "data": {"folder": "x", "parts": [1, 2]}})") ==
          file + "rate: expected 0.01 as the run began with, found 0.02" + end);
    CHECK(resume(R"({"rate": 1e-2, "seed": 1, "data": {"folder": "y", "parts": [1, 2]}})") ==
          file + "data.folder: expected 'x' as the run began with, found 'y'" + end);
    CHECK(resume(R"({"rate": 1e-2, "seed": 1, "data": {"folder": "x", "parts": [1]}})") ==
          file + "data.parts[1]: expected 2 as the run began with, found nothing" + end);
    CHECK(resume(R"({"rate": 1e-2, "seed": 1, "data": {"folder": "x", "parts": [1, 2]}, "beams": {}})") ==
          file + "beams: expected nothing as the run began with, found {}" + end);

    // Another model, and other parameters that learn.
    Training<51> wide;
    const std::string place_of_state = " (" + (place / "step-12" / "training.safetensors").string() + ')';
    CHECK(refused([&] { run.load(wide.model, wide.gradients, wide.adamw); }) ==
          "[checkpoint.shape] 'exp_avg.weight': expected F32 [51, 30], found F32 [50, 30]" + place_of_state);
    Layer<50>& model = training.model;
    model.frozen.allocate(DType::f32);
    const Gradients more(model), fewer(model, [](auto path) { return path == "bias"; });
    AdamW of_more(more), of_fewer(fewer);
    CHECK(refused([&] { run.load(model, more, of_more); }) ==
          "[checkpoint.missing] 'exp_avg.frozen.weight': expected, as the parameter learns, found none: it was frozen" +
              place_of_state);
    CHECK(refused([&] { run.load(model, fewer, of_fewer); }) ==
          "[checkpoint.unexpected] 'exp_avg.weight': the parameter learned, and is frozen now" + place_of_state);
}

}  // namespace train_training_run
