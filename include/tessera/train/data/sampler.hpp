// Which items a training step reads.
#pragma once
#include <algorithm>
#include <numeric>
#include <span>
#include <tessera/core/random_stream.hpp>
#include <vector>

namespace tessera::inline TESSERA_ISA {

struct SamplerOptions {
    Index batch = 1;
    std::uint64_t seed = 0;
    bool shuffle = true;    // else items come in order
    bool drop_last = true;  // of an epoch, the items that do not fill a batch; which ones differs from epoch to epoch
};

/// The batches of all epochs, by the number of the step: nothing else is remembered, so a run that goes on from step n reads what it
/// would have read.
/// errors  Errc::option_value where there is nothing to read
/// cost    8 bytes an item; a shuffle where an epoch begins; allocates nothing after the constructor
class Sampler {
  public:
    Sampler(Index items, const SamplerOptions& options) : options_(options) {
        if (options.batch < 1) throw Error(Errc::option_value, "batch: expected at least 1, found ", options.batch);
        if (items < (options.drop_last ? options.batch : 1))
            throw Error(Errc::option_value, "expected at least ", options.drop_last ? options.batch : 1,
                        " items, enough for a batch, found ", items);
        order_.resize(static_cast<std::size_t>(items));
        reorder(0);
    }

    Index items() const { return static_cast<Index>(order_.size()); }
    Index steps_per_epoch() const { return (items() + (options_.drop_last ? 0 : options_.batch - 1)) / options_.batch; }
    Index epoch(Index step) const { return step / steps_per_epoch(); }

    /// The items of a step, counted from 0 on through all epochs. Valid until a step of another epoch is asked for.
    std::span<const Index> batch(Index step) {
        TESSERA_EXPECTS(step >= 0);
        if (epoch(step) != epoch_) reorder(epoch(step));
        const Index first = step % steps_per_epoch() * options_.batch;
        return std::span(order_).subspan(static_cast<std::size_t>(first),
                                         static_cast<std::size_t>(std::min(options_.batch, items() - first)));
    }

  private:
    /// source  Fisher and Yates, by Durstenfeld 1964
    void reorder(Index epoch) {
        constexpr std::uint64_t use = 0x73687566666c65;  // "shuffle"
        epoch_ = epoch;
        std::iota(order_.begin(), order_.end(), Index{0});
        if (!options_.shuffle) return;
        RandomStream random(options_.seed, use, epoch);
        for (std::size_t i = order_.size(); i > 1; --i)
            std::swap(order_[i - 1], order_[static_cast<std::size_t>(random.below(static_cast<Index>(i)))]);
    }

    SamplerOptions options_;
    Index epoch_ = 0;
    std::vector<Index> order_;  // of the items in epoch_
};

}  // namespace tessera::inline TESSERA_ISA
