#include "train_stage2.hpp"

std::optional<int> program::train_stage2_opt(const TrainConfig& config) {
    return with_shape(stage2_opt_models, config.shape,
                      [&]<class Model>(const Compiled<Model>&) { return train_stage2_model<Model>(config); });
}
