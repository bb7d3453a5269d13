// A file of captions, of questions, or of documents.
#include <fuzz/folder.hpp>
#include <fuzz/fuzz.hpp>
#include <tessera/text/caption_text.hpp>
#include <tessera/train/data/caption_file.hpp>
#include <tessera/train/data/question_file.hpp>
#include <tessera/train/data/text_file.hpp>

using namespace tessera;

const std::string_view fuzz::place = "data.json";
const std::size_t fuzz::proportion = 1 << 10;

void fuzz::read(std::string_view bytes) {
    static const Folder folder;
    folder.write("data.json", bytes);
    try {
        const CaptionFile captions(folder.path() / "data.json");
        for (Index row = 0; row < captions.size(); ++row) {
            fuzz::expect(captions[row].picture < captions.pictures().size(), "a picture of the list");
            for (const std::string& caption : captions.captions(row))
                fuzz::expect(find_invalid_utf8(caption_text(caption) + question_text(caption)) == caption.npos,
                             "UTF-8");
        }
    } catch (const Error&) {
        const bool questions = bytes.find("question") != bytes.npos;
        if (!questions) read_documents(folder.path() / "data.json");
        if (questions) QuestionFile{folder.path() / "data.json"};
    }
}
