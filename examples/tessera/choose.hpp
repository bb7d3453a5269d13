// The compiled model that a checkpoint fits.
#pragma once
#include <string>
#include <tessera/checkpoint/model_config.hpp>
#include <tessera/model/config.hpp>

namespace program {

/// Looks for it in lists that lie in files of their own, each compiled by itself.
class Choice {
  public:
    explicit Choice(const tessera::ModelConfig& config) : config_(config) {}

    const tessera::ModelConfig& config() const { return config_; }

    /// Calls f(compiled) with the first of `models` that has the checkpoint's shapes; says whether one has.
    template <class... M>
    bool use(const std::tuple<tessera::Compiled<M>...>& models, auto&& f) {
        return tessera::any_model(models, [&]<class Model>(const tessera::Compiled<Model>& compiled) {
            names_ += (names_.empty() ? "" : ", ") + std::string(compiled.name);
            const std::size_t count = tessera::mismatches<Model>(config_).size();
            if (count < fewest_) {
                fewest_ = count;
                nearest_ = compiled.name + (", but " + tessera::mismatch<Model>(config_));
            }
            if (count > 0) return false;
            f(compiled);
            return true;
        });
    }
    /// Throws what to say where none has.
    [[noreturn]] void refuse() const {
        throw tessera::Error(tessera::Errc::config_unsupported, config_.file.string(),
                             ": no compiled model has these shapes: of ", names_, " the nearest is ", nearest_,
                             " (`tessera info` prints what a line in examples/tessera/models.hpp needs to add them)");
    }

  private:
    const tessera::ModelConfig& config_;
    std::string names_, nearest_;
    std::size_t fewest_ = std::string::npos;
};

}  // namespace program
