// Files that are written: whole or not at all, or line by line. A full disk is an error, never a short file.
#pragma once
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <tessera/core/error.hpp>
#include <tessera/core/file.hpp>
#include <tessera/core/tensor.hpp>
#include <utility>

namespace tessera::inline TESSERA_ISA {

namespace detail {

/// A file that is open for writing.
class WritableFile {
  public:
    /// The file `at`; messages name it `path`.
    WritableFile(const std::filesystem::path& at, std::filesystem::path path, int flags)
        : path_(std::move(path)), file_(::open(at.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0666)) {
        if (file_ < 0) fail();
    }
    WritableFile(WritableFile&& other) noexcept
        : path_(std::move(other.path_)), file_(std::exchange(other.file_, -1)) {}
    WritableFile& operator=(WritableFile&&) = delete;
    ~WritableFile() {
        if (file_ >= 0) ::close(file_);
    }

    void write(std::string_view bytes) {
        while (!bytes.empty()) {
            const ssize_t written = ::write(file_, bytes.data(), bytes.size());
            if (written >= 0)
                bytes.remove_prefix(static_cast<std::size_t>(written));
            else if (errno != EINTR)
                fail();
        }
    }
    void sync() {
        if (::fsync(file_) != 0 && errno != EINVAL && errno != EROFS) fail();  // those: not a file on a disk
    }
    void close() {
        if (::close(std::exchange(file_, -1)) != 0) fail();
    }
    [[noreturn]] void fail() const {
        const int reason = errno;
        throw Error(Errc::file_open, path_.string(), ": cannot be written: ", std::strerror(reason));
    }

  private:
    std::filesystem::path path_;
    int file_ = -1;
};

}  // namespace detail

/// Makes it last that files of `folder` were made, renamed or removed, whatever happens to the machine.
/// errors  Errc::file_open
inline void sync_folder(const std::filesystem::path& folder) {
    const int file = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool synced = file >= 0 && (::fsync(file) == 0 || errno == EINVAL);  // some file systems cannot
    const int reason = errno;
    if (file >= 0) ::close(file);
    if (!synced) throw Error(Errc::file_open, folder.string(), ": cannot be written: ", std::strerror(reason));
}

/// A file that is there whole or not at all: until `commit` it is called PATH.part, and a file that was there before stays.
/// errors  Errc::file_open names the path and the system's reason: no such folder, no space left on device; the part is removed
/// cost    a buffer of a megabyte
class OutputFile {
  public:
    explicit OutputFile(std::filesystem::path path)
        : path_(std::move(path)), part_(path_.string() + ".part"), file_(opened()), buffer_(buffer_size) {}
    OutputFile(const OutputFile&) = delete;
    OutputFile& operator=(const OutputFile&) = delete;
    ~OutputFile() {
        std::error_code ignored;
        if (!committed_) std::filesystem::remove(part_, ignored);
    }

    void write(std::span<const std::byte> bytes) {
        size_ += std::ssize(bytes);
        while (!bytes.empty()) {
            const std::size_t count = std::min(bytes.size(), static_cast<std::size_t>(buffer_size - filled_));
            std::memcpy(buffer_.data() + filled_, bytes.data(), count);
            filled_ += static_cast<Index>(count);
            bytes = bytes.subspan(count);
            if (filled_ == buffer_size) flush();
        }
    }
    void write(std::string_view text) { write(std::as_bytes(std::span(text))); }
    /// Bytes so far.
    Index size() const { return size_; }

    /// Waits until the disk has all of it, and gives it its name.
    void commit() {
        flush();
        file_.sync();
        file_.close();
        std::error_code reason;
        std::filesystem::rename(part_, path_, reason);
        if (reason) throw Error(Errc::file_open, path_.string(), ": cannot be written: ", reason.message());
        committed_ = true;
        sync_folder(path_.has_parent_path() ? path_.parent_path() : ".");
    }

  private:
    static constexpr Index buffer_size = Index{1} << 20;

    detail::WritableFile opened() {
        // What is no file, as /dev/full, cannot be replaced by one.
        std::error_code ignored;
        if (std::filesystem::exists(path_, ignored) && !std::filesystem::is_regular_file(path_, ignored))
            throw Error(Errc::file_open, path_.string(), ": cannot be written: expected a file, found something else");
        return {part_, path_, O_TRUNC};
    }
    void flush() {
        file_.write({reinterpret_cast<const char*>(buffer_.data()), static_cast<std::size_t>(filled_)});
        filled_ = 0;
    }

    std::filesystem::path path_, part_;
    detail::WritableFile file_;
    Buffer<std::byte> buffer_;
    Index filled_ = 0, size_ = 0;
    bool committed_ = false;
};

/// Writes a file that is there whole or not at all, as OutputFile.
inline void replace_file(const std::filesystem::path& path, std::string_view text) {
    OutputFile file(path);
    file.write(text);
    file.commit();
}

/// A copy that is there whole or not at all, as OutputFile.
inline void copy_whole(const std::filesystem::path& from, const std::filesystem::path& to) {
    const MappedFile file(from);
    replace_file(to, file.text());
}

/// A file that grows by lines: each is handed to the system at once, so that it is there when the program ends, however it ends.
/// errors  Errc::file_open names the path and the system's reason
class AppendFile {
  public:
    explicit AppendFile(const std::filesystem::path& path) : file_(path, path, O_APPEND) {}
    void append(std::string_view lines) { file_.write(lines); }
    /// Waits until the disk has all of it.
    void sync() { file_.sync(); }

  private:
    detail::WritableFile file_;
};

}  // namespace tessera::inline TESSERA_ISA
