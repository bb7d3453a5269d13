// What config.json says of a model: the numbers that are compiled into a model's type, at run time.
#pragma once
#include <filesystem>
#include <memory>
#include <string>
#include <tessera/checkpoint/config_reader.hpp>

namespace tessera::inline TESSERA_ISA {

/// config.json of a checkpoint folder, and generation_config.json if there is one. Each part of a model reads from it
/// what it knows: `VitConfig::read(config)`.
/// errors  Errc::file_open; Errc::config_value for a file that is not JSON, or says no model_type
class ModelConfig {
  public:
    explicit ModelConfig(const std::filesystem::path& folder) : file(folder / "config.json") {
        std::error_code ignored;
        if (std::filesystem::is_regular_file(folder, ignored))
            throw Error(Errc::file_open, folder.string(),
                        ": expected a checkpoint folder with config.json and weights, found a file");
        json_ = open(file);
        model_type = root().text("model_type", "");
        if (model_type.empty()) root().fail("model_type", Errc::config_value, "expected text, found nothing");
        for (const char* key : {"torch_dtype", "dtype"})
            if (const auto type = json_->root().find(key); type && type->is_text()) dtype = type->text();
        const auto generation = folder / "generation_config.json";
        if (std::filesystem::exists(generation, ignored)) generation_ = open(generation);
    }

    std::filesystem::path file;  // config.json itself, for messages
    std::string model_type;
    std::string dtype;  // what the weights were made for: `float16`; empty if it is not said

    ConfigReader root() const { return ConfigReader(json_->root()); }
    /// The settings of text generation: those of generation_config.json, and else those of config.json.
    ConfigReader generation() const { return generation_ ? ConfigReader(generation_->root()).over(root()) : root(); }

  private:
    static std::shared_ptr<const JsonFile> open(const std::filesystem::path& path) {
        return std::make_shared<const JsonFile>(path, Errc::config_value, JsonNull::refused);
    }

    std::shared_ptr<const JsonFile> json_, generation_;
};

}  // namespace tessera::inline TESSERA_ISA
