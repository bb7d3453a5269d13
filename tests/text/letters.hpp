// A byte-level vocabulary to build on: one token for each byte, its id the byte.
#pragma once
#include <string>
#include <string_view>
#include <tessera/text/model/bpe.hpp>
#include <tessera/text/vocabulary.hpp>

namespace tessera::test {

inline std::string spelled(unsigned char byte) {
    std::string out;
    append_utf8(out, byte_characters()[byte]);
    return out;
}

inline Vocabulary byte_vocabulary() {
    Vocabulary vocabulary;
    for (unsigned byte = 0; byte < 256; ++byte)
        vocabulary.add(spelled(static_cast<unsigned char>(byte)), static_cast<Token>(byte), "test");
    return vocabulary;
}

}  // namespace tessera::test
