#include <tessera/train/data/true_captions.hpp>

#include <doctest/doctest.h>

#include <cctype>
#include <string>

#include "support/temporary_folder.hpp"

namespace train_data_true_captions {
using namespace tessera;

TEST_CASE(
    "a caption is true of the pictures with an id that some row gives it, in whatever spelling with the same tokens") {
    const test::TemporaryFolder folder;
    const CaptionFile file(folder.write("c.jsonl",
                                        "{\"image\": \"a\", \"captions\": [\"red\", \"boat\"], \"image_id\": 1}\n"
                                        "{\"image\": \"b\", \"captions\": [\"BOAT\", \"sea\"], \"image_id\": 2}\n"
                                        "{\"image\": \"c\", \"caption\": \"sky\", \"image_id\": 1}\n"
                                        "{\"image\": \"d\", \"caption\": \"boats\", \"image_id\": 3}\n"));
    const TokenizedTexts texts(file.captions(), [](std::string text) {
        for (char& c : text) c = static_cast<char>(std::tolower(c));
        return std::vector<Token>(text.begin(), text.end());
    });
    const TrueCaptions is_true(file, texts);
    const bool want[3][6] = {{true, true, true, false, true, false},
                             {false, true, true, true, false, false},
                             {false, false, false, false, false, true}};
    for (Index id = 0; id < 3; ++id)
        for (Index caption = 0; caption < 6; ++caption) {
            CAPTURE(id);
            CAPTURE(caption);
            CHECK(is_true(id, caption) == want[id][caption]);
        }
    CHECK(!is_true(3, 0));
}

}  // namespace train_data_true_captions
