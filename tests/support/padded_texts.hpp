// Texts of reference data, which are padded there.
#pragma once
#include <tessera/checkpoint/safetensors.hpp>
#include <tessera/model/qformer/text_batch.hpp>
#include <vector>

namespace tessera::test {

/// What a stored [n, T] has where `mask` is not `hidden`, from column `from` on.
struct UnpaddedTexts {
    std::vector<Token> ids;
    std::vector<Index> starts{0};

    UnpaddedTexts() = default;
    UnpaddedTexts(const Safetensors& file, const std::string& name, const std::string& mask, std::int64_t hidden = 0,
                  std::size_t from = 0) {
        const auto all = file.tensor(name).to<std::int64_t>();
        const auto shown = file.tensor(mask).to<std::int64_t>();
        const auto width = static_cast<std::size_t>(file.tensor(name).shape[1]);
        for (std::size_t i = 0; i < all.size(); ++i) {
            if (i % width >= from && shown[i] != hidden) ids.push_back(static_cast<Token>(all[i]));
            if ((i + 1) % width == 0) starts.push_back(static_cast<Index>(ids.size()));
        }
    }
    operator TextBatch() const { return {ids, starts}; }
};

}  // namespace tessera::test
