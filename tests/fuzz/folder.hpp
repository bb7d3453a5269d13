// Foreign bytes as files of a folder.
#pragma once
#include <algorithm>
#include <filesystem>
#include <initializer_list>
#include <string>
#include <string_view>
#include <support/temporary_folder.hpp>

namespace tessera::fuzz {

/// A folder that lasts as long as the program. It begins with copies of `files`.
class Folder : public test::TemporaryFolder {
  public:
    explicit Folder(const std::filesystem::path& from = {}, std::initializer_list<const char*> files = {}) {
        for (const char* file : files) std::filesystem::copy_file(from / file, path() / file);
    }
    /// Writes the parts of `bytes`, which zero bytes separate, as files of these names; for an empty part there is no file.
    /// The last one gets all that is left.
    void write_parts(std::initializer_list<const char*> names, std::string_view bytes) const {
        for (const char* name : names) {
            const bool last = name == names.end()[-1];
            const std::size_t end = last ? bytes.size() : std::min(bytes.find('\0'), bytes.size());
            std::filesystem::remove(path() / name);
            if (end > 0) write(name, bytes.substr(0, end));
            bytes.remove_prefix(std::min(end + 1, bytes.size()));
        }
    }
};

}  // namespace tessera::fuzz
