// spiece.model: a Unigram vocabulary in a protocol buffer.
#include <fuzz/tokenizer_file.hpp>

const std::string_view tessera::fuzz::place = "spiece.model";
