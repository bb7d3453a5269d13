// vocab.json and, after a zero byte, merges.txt.
#include <fuzz/folder.hpp>
#include <fuzz/fuzz.hpp>
#include <fuzz/tokens.hpp>
#include <tessera/text/read/tokenizer.hpp>

using namespace tessera;

const std::string_view fuzz::place = "/tessera_";  // the folder
const std::size_t fuzz::proportion = 256;

void fuzz::read(std::string_view bytes) {
    static const Folder folder;
    folder.write_parts({"vocab.json", "merges.txt"}, bytes);
    use(*read_tokenizer(folder.path()), some_text);
}
