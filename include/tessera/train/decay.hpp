// Which parameters weight decay pulls towards zero.
#pragma once
#include <tessera/train/gradients.hpp>

namespace tessera::inline TESSERA_ISA {

/// Decays matrices and tables: whatever has two extents or more, and is no bias. Gains, biases and other vectors are not decayed.
/// The references differ in two parameters of BLIP-2:
///
/// |                  | queries [1, Q, D] | temperature |                                                                      |
/// |------------------|-------------------|-------------|----------------------------------------------------------------------|
/// | Decay::paper()   | decayed           | not         | "a weight decay of 0.05", read as usual: not what has one number     |
/// | Decay::lavis()   | decayed           | decayed     | LAVIS leaves out names in .bias and what has one extent; temp has none |
/// | Decay{.queries = false} | not        | not         | learned inputs as vectors, as others do with prompts                 |
/// source  BLIP-2 §3.4; LAVIS, models/base_model.py, get_optimizer_params
struct Decay {
    bool queries = true;
    bool temperature = false;

    static constexpr Decay paper() { return {}; }
    static constexpr Decay lavis() { return {.queries = true, .temperature = true}; }

    bool operator()(const LearningLeaf& parameter) const {
        const auto is = [&](std::string_view name) {
            const std::string_view path = parameter.path;
            return path.ends_with(name) && (path.size() == name.size() || path[path.size() - name.size() - 1] == '.');
        };
        if (is("temperature")) return temperature;
        if (is("queries")) return queries;
        return parameter.leaf.extents().size() >= 2 && !is("bias");
    }
};

}  // namespace tessera::inline TESSERA_ISA
