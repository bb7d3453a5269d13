// The numbers that describe a toy: a perceptron of several layers.
#pragma once
#include <optional>
#include <tessera/core/activation.hpp>
#include <tessera/core/view.hpp>

namespace tessera::inline TESSERA_ISA {

struct ToyConfig {
    Index width = 8;
    Index hidden = 16;
    Index layers = 2;
    Activation activation = Activation::gelu;
    friend constexpr bool operator==(const ToyConfig&, const ToyConfig&) = default;

    static constexpr const char *type_name = "ToyConfig", *role = "toy";
    static void visit(auto&& f) {
        f("width", &ToyConfig::width), f("hidden", &ToyConfig::hidden), f("layers", &ToyConfig::layers);
        f("activation", &ToyConfig::activation);
    }
    static std::optional<ToyConfig> read(const auto& config) {
        if (config.model_type != "toy") return {};
        const auto settings = config.root();
        ToyConfig c;
        c.width = settings.width("hidden_size", c.width);
        c.hidden = settings.width("intermediate_size", c.hidden);
        c.layers = settings.layers(c.layers);
        c.activation = settings.activation("hidden_act", "gelu");
        return c;
    }
};

consteval ToyConfig checked(ToyConfig c) {
    if (c.width <= 0 || c.hidden <= 0 || c.layers < 0) throw "ToyConfig: sizes must be positive";
    return c;
}

}  // namespace tessera::inline TESSERA_ISA
