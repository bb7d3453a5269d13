// Files of the world outside: opened read-only, mapped into memory, never trusted.
#pragma once
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <span>
#include <string>
#include <tessera/core/error.hpp>
#include <tessera/core/view.hpp>
#include <utility>

namespace tessera::inline TESSERA_ISA {

/// A whole file as bytes, mapped read-only; pages are read when they are touched.
/// errors  Errc::file_open names the path and the system's reason
class MappedFile {
  public:
    MappedFile() = default;
    explicit MappedFile(const std::filesystem::path& path) {
        const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
        if (file < 0) throw Error(Errc::file_open, path.string(), ": ", std::strerror(errno));
        struct stat about {};
        const bool known = ::fstat(file, &about) == 0;
        const bool regular = known && S_ISREG(about.st_mode);
        if (regular && about.st_size > 0) {
            const auto size = static_cast<std::size_t>(about.st_size);
            void* data = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file, 0);
            if (data != MAP_FAILED) bytes_ = {static_cast<const unsigned char*>(data), size};
        }
        const int reason = errno;
        ::close(file);
        if (!known) throw Error(Errc::file_open, path.string(), ": ", std::strerror(reason));
        if (!regular) throw Error(Errc::file_open, path.string(), ": expected a file, found something else");
        if (about.st_size > 0 && bytes_.empty())
            throw Error(Errc::file_open, path.string(), ": cannot be mapped: ", std::strerror(reason));
    }
    MappedFile(MappedFile&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}
    MappedFile& operator=(MappedFile&& other) noexcept {
        std::swap(bytes_, other.bytes_);
        return *this;
    }
    ~MappedFile() {
        if (!bytes_.empty()) ::munmap(const_cast<unsigned char*>(bytes_.data()), bytes_.size());
    }

    std::span<const unsigned char> bytes() const { return bytes_; }
    std::string_view text() const { return {reinterpret_cast<const char*>(bytes_.data()), bytes_.size()}; }

    /// Lets pages be written to: those that are become this process's own, the file stays as it is.
    /// errors  Errc::file_open
    void allow_writing() const {
        if (!bytes_.empty() &&
            ::mprotect(const_cast<unsigned char*>(bytes_.data()), bytes_.size(), PROT_READ | PROT_WRITE) != 0)
            throw Error(Errc::file_open, "a mapped file cannot be made writable: ", std::strerror(errno));
    }
    /// Asks the system to read `part` from the disk meanwhile.
    void fetch(std::span<const unsigned char> part) const { advise(part, MADV_WILLNEED); }
    /// Enters the pages inside `part` in this process's table at once, read from the disk where they are not in memory: a page at a
    /// time, when it is touched, takes several times as long.
    void populate(std::span<const unsigned char> part) const {
#if defined(MADV_POPULATE_READ)
        advise(part, MADV_POPULATE_READ);
#else
        fetch(part);
#endif
    }
    /// Gives the pages inside `part` back to the system; they are read again if they are touched again.
    void forget(std::span<const unsigned char> part) const { advise(part, MADV_DONTNEED); }

  private:
    static void advise(std::span<const unsigned char> part, int advice) {
        const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
        const auto begin = (reinterpret_cast<std::uintptr_t>(part.data()) + page - 1) / page * page;
        const auto end = reinterpret_cast<std::uintptr_t>(part.data() + part.size()) / page * page;
        if (begin < end) ::madvise(reinterpret_cast<void*>(begin), end - begin, advice);
    }

    std::span<const unsigned char> bytes_;
};

}  // namespace tessera::inline TESSERA_ISA
