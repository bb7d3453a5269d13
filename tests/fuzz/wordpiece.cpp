// vocab.txt: a WordPiece vocabulary.
#include <fuzz/tokenizer_file.hpp>

const std::string_view tessera::fuzz::place = "vocab.txt";
