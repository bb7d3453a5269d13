// tokenizer.json of any kind.
#include <fuzz/folder.hpp>
#include <fuzz/fuzz.hpp>
#include <fuzz/tokens.hpp>
#include <tessera/text/read_tokenizer.hpp>

using namespace tessera;

const std::string_view fuzz::place = "tokenizer.json";
const std::size_t fuzz::proportion = 256;

void fuzz::read(std::string_view bytes) {
    static const Folder folder;
    folder.write("tokenizer.json", bytes);
    use(*read_tokenizer(folder.path()), some_text);
}
