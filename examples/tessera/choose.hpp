// The compiled model that a checkpoint fits.
#pragma once
#include <string>
#include <tessera/checkpoint/model_config.hpp>
#include <tessera/model/config.hpp>

namespace program {

/// Looks for it in lists that lie in files of their own, each compiled by itself.
class Choice {
  public:
    explicit Choice(const tessera::ModelConfig& config) : config_(&config) {}
    /// For a model put together from parts, of which no config.json tells: the compiled model of that name.
    explicit Choice(std::string shape) : shape_(std::move(shape)) {}

    bool has_config() const { return config_ != nullptr; }
    const tessera::ModelConfig& config() const { return *config_; }

    /// Calls f(compiled) with the first of `models` that has the checkpoint's shapes; says whether one has.
    template <class... M>
    bool use(const std::tuple<tessera::Compiled<M>...>& models, auto&& f) {
        return tessera::any_model(models, [&]<class Model>(const tessera::Compiled<Model>& compiled) {
            names_ += (names_.empty() ? "" : ", ") + std::string(compiled.name);
            if (!has_config()) {
                if (shape_ == compiled.name) f(compiled);
                return shape_ == compiled.name;
            }
            const std::size_t count = tessera::mismatches<Model>(config()).size();
            if (count < fewest_) {
                fewest_ = count;
                nearest_ = compiled.name + (", but " + tessera::mismatch<Model>(config()));
            }
            if (count > 0) return false;
            f(compiled);
            return true;
        });
    }
    /// Throws what to say where none has.
    [[noreturn]] void refuse() const {
        if (!has_config())
            throw tessera::Error(tessera::Errc::option_value, "--shape: expected one of ", names_, ", found ",
                                 tessera::in_quotes(shape_));
        throw tessera::Error(tessera::Errc::config_unsupported, config().file.string(),
                             ": no compiled model has these shapes: of ", names_, " the nearest is ", nearest_,
                             " (`tessera info` prints what a line in examples/tessera/models.hpp needs to add them)");
    }
    /// Throws: where the checkpoint is of a kind that writes no words, which kinds do (`what` is "captions need"); else as refuse.
    /// `first_stage`: whether the Q-Former's own words will do.
    [[noreturn]] void refuse_captions(std::string_view what, bool first_stage) const {
        if (!has_config()) refuse();
        const std::string_view type = config().model_type;
        const bool is_first_stage = type == "blip2_qformer_stage1";
        const auto refuse_kind = [&](const auto&... found) {
            throw tessera::Error(
                tessera::Errc::config_unsupported, config().file.string(), ": ", what,
                " a BLIP-2 with a language model, as Salesforce/blip2-opt-2.7b",
                first_stage ? ", or the head of words of a LAVIS checkpoint of the first stage; " : "; ", found...);
        };
        if (config().root().mentions("architectures", "Blip2ForImageTextRetrieval"))
            refuse_kind("this one is for `tessera match` and `tessera search`");
        if (is_first_stage && !first_stage)
            refuse_kind("this one, of the first stage, is for `tessera caption`, `tessera match` and `tessera search`");
        if (!is_first_stage && type != "blip-2") refuse_kind("found model_type ", tessera::in_quotes(type));
        refuse();
    }

  private:
    const tessera::ModelConfig* config_ = nullptr;
    std::string shape_, names_, nearest_;
    std::size_t fewest_ = std::string::npos;
};

}  // namespace program
