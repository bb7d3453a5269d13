// What all stages of `tessera train` share: the run on the disk, the line on the terminal, the way out.
#pragma once
#include <csignal>
#include <cstdio>
#include <iostream>
#include <tessera/checkpoint/save_weights.hpp>
#include <vector>

#include "progress.hpp"
#include "train.hpp"

namespace program {

/// Set where the user interrupts the program.
inline volatile std::sig_atomic_t& interrupted() {
    static volatile std::sig_atomic_t flag = 0;
    return flag;
}

/// Files of `folder` that are no weights and belong to a checkpoint.
inline std::vector<std::filesystem::path> files_beside_weights(const std::filesystem::path& folder, bool with_config) {
    std::vector<std::filesystem::path> out;
    for (const char* name :
         {"config.json", "generation_config.json", "preprocessor_config.json", "processor_config.json",
          "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.json",
          "merges.txt", "vocab.txt", "spiece.model"}) {
        const std::string_view file = name;
        const bool is_config = file == "config.json" || file.starts_with("generation") || file.starts_with("pre") ||
                               file.starts_with("processor");
        std::error_code ignored;
        if ((with_config || !is_config) && std::filesystem::is_regular_file(folder / name, ignored))
            out.push_back(folder / name);
    }
    return out;
}

/// The bar, and how long it will take.
inline void show(ProgressBar& bar, const tessera::StepReport& report) {
    char text[128];
    std::snprintf(text, sizeof text, "loss %.4f, rate %.3g, %.3g s a step, %.3g min left", report.loss, report.rate,
                  report.seconds, static_cast<double>(report.steps - report.step) * report.seconds / 60);
    bar.label(text);
    bar(report.step, report.steps, {});
}

/// The rate of each step in LAVIS's form, whose epochs are those of the data.
inline auto rate_by_epochs(tessera::LavisSchedule schedule, const tessera::TrainerOptions& options,
                           tessera::Index micro_batches_per_epoch) {
    const auto epoch = [each = micro_batches_per_epoch, parts = options.micro_batches](tessera::Index step) {
        return step * parts / each;
    };
    schedule.epochs = epoch(options.steps - 1) + 1;
    return [=](tessera::Index step) { return schedule.rate(epoch(step), step); };
}

/// Trains those parameters of `model` that learn, writes the whole model where it is to be exported, and returns the exit code.
/// `copies` are files that belong beside the weights.
template <class Model>
int train_in_run(const TrainConfig& config, Model& model, const tessera::Gradients::Learns& learns,
                 const std::vector<std::filesystem::path>& copies, tessera::Index micro_batches_per_epoch,
                 const tessera::StepLoss& loss,
                 const std::function<std::vector<tessera::LogValue>(tessera::Index step)>& validate) {
    using namespace tessera;
    Gradients gradients(model, learns);
    AdamW adamw(gradients, config.adamw);
    ProgressBar bar("training", is_terminal(stderr), Unit::count);
    const RunOptions on_disk{
        .keep = config.keep, .weights = {.saves = learns}, .copies = copies, .warn = [&](const std::string& warning) {
            bar.hide(), std::cerr << "tessera: " << warning << '\n';
        }};
    const TrainingRun run = config.resume ? TrainingRun::resume(config.out, config.text, on_disk)
                                          : TrainingRun::begin(config.out, config.text, on_disk);
    TrainerOptions options = config.trainer;
    if (config.lavis_schedule) options.rate = rate_by_epochs(*config.lavis_schedule, options, micro_batches_per_epoch);
    const auto before = std::signal(SIGINT, [](int) { interrupted() = 1; });
    options.stop = [] { return interrupted() != 0; };
    options.report = [&](const StepReport& report) { show(bar, report); };
    options.validate = [&](Index step) {
        const std::vector<LogValue> found = validate(step);
        bar.hide();
        std::cout << "step " << step << ':';
        for (const LogValue& value : found) std::cout << ' ' << value.name() << ' ' << value.text();
        std::cout << std::endl;
        return found;
    };
    const TrainingEnd end = train(model, gradients, adamw, run, options, loss);
    std::signal(SIGINT, before);
    bar.hide();
    if (!end.finished) {
        std::cout << "stopped after " << end.step << " of " << options.steps << " steps; --resume goes on\n";
        return 130;
    }
    std::cout << end.step << " steps, " << run.state_folder(end.step).string() << '\n';
    if (!config.export_to.empty()) {
        std::filesystem::create_directories(config.export_to);
        for (const auto& file : copies) copy_whole(file, config.export_to / file.filename());
        save_weights(model, config.export_to / "model.safetensors");
        std::cout << "the model: " << config.export_to.string() << '\n';
    }
    return 0;
}

/// How frozen parts are loaded.
inline tessera::LoadOptions frozen(const TrainConfig& config, ProgressBar& bar) {
    return {.weight_dtype = config.frozen_weights, .progress = std::ref(bar), .warn = [&](const std::string& warning) {
                bar.hide(), std::cerr << "tessera: " << warning << '\n';
            }};
}

/// What a stage has to be told to start from.
inline const std::string& required(const TrainConfig& config, const char* key, const std::string& value) {
    if (value.empty())
        throw tessera::Error(tessera::Errc::config_value, config.file, ": start.", key, ": expected by ", config.stage,
                             ", found none");
    return value;
}

}  // namespace program
