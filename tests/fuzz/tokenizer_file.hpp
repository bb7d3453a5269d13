// A tokenizer in one file. A program includes this once and defines `place`, which is the file's name here.
#pragma once
#include <fuzz/folder.hpp>
#include <fuzz/fuzz.hpp>
#include <fuzz/tokens.hpp>
#include <tessera/text/read/tokenizer.hpp>

const std::size_t tessera::fuzz::proportion = 256;

void tessera::fuzz::read(std::string_view bytes) {
    static const Folder folder;
    folder.write(place, bytes);
    use(*read_tokenizer(folder.path()), some_text);
}
