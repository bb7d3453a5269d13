// Gradients of a whole model against the sketches that tests/golden/make/sketch_gradients.py has made of PyTorch's.
#pragma once
#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>
#include <map>
#include <sstream>
#include <tessera/checkpoint/name_map.hpp>
#include <tessera/checkpoint/safetensors.hpp>
#include <tessera/core/split_mix.hpp>
#include <tessera/train/gradients.hpp>

#include "support/compare.hpp"
#include "support/golden.hpp"

namespace tessera::test {

/// Compares the gradient of each parameter with what `folder` has of that kind; what it does not have is 0 but for
/// rounding, measured by the largest there is. With
/// TESSERA_GOLDENS, a folder that make.py has made, each number is compared as well.
inline void check_gradients(const Gradients& gradients, const NameMap& names, const std::string& folder,
                            const std::string& kind, double tolerance) {
    constexpr std::size_t sums = 12;
    const Safetensors file(golden(folder) / "gradients.safetensors");
    const auto sketches = file.tensor(kind).to_floats();
    struct Wanted {
        std::string stored;
        std::span<const float> sketch;
    };
    std::map<std::string, Wanted> wanted;  // by path
    double largest = 0;
    std::istringstream list(file.note(kind));
    std::size_t at = 0;
    for (std::string name; list >> name; at += sums + 1) {
        for (const NameMap::Place& place : names.places(name))
            if (!place.substitute) wanted[place.path] = {name, std::span(sketches).subspan(at, sums + 1)};
        largest = std::max(largest, double{sketches[at + sums]});
    }
    REQUIRE(at == sketches.size());

    const char* const full = std::getenv("TESSERA_GOLDENS");
    std::optional<Safetensors> all;
    if (full != nullptr) all.emplace(std::filesystem::path(full) / folder / "expected.safetensors");

    for (const LearningLeaf& leaf : gradients.leaves()) {
        const auto got =
            gradients.values().subspan(static_cast<std::size_t>(leaf.first), static_cast<std::size_t>(leaf.size()));
        INFO(leaf.path);
        const auto found = wanted.find(leaf.path);
        if (found == wanted.end()) {
            CHECK(std::ranges::all_of(got, [=](float g) { return std::abs(double{g}) <= tolerance * largest; }));
            continue;
        }
        std::array<double, sums> sum{};
        for (std::size_t i = 0; i < got.size(); ++i)
            for (std::size_t k = 0; k < sums; ++k)
                sum[k] += (split_mix(i) >> k & 1) != 0 ? -double{got[i]} : double{got[i]};
        const double rms = double{found->second.sketch[sums]}, unit = rms > 0 ? rms : largest;
        for (std::size_t k = 0; k < sums; ++k) {
            const double error =
                std::abs(sum[k] / std::sqrt(static_cast<double>(got.size())) - double{found->second.sketch[k]}) / unit;
            CHECK(error <= tolerance);
        }
        if (all && rms > 0)
            check_close(leaf.path, got, all->tensor(kind + "." + found->second.stored).to_floats(), tolerance);
        wanted.erase(found);
    }
    for (const auto& [path, want] : wanted) FAIL_CHECK(want.stored << ": no parameter has this gradient");
}

}  // namespace tessera::test
