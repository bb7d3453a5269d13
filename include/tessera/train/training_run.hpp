// A training run on disk: what it takes to go on after the program ended, however it ended.
//
//     RUN/settings.json             what was asked for: going on with other settings is refused
//     RUN/step-400/                 a state: a checkpoint folder in the layout of Hugging Face, with
//         model.safetensors         the weights
//         training.safetensors      the optimiser's moments; the step, counters and settings as notes
//         config.json …             files that are copied there
//     RUN/step-400.partial/         one that is being written, or was when the program ended
//     RUN/latest                    the name of the last state, for people and scripts
#pragma once
#include <algorithm>
#include <charconv>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <tessera/checkpoint/save_weights.hpp>
#include <tessera/core/file.hpp>
#include <tessera/core/output_file.hpp>
#include <tessera/train/run_settings.hpp>
#include <tessera/train/training_file.hpp>
#include <utility>
#include <vector>

namespace tessera::inline TESSERA_ISA {

struct RunOptions {
    /// How many states stay; older ones are removed when a new one is there.
    Index keep = 2;
    /// Which parameters are saved, and under which names; see SaveOptions. Frozen ones that can be had from elsewhere need not be.
    SaveOptions weights = {};
    /// Files that each state gets a copy of: config.json, those of the tokenizer.
    std::vector<std::filesystem::path> copies = {};
    /// Called with a sentence about states that are not whole.
    std::function<void(const std::string& warning)> warn = {};
};

/// A folder that a training run keeps its states in. A state is there whole or not at all, whenever the program or the machine stops.
/// ```cpp
/// const char* const settings = R"({"rate": 1e-4, "seed": 1})";
/// const bool resume = std::filesystem::exists("run/settings.json");
/// const TrainingRun run = resume ? TrainingRun::resume("run", settings) : TrainingRun::begin("run", settings);
/// Index step = run.load(model, gradients, adamw).value_or(RunProgress{}).step;
/// while (step < 5000) {
///     adamw.step(gradients, 1e-4);
///     if (++step % 1000 == 0) run.save({step}, model, gradients, adamw);
/// }
/// ```
/// errors  Errc::file_open where something cannot be written: the sentence says which state is the last good one
class TrainingRun {
  public:
    /// A new run with these settings, a JSON text that says all that the numbers depend on.
    /// errors  Errc::option_value where `folder` has a run already; Errc::file_open
    static TrainingRun begin(const std::filesystem::path& folder, std::string_view settings, RunOptions options = {}) {
        TrainingRun run(folder, std::string(settings), std::move(options));
        JsonFile(settings, "settings", Errc::option_value, JsonNull::refused).root().object();
        std::error_code failed;
        std::filesystem::create_directories(folder, failed);
        if (failed) throw Error(Errc::file_open, folder.string(), ": cannot be made: ", failed.message());
        if (const auto states = run.states(); run.exists() || !states.empty())
            throw Error(Errc::option_value, folder.string(), ": holds a run already",
                        states.empty() ? "" : ", which has come to " + name_of(states.back()),
                        "; resume it, or choose another folder");
        replace_file(run.settings_file(), settings);
        return run;
    }
    /// Goes on with a run.
    /// errors  Errc::option_value where there is none, or where it has other settings
    static TrainingRun resume(const std::filesystem::path& folder, std::string_view settings, RunOptions options = {}) {
        TrainingRun run(folder, std::string(settings), std::move(options));
        if (!run.exists())
            throw Error(Errc::option_value, folder.string(), ": expected a run to go on with, found no settings.json");
        detail::require_same_settings(run.settings_file(), settings);
        run.recover_old();
        return run;
    }

    const std::filesystem::path& folder() const { return folder_; }
    /// Steps of the states that are there, in order.
    std::vector<Index> states() const {
        std::vector<Index> steps;
        std::error_code failed;
        for (const auto& entry : std::filesystem::directory_iterator(folder_, failed))
            if (const Index step = step_of(entry.path().filename().string()); step >= 0) steps.push_back(step);
        std::ranges::sort(steps);
        return steps;
    }
    std::filesystem::path state_folder(Index step) const { return folder_ / name_of(step); }
    /// The end of a sentence about what went wrong: `the last good state is run/step-400`.
    std::string last_good() const {
        const std::vector<Index> steps = states();
        return steps.empty() ? "no state was saved before"
                             : "the last good state is " + state_folder(steps.back()).string();
    }

    /// Writes the state after progress.step steps, then removes older ones.
    /// cost    writes the weights that are saved and 8 bytes a number that learns, waits for the disk
    template <class Model>
    void save(const RunProgress& progress, const Model& model, const Gradients& gradients,
              const AdamW& optimizer) const {
        save(progress, leaves_of(model), names_of<Model>(), gradients, optimizer);
    }
    /// Sets model and optimiser to the last state that is whole; nothing where there is none yet. The model has its frozen weights
    /// already where they are not saved, each parameter in the type that it had then.
    /// errors  Errc::checkpoint_missing, Errc::checkpoint_shape, Errc::checkpoint_unexpected where it is another model's, or other
    ///         parameters learn
    template <class Model>
    std::optional<RunProgress> load(Model& model, const Gradients& gradients, AdamW& optimizer) const {
        return load(leaves_of(model), names_of<Model>(), gradients, optimizer);
    }

  private:
    TrainingRun(std::filesystem::path folder, std::string settings, RunOptions options)
        : folder_(std::move(folder)), settings_(std::move(settings)), options_(std::move(options)) {
        if (options_.keep < 1)
            throw Error(Errc::option_value, "RunOptions: keep: expected 1 or more, found ", options_.keep);
    }

