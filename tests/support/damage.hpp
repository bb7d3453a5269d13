// Damage to files, the same in every span.
#pragma once
#include <algorithm>
#include <cstdint>
#include <vector>

namespace tessera::test {

/// Makes broken files from good ones: bytes changed, bits turned, parts cut out, repeated or cut off.
class Damage {
  public:
    explicit Damage(std::uint32_t seed) : state_(seed) {}

    std::vector<unsigned char> operator()(std::vector<unsigned char> file) {
        for (std::uint32_t times = 1 + draw(4); times > 0 && !file.empty(); --times) {
            const auto size = static_cast<std::uint32_t>(file.size());
            const std::uint32_t from = draw(size), to = std::min(size, from + 1 + draw(20));
            const auto at = file.begin() + from, end = file.begin() + to;
            switch (draw(6)) {
                case 0:
                    *at = static_cast<unsigned char>(draw(256));
                    break;
                case 1:
                    *at = static_cast<unsigned char>(*at ^ 1u << draw(8));
                    break;
                case 2:
                    std::fill(at, end, static_cast<unsigned char>(draw(2) * 255));
                    break;
                case 3:
                    file.erase(at, end);
                    break;
                case 4: {
                    const std::vector<unsigned char> part(at, end);
                    file.insert(at, part.begin(), part.end());
                    break;
                }
                default:
                    if (draw(4) == 0) file.erase(at, file.end());
            }
        }
        return file;
    }

  private:
    std::uint32_t draw(std::uint32_t below) {
        state_ = state_ * 1664525u + 1013904223u;
        return static_cast<std::uint32_t>(std::uint64_t{state_} * below >> 32);
    }
    std::uint32_t state_;
};

}  // namespace tessera::test
