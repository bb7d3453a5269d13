// Numbers of tests/golden, of which tests/golden/make/thin.py leaves a part.
#pragma once
#include <cstdlib>
#include <sstream>
#include <string>
#include <tessera/checkpoint/safetensors.hpp>
#include <vector>

#include "support/compare.hpp"
#include "support/golden.hpp"

namespace tessera::test {

/// The file of what the reference computes from the folder NAME. With TESSERA_GOLDENS, a folder that make.py has made, it is
/// the one there, which has every number.
inline std::filesystem::path golden_expected(std::string_view name) {
    const char* const full = std::getenv("TESSERA_GOLDENS");
    const auto folder = full == nullptr ? golden(name) : std::filesystem::path(full) / name;
    return folder / "expected.safetensors";
}

/// A tensor as the reference has it. Where the file has every n-th number the others are `left_out`, and check_close passes over
/// them; where it has pixels as places in a table, they are looked up.
struct GoldenNumbers {
    std::vector<Index> shape;
    std::vector<float> values;

    GoldenNumbers(const Safetensors& file, const std::string& name) {
        const StoredTensor& stored = file.tensor(name);
        std::istringstream note(file.note(name));
        std::string kept, of;
        Index stride = 1;
        if (!(note >> kept)) {
            shape.assign(stored.shape.begin(), stored.shape.end());
            values = stored.to_floats();
            return;
        }
        if (kept == "every") note >> stride;
        note >> of;
        REQUIRE(of == "of");
        Index size = 1;
        for (Index extent; note >> extent; size *= extent) shape.push_back(extent);
        values.assign(static_cast<std::size_t>(size), left_out());
        if (kept == "every") {
            const auto some = stored.to_floats();
            REQUIRE(static_cast<Index>(some.size()) == (size + stride - 1) / stride);
            for (std::size_t i = 0; i < some.size(); ++i) values[i * static_cast<std::size_t>(stride)] = some[i];
            return;
        }
        REQUIRE(kept == "levels");
        const auto levels = file.tensor(name + ".levels").to_floats();  // [channel, 256]
        const auto places = stored.to<std::uint8_t>();
        REQUIRE(places.size() == values.size());
        const auto plane = static_cast<std::size_t>(shape[shape.size() - 2] * shape[shape.size() - 1]);
        for (std::size_t i = 0; i < values.size(); ++i) values[i] = levels[i / plane % 3 * 256 + places[i]];
    }

    /// Entry `index` of the first extent.
    std::vector<float> part(std::size_t index) const {
        const std::size_t size = values.size() / static_cast<std::size_t>(shape.at(0));
        const auto first = values.begin() + static_cast<std::ptrdiff_t>(index * size);
        return {first, first + static_cast<std::ptrdiff_t>(size)};
    }
};

inline std::vector<float> golden_numbers(const Safetensors& file, const std::string& name) {
    return GoldenNumbers(file, name).values;
}
inline std::vector<float> golden_part(const Safetensors& file, const std::string& name, std::size_t index) {
    return GoldenNumbers(file, name).part(index);
}

}  // namespace tessera::test
