// Which captions are true of which pictures.
#pragma once
#include <algorithm>
#include <numeric>
#include <tessera/train/data/caption_file.hpp>
#include <tessera/train/data/tokenized_texts.hpp>
#include <utility>
#include <vector>

namespace tessera::inline TESSERA_ISA {

/// A caption is true of a picture if a row with the picture's id has it, or one whose tokens are the same. Contrast shares targets
/// among what is true of each other, matching takes none of it as a negative, and retrieval counts it as found.
/// cost    made once by sorting; 24 bytes a caption; a question is a binary search
class TrueCaptions {
  public:
    /// `texts` are the tokens of file.captions(), one for one.
    TrueCaptions(const CaptionFile& file, const TokenizedTexts& texts) {
        std::vector<Index> order(static_cast<std::size_t>(texts.count()));
        std::iota(order.begin(), order.end(), Index{0});
        std::ranges::sort(order,
                          [&](Index a, Index b) { return std::ranges::lexicographical_compare(texts[a], texts[b]); });
        text_.resize(order.size());
        for (std::size_t i = 0; i < order.size(); ++i) {
            const bool repeats = i > 0 && std::ranges::equal(texts[order[i]], texts[order[i - 1]]);
            text_[static_cast<std::size_t>(order[i])] =
                repeats ? text_[static_cast<std::size_t>(order[i - 1])] : order[i];
        }
        for (Index row = 0; row < file.size(); ++row)
            for (Index i = 0; i < file[row].captions; ++i)
                pairs_.emplace_back(file[row].image_id, text_of(file[row].first_caption + i));
        std::ranges::sort(pairs_);
    }

    /// Whether the caption, a number of CaptionFile::captions(), is true of the pictures with that id.
    bool operator()(Index image_id, Index caption) const {
        return std::ranges::binary_search(pairs_, std::pair{image_id, text_of(caption)});
    }

  private:
    Index text_of(Index caption) const { return text_[static_cast<std::size_t>(caption)]; }

    std::vector<Index> text_;                     // of each caption, one that has the same tokens
    std::vector<std::pair<Index, Index>> pairs_;  // an id, a text: in order
};

}  // namespace tessera::inline TESSERA_ISA
