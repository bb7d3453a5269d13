// What others call the parameters of a toy.
#pragma once
#include <tessera/checkpoint/name_map.hpp>

namespace tessera::inline TESSERA_ISA {

inline constexpr NameLine toy_lines[] = {
    {"layers.#.up", "h.#.fc_in", NameKind::linear},
    {"layers.#.down", "h.#.fc_out", NameKind::linear},
    {"norm", "ln_f", NameKind::norm},
};

inline NameMap toy_names() {
    NameMap names;
    return names.add("", "transformer.", toy_lines).ignore({"lm_head.*"});
}

}  // namespace tessera::inline TESSERA_ISA
