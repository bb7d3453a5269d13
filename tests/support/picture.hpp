// A mask as text: rows are queries, # is visible, rows are set off by |.
#pragma once
#include <string>
#include <tessera/mask/mask.hpp>

namespace tessera::test {

template <Mask M>
std::string picture(const M& mask, Index queries, Index keys, Index head = 0) {
    std::string text;
    for (Index query = 0; query < queries; ++query) {
        if (query > 0) text += '|';
        for (Index key = 0; key < keys; ++key) text += mask.allows({head, query, key}) ? '#' : '.';
    }
    return text;
}

}  // namespace tessera::test
