#include "train.hpp"

#include <tessera/kernel/parallel.hpp>
#include <tessera/train/training_run.hpp>

namespace {

using namespace tessera;

/// Before hours of loading: a run is never written over, nor gone on with where there is none, or one with other settings.
void require_place(const program::TrainConfig& config) {
    if (config.resume) {
        TrainingRun::resume(config.out, config.text);
        return;
    }
    std::error_code ignored;
    if (std::filesystem::exists(config.out / "settings.json", ignored))
        throw Error(Errc::option_value, config.out.string(),
                    ": holds a run already; go on with it by --resume, or choose another folder");
    if (!config.export_to.empty() && std::filesystem::exists(config.export_to, ignored))
        throw Error(Errc::option_value, config.at("export: "), config.export_to.string(),
                    ": expected a folder that is yet to be made, found one");
}

}  // namespace

int run(const TrainCommand& command) {
    if (command.threads > 0) kernel::set_threads(command.threads);
    program::TrainConfig config = program::read_train_config(command.config);
    config.resume = command.resume;
    require_place(config);
    std::optional<int> code;
    if (config.stage == "stage1") code = program::train_stage1(config);
    if (config.stage == "language") code = program::train_language(config);
    if (config.stage == "stage2" && !(code = program::train_stage2_opt(config)))
        code = program::train_stage2_t5(config);
    if (!code)
        throw Error(Errc::config_value, config.at("shape"), ": expected a compiled one for ", config.stage,
                    " (examples/tessera/train_models.hpp lists them), found ", in_quotes(config.shape));
    return *code;
}
