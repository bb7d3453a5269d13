// Random whole numbers, the same ones on every machine.
#pragma once
#include <tessera/core/split_mix.hpp>
#include <tessera/core/view.hpp>
#include <utility>

namespace scenes {

using tessera::Index;

/// The numbers of one stream: number n depends on the seed, the stream and n, and on nothing else.
class Random {
  public:
    constexpr explicit Random(std::uint64_t seed, std::uint64_t stream = 0)
        : state_(tessera::split_mix(tessera::split_mix(seed) ^ stream)) {}

    constexpr std::uint64_t next() { return tessera::split_mix(state_ += tessera::split_mix_step); }
    /// From 0 to n − 1, all equally likely but for 1 in 2³².
    constexpr Index below(Index n) { return static_cast<Index>((next() >> 32) * static_cast<std::uint64_t>(n) >> 32); }
    /// From `first` to `last`, both among them.
    constexpr int between(int first, int last) { return first + static_cast<int>(below(last - first + 1)); }
    /// True in `percent` of a hundred cases.
    constexpr bool chance(Index percent) { return below(100) < percent; }
    constexpr void shuffle(auto& list) {
        for (std::size_t i = list.size(); i > 1; --i)
            std::swap(list[i - 1], list[static_cast<std::size_t>(below(static_cast<Index>(i)))]);
    }

  private:
    std::uint64_t state_;
};

}  // namespace scenes
