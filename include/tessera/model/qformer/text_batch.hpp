// Texts of any length side by side, and which of them belong to which picture.
#pragma once
#include <span>
#include <tessera/core/token.hpp>
#include <tessera/core/view.hpp>

namespace tessera::inline TESSERA_ISA {

/// Texts one after another, of any length and without padding: text i is ids[starts[i]], …, ids[starts[i + 1] − 1].
/// shape   ids [sum of T], starts [texts + 1], from 0 to the number of ids
struct TextBatch {
    std::span<const Token> ids;
    std::span<const Index> starts;

    Index count() const { return static_cast<Index>(starts.size()) - 1; }
    std::span<const Token> operator[](Index i) const {
        const Index begin = starts[static_cast<std::size_t>(i)];
        return ids.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(length(i)));
    }
    Index length(Index i) const {
        return starts[static_cast<std::size_t>(i) + 1] - starts[static_cast<std::size_t>(i)];
    }
};

/// A picture and a text that are read together, by their numbers.
struct ImageTextPair {
    Index image, text;
};

}  // namespace tessera::inline TESSERA_ISA
