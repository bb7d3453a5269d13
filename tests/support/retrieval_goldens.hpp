// The texts of tests/golden/blip2_itr and stage1, and parts of their tensors, which are padded: here nothing is.
#pragma once
#include <tessera/checkpoint/safetensors.hpp>
#include <tessera/model/qformer/text_batch.hpp>
#include <vector>

#include "support/golden_numbers.hpp"
#include "support/padded_texts.hpp"

namespace tessera::test {

struct RetrievalGolden {
    std::filesystem::path path;
    Safetensors file;
    std::vector<Token> ids;
    std::vector<Index> starts{0};

    explicit RetrievalGolden(std::string_view folder, const std::string& name = "input_ids")
        : path(golden(folder)), file(golden_expected(folder)) {
        const UnpaddedTexts all(file, name, "attention_mask");
        ids = all.ids, starts = all.starts;
    }
    TextBatch texts() const { return {ids, starts}; }

    std::vector<float> all(const std::string& name) const { return golden_numbers(file, name); }
    /// The first `count` rows of entry `index` of a stored [entries, rows, width].
    std::vector<float> rows(const std::string& name, Index index, Index count) const {
        const auto [shape, values] = GoldenNumbers(file, name);
        const auto begin = values.begin() + index * shape[1] * shape[2];
        return {begin, begin + count * shape[2]};
    }
};

}  // namespace tessera::test
