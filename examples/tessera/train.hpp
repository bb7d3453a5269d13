// `tessera train`: what a config file asks for, and the stages, each compiled by itself.
#pragma once
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <tessera/core/dtype.hpp>
#include <tessera/train/schedule.hpp>
#include <tessera/train/trainer.hpp>

#include "commands.hpp"

namespace program {

/// Captions with pictures, or documents without.
struct TrainData {
    std::filesystem::path file, images;  // images: where pictures lie; empty: beside the file
    bool augment = false;
};

struct TrainConfig {
    std::string file, text;  // of the config
    bool resume = false;
    std::string stage, shape;
    std::filesystem::path out, export_to, feature_cache;

    std::string vision, bert, qformer, language, model, tokenizer;  // where to start
    std::optional<tessera::DType> frozen_weights;

    TrainData data, validation;
    tessera::Index most_tokens = 32, validation_rows = 256, rerank = 0;
    std::string prompt;

    tessera::Index batch = 1, keep = 2;
    double uniform_negatives = 0;
    float dropout = 0;  // in the Q-Former
    tessera::TrainerOptions trainer;
    std::optional<tessera::LavisSchedule>
        lavis_schedule;  // takes the place of trainer.rate; its epochs are those of the data
    tessera::AdamWOptions adamw;

    /// "F.json: what"
    std::string at(const std::string& what) const { return file + ": " + what; }
    /// Of a micro-batch.
    tessera::Index micro_batch() const { return batch / trainer.micro_batches; }
};

/// errors  Errc::config_value names the file, the key, what was expected and what was found
TrainConfig read_train_config(const std::string& file);

// Return the exit code; nothing where the stage or the shape is another's.
std::optional<int> train_stage1(const TrainConfig& config);
std::optional<int> train_stage2_opt(const TrainConfig& config);
std::optional<int> train_stage2_t5(const TrainConfig& config);
std::optional<int> train_language(const TrainConfig& config);

}  // namespace program
