// One walk over the learned numbers of a model; loading, saving, counting and training all take it.
#pragma once
#include <string>
#include <string_view>
#include <tessera/core/parameter.hpp>

namespace tessera::inline TESSERA_ISA {

namespace detail {
inline std::string joined(const std::string& path, std::string_view name) {
    return path.empty() ? std::string(name) : path + '.' + std::string(name);
}
}  // namespace detail

/// Calls `f(path, leaf)` for every parameter below `layer`. Each layer names its children once:
/// `static void visit(auto& self, auto&& f) { f("weight", self.weight); f("bias", self.bias); }`.
/// Member names joined with '.' are the path; children in a list are `blocks.0`, `blocks.1`, …
void for_each_parameter(auto& layer, auto&& f, const std::string& path = {}) {
    using Layer = std::remove_cvref_t<decltype(layer)>;
    if constexpr (Leaf<Layer>) {
        f(path, layer);
    } else {
        Layer::visit(layer, [&](std::string_view name, auto& child) {
            for_each_parameter(child, f, detail::joined(path, name));
        });
    }
}

/// Names the children of a list: `visit_list("blocks", self.blocks, f)`.
void visit_list(std::string_view name, auto& list, auto&& f) {
    for (std::size_t i = 0; i < list.size(); ++i) f(std::string(name) + '.' + std::to_string(i), list[i]);
}

}  // namespace tessera::inline TESSERA_ISA
