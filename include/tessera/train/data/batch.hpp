// What a training step reads: pictures, texts, and who belongs to whom.
#pragma once
#include <algorithm>
#include <exception>
#include <span>
#include <tessera/kernel/parallel.hpp>
#include <tessera/train/data/caption_file.hpp>
#include <tessera/train/data/image_rows.hpp>
#include <tessera/train/data/sampler.hpp>
#include <tessera/train/data/tokenized_texts.hpp>
#include <tessera/train/data/true_captions.hpp>
#include <vector>

namespace tessera::inline TESSERA_ISA {

/// Row i of each list belongs together. Lies in the CaptionBatches that made it, until it makes the next.
/// shape   images [B·rows, columns]; the others [B]
struct CaptionBatch {
    Index step = 0, epoch = 0;
    std::span<const Index> items;      // rows of the caption file
    std::span<const Index> pictures;   // numbers of CaptionFile::pictures()
    std::span<const Index> captions;   // numbers of CaptionFile::captions()
    std::span<const Index> image_ids;  // those of the rows
    std::span<const Index> groups;     // equal where one's text is true of the other: shared targets, no negatives
    View<const float, dyn, dyn> images;
    TextBatch texts;

    Index size() const { return std::ssize(items); }
};

/// The batches of a caption file, by the number of the step.
///     CaptionBatches batches(file, texts, cached_features(cache), {.batch = 64, .seed = 1});
///     for (Index step = resumed; step < last; ++step) train(batches(step));
/// cost    B·rows·columns floats; after the constructor nothing is allocated but what `images.read` allocates
class CaptionBatches {
  public:
    /// `texts` are the tokens of file.captions(), one for one; both have to outlive this.
    /// errors  Errc::option_value where texts and captions differ in number, and those of Sampler
    CaptionBatches(const CaptionFile& file, const TokenizedTexts& texts, ImageRows images,
                   const SamplerOptions& options)
        : file_(&file),
          texts_(&texts),
          images_(std::move(images)),
          seed_(options.seed),
          sampler_(file.size(), options),
          is_true_(file, expect_all(file, texts)) {
        const Index most = std::min(options.batch, file.size());
        for (auto* list : {&pictures_, &captions_, &image_ids_, &groups_}) list->resize(static_cast<std::size_t>(most));
        errors_.resize(static_cast<std::size_t>(most));
        pixels_ = Buffer<float>(most * images_.rows * images_.columns);
        batch_texts_.reserve(most, most * texts.most_tokens());
    }

    const Sampler& sampler() const { return sampler_; }
    const TrueCaptions& true_captions() const { return is_true_; }

    /// errors  those of `images.read`, of the first item that has one
    CaptionBatch operator()(Index step) {
        const std::span<const Index> items = sampler_.batch(step);
        const Index count = std::ssize(items), epoch = sampler_.epoch(step);
        batch_texts_.clear();
        for (std::size_t i = 0; i < items.size(); ++i) {
            const CaptionRow& row = (*file_)[items[i]];
            captions_[i] = file_->draw_caption(items[i], seed_, epoch);
            pictures_[i] = row.picture;
            image_ids_[i] = row.image_id;
            batch_texts_.push_back((*texts_)[captions_[i]]);
        }
        group(items.size());
        read_images(items, epoch);
        const auto some = [&](const std::vector<Index>& list) { return std::span(list).first(items.size()); };
        return {step,
                epoch,
                items,
                some(pictures_),
                some(captions_),
                some(image_ids_),
                some(groups_),
                {pixels_.data(), {count * images_.rows, images_.columns}},
                batch_texts_};
    }

  private:
    static const TokenizedTexts& expect_all(const CaptionFile& file, const TokenizedTexts& texts) {
        if (texts.count() != std::ssize(file.captions()))
            throw Error(Errc::option_value, "texts: expected one for each of ", file.captions().size(),
                        " captions, found ", texts.count());
        return texts;
    }
    /// The group of a row is the first row that it is alike with, or is alike with one that is alike, and so on.
    void group(std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) {
            groups_[i] = static_cast<Index>(i);
            for (std::size_t j = 0; j < i; ++j) {
                const bool alike = is_true_(image_ids_[i], captions_[j]) || is_true_(image_ids_[j], captions_[i]);
                if (!alike || groups_[i] == groups_[j]) continue;
                const auto [first, second] = std::minmax({groups_[i], groups_[j]});
                std::replace(groups_.begin(), groups_.begin() + static_cast<std::ptrdiff_t>(i) + 1, second, first);
            }
        }
    }
    void read_images(std::span<const Index> items, Index epoch) {
        const auto read = [&](Index i) {
            const auto at = static_cast<std::size_t>(i);
            try {
                images_.read(pictures_[at], epoch, items[at], pixels_.data() + i * images_.rows * images_.columns);
            } catch (...) {
                errors_[at] = std::current_exception();
            }
        };
        kernel::parallel_for_dynamic(std::ssize(items), read);
        std::exception_ptr first;
        for (std::exception_ptr& error : errors_)
            if (const auto found = std::exchange(error, nullptr); found && !first) first = found;
        if (first) std::rethrow_exception(first);
    }

    const CaptionFile* file_;
    const TokenizedTexts* texts_;
    ImageRows images_;
    std::uint64_t seed_;
    Sampler sampler_;
    TrueCaptions is_true_;
    std::vector<Index> pictures_, captions_, image_ids_, groups_;
    std::vector<std::exception_ptr> errors_;
    Buffer<float> pixels_;
    TokenizedTexts batch_texts_;
};

/// The batches of texts without pictures, for a language model.
class TextBatches {
  public:
    /// `texts` have to outlive this.
    /// errors  those of Sampler
    TextBatches(const TokenizedTexts& texts, const SamplerOptions& options)
        : texts_(&texts), sampler_(texts.count(), options) {
        const Index most = std::min(options.batch, texts.count());
        batch_.reserve(most, most * texts.most_tokens());
    }

    const Sampler& sampler() const { return sampler_; }

    /// The texts of a step, until the next one is asked for.
    TextBatch operator()(Index step) {
        batch_.clear();
        for (const Index item : sampler_.batch(step)) batch_.push_back((*texts_)[item]);
        return batch_;
    }

  private:
    const TokenizedTexts* texts_;
    Sampler sampler_;
    TokenizedTexts batch_;
};

}  // namespace tessera::inline TESSERA_ISA