    static constexpr std::string_view state_prefix = "step-", partial_suffix = ".partial", old_suffix = ".old";
    static constexpr const char* const weights_name = "model.safetensors";
    static constexpr const char* const training_name = "training.safetensors";

    static std::string name_of(Index step) { return std::string(state_prefix) + std::to_string(step); }
    /// −1 for what is no state.
    static Index step_of(std::string_view name) {
        Index step = -1;
        if (!name.starts_with(state_prefix)) return -1;
        name.remove_prefix(state_prefix.size());
        const auto [end, failed] = std::from_chars(name.data(), name.data() + name.size(), step);
        return failed == std::errc{} && end == name.data() + name.size() ? step : -1;
    }
    std::filesystem::path settings_file() const { return folder_ / "settings.json"; }
    bool exists() const {
        std::error_code ignored;
        return std::filesystem::exists(settings_file(), ignored);
    }

    void save(const RunProgress& progress, const std::vector<NamedLeaf>& leaves, const NameMap& names,
              const Gradients& gradients, const AdamW& optimizer) const {
        TESSERA_EXPECTS(progress.step >= 0);
        namespace fs = std::filesystem;
        std::error_code ignored;
        const fs::path state = state_folder(progress.step), partial = state.string() + std::string(partial_suffix);
        try {
            remove_partial();
            std::error_code failed;
            fs::create_directory(partial, failed);
            if (failed) throw Error(Errc::file_open, partial.string(), ": cannot be made: ", failed.message());
            for (const fs::path& file : options_.copies) copy_whole(file, partial / file.filename());
            detail::save_weights(leaves, names, partial / weights_name, options_.weights);
            TrainingFile::write(partial / training_name, progress, settings_, gradients, optimizer);
            const fs::path old = state.string() + std::string(old_suffix);
            fs::remove_all(old, ignored);
            fs::rename(state, old, ignored);  // where there is one: not whole, or the same again
            fs::rename(partial, state, failed);
            if (failed) throw Error(Errc::file_open, state.string(), ": cannot be written: ", failed.message());
            sync_folder(folder_);
            fs::remove_all(old, ignored);
            settle(progress.step);
        } catch (const Error& error) {
            fs::remove_all(partial, ignored);
            const std::string_view said = error.what();
            throw Error(error.code, said.substr(said.find("] ") + 2), "; ", last_good());
        }
    }

    std::optional<RunProgress> load(const std::vector<NamedLeaf>& leaves, const NameMap& names,
                                    const Gradients& gradients, AdamW& optimizer) const {
        std::vector<Index> steps = states();
        for (; !steps.empty(); steps.pop_back()) {
            const std::filesystem::path state = state_folder(steps.back());
            std::optional<Checkpoint> weights;
            std::optional<TrainingFile> training;
            try {  // whether it is whole
                weights.emplace(state / weights_name);
                training.emplace(state / training_name);
                if (training->progress().step != steps.back())
                    throw Error(Errc::checkpoint_format, (state / training_name).string(),
                                ": expected a state of step ", steps.back(), ", found one of step ",
                                training->progress().step);
            } catch (const Error& error) {
                if (options_.warn)
                    options_.warn(name_of(steps.back()) + " is not whole and is passed over: " + error.what());
                continue;
            }
            training->require_fit(gradients, optimizer);
            detail::restore_weights(leaves, names, *weights, options_.weights.saves);
            training->restore(gradients, optimizer);
            settle(steps.back());
            return training->progress();
        }
        return {};
    }

    /// All that is left to do once a state is there; after loading it, what was left to do when a save was broken off. States of
    /// later steps are not whole, or they would have been loaded: they do not count among those that are kept.
    void settle(Index step) const {
        std::vector<Index> steps = states();
        std::erase_if(steps, [&](Index other) { return other > step; });
        for (std::size_t i = 0; i + static_cast<std::size_t>(options_.keep) < steps.size(); ++i)
            retire(state_folder(steps[i]));
        remove_partial();
        const std::filesystem::path latest = folder_ / "latest";
        const std::string name = name_of(step) + '\n';
        std::error_code ignored;
        if (!std::filesystem::exists(latest, ignored) || MappedFile(latest).text() != name) replace_file(latest, name);
    }
    /// A state that is to be removed is none any more before its first file goes.
    static void retire(const std::filesystem::path& state) {
        std::error_code ignored;
        std::filesystem::rename(state, state.string() + std::string(partial_suffix), ignored);
    }
    /// Undoes the replacing of a state that was broken off in the middle.
    void recover_old() const {
        std::error_code ignored;
        std::vector<std::filesystem::path> found;
        for (const auto& entry : std::filesystem::directory_iterator(folder_, ignored))
            if (entry.path().extension() == old_suffix) found.push_back(entry.path());
        for (std::filesystem::path old : found) {
            std::filesystem::path state = old;
            state.replace_extension();
            if (std::filesystem::exists(state, ignored))
                std::filesystem::remove_all(old, ignored);
            else
                std::filesystem::rename(old, state, ignored);
        }
    }
    void remove_partial() const {
        std::error_code ignored;
        std::vector<std::filesystem::path> found;
        for (const auto& entry : std::filesystem::directory_iterator(folder_, ignored)) {
            const std::string name = entry.path().filename().string();
            if (name.starts_with(state_prefix) && name.ends_with(partial_suffix)) found.push_back(entry.path());
        }
        for (const auto& path : found) std::filesystem::remove_all(path, ignored);
    }

    std::filesystem::path folder_;
    std::string settings_;
    RunOptions options_;
};

}  // namespace tessera::inline TESSERA_ISA
