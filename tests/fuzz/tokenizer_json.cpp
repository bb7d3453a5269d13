// tokenizer.json of any kind.
#include <fuzz/tokenizer_file.hpp>

const std::string_view tessera::fuzz::place = "tokenizer.json";
