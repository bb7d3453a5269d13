// Questions about pictures and their answers, to measure a model with.
#pragma once
#include <filesystem>
#include <string>
#include <tessera/train/data/picture_list.hpp>
#include <vector>

namespace tessera::inline TESSERA_ISA {

struct QuestionRow {
    Index picture;  // its number in QuestionFile::pictures()
    std::string question;
    std::vector<std::string> answers;  // any of them is right; at least one
};

/// A data set of questions, JSON lines or one list, as LAVIS has it:
///     {"image": "cats/1.jpg", "question": "what colour is the sofa?", "answer": "red"}
///     {"image": "dogs/7.jpg", "question": "how many dogs?", "answer": ["1", "one"]}
class QuestionFile {
  public:
    /// Pictures lie below `root`, by default beside the file.
    /// errors  Errc::file_open; Errc::file_format names the row, what was expected and what was found
    explicit QuestionFile(const std::filesystem::path& path, const std::filesystem::path& root = {})
        : pictures_(root.empty() ? path.parent_path() : root) {
        pictures_.name_rows(for_each_json_row(path, [&](const JsonValue& json, Index number) {
            QuestionRow row{};
            row.picture = pictures_.add(expect_text(json["image"], "the path of a picture"), number);
            row.question = expect_text(json["question"], "a question");
            for_each_text(json["answer"], [&](std::string_view text) { row.answers.emplace_back(text); });
            rows_.push_back(std::move(row));
        }));
    }

    std::span<const QuestionRow> rows() const { return rows_; }
    const PictureList& pictures() const { return pictures_; }

  private:
    PictureList pictures_;
    std::vector<QuestionRow> rows_;
};

}  // namespace tessera::inline TESSERA_ISA
