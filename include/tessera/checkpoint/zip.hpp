// The zip format as far as PyTorch uses it: entries that are stored as they are, so that they can be read where they lie
// in the mapped file. (Libraries for zip files hand out copies, not places.)
#pragma once
#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <tessera/core/error.hpp>
#include <tessera/core/printable.hpp>
#include <vector>

namespace tessera::inline TESSERA_ISA {

struct ZipEntry {
    std::string_view name;
    std::span<const unsigned char> bytes;
};

namespace detail {

/// `count` bytes from `at` on as a number, lowest first.
inline std::uint64_t little_endian(std::span<const unsigned char> bytes, std::size_t at, std::size_t count) {
    TESSERA_EXPECTS(at <= bytes.size() && count <= bytes.size() - at && count <= 8);
    std::uint64_t number = 0;
    for (std::size_t i = count; i-- > 0;) number = number << 8 | bytes[at + i];
    return number;
}

class ZipReader {
  public:
    ZipReader(std::span<const unsigned char> file, std::string_view place) : file_(file), place_(place) {}

    std::vector<ZipEntry> read() {
        find_directory();
        for (std::uint64_t i = 0; i < count_; ++i) read_entry();
        if (at_ != end_) fail("the directory: ", end_ - at_, " bytes follow the last of ", count_, " entries");
        check_overlap();
        std::ranges::sort(entries_, {}, &ZipEntry::name);
        const auto twice = std::ranges::adjacent_find(entries_, {}, &ZipEntry::name);
        if (twice != entries_.end()) fail("two entries are called ", shown(twice->name));
        return std::move(entries_);
    }

  private:
    static constexpr std::uint64_t in_extra = 0xffffffff;  // a 32-bit number that is too small for what it should say
    struct Extent {
        std::uint64_t header, end;  // from an entry's header to the end of its bytes
    };

    template <class... Parts>
    [[noreturn]] void fail(const Parts&... parts) const {
        throw Error(Errc::checkpoint_format, place_, ": ", parts...);
    }
    static std::string shown(std::string_view name) {
        constexpr std::size_t longest = 80;  // names may have 65535 bytes
        return '\'' + printable(name, longest) + '\'';
    }
    std::uint64_t number(std::uint64_t at, std::size_t size) const {
        return little_endian(file_, static_cast<std::size_t>(at), size);
    }
    std::string_view text(std::uint64_t at, std::uint64_t size) const {
        return {reinterpret_cast<const char*>(file_.data()) + at, static_cast<std::size_t>(size)};
    }

    /// The end record is the last thing in the file, but for a comment; the directory lies before it.
    void find_directory() {
        constexpr std::size_t end_record = 22, longest_comment = 0xffff;
        if (file_.size() < end_record) fail("expected a zip file, found ", file_.size(), " bytes");
        std::uint64_t at = file_.size() - end_record;
        const std::uint64_t first = at - std::min<std::uint64_t>(at, longest_comment);
        const auto is_end = [&] {
            return number(at, 4) == 0x06054b50 && number(at + 20, 2) == file_.size() - end_record - at;
        };
        while (at > first && !is_end()) --at;
        if (!is_end()) fail("expected a zip file, found none of its directory at the end: the file may be cut off");
        bool one_disk = number(at + 4, 4) == 0;
        std::uint64_t records = at, size = number(at + 12, 4);
        count_ = number(at + 10, 2);
        at_ = number(at + 16, 4);
        constexpr std::size_t locator = 20, large_end_record = 56;
        if (at >= locator && number(at - locator, 4) == 0x07064b50) {
            const std::uint64_t large = number(at - locator + 8, 8), last = at - locator;
            if (last < large_end_record || large > last - large_end_record || number(large, 4) != 0x06064b50)
                fail("the directory: its end record is not at byte ", large, ", where it should be");
            one_disk = number(large + 16, 8) == 0;
            records = large;
            count_ = number(large + 32, 8);
            size = number(large + 40, 8);
            at_ = number(large + 48, 8);
        }
        if (!one_disk) fail("expected a zip file of one part, found one of several");
        if (at_ > records || size != records - at_)
            fail("the directory: expected at bytes ", at_, " to ", records, ", found ", size, " bytes");
        directory_ = at_;
        end_ = records;
        if (count_ > size / directory_record)
            fail("the directory: ", count_, " entries do not fit into ", size, " bytes");
        entries_.reserve(static_cast<std::size_t>(count_));
        extents_.reserve(static_cast<std::size_t>(count_));
    }

    void read_entry() {
        if (end_ - at_ < directory_record || number(at_, 4) != 0x02014b50)
            fail("the directory: expected an entry at byte ", at_, ", found none");
        const std::uint64_t name_size = number(at_ + 28, 2), extra_size = number(at_ + 30, 2);
        const std::uint64_t whole = directory_record + name_size + extra_size + number(at_ + 32, 2);
        if (whole > end_ - at_) fail("the directory: the entry at byte ", at_, " reaches beyond it");
        const std::string_view name = text(at_ + directory_record, name_size);
        const auto wrong = [&](const auto&... parts) { fail("entry ", shown(name), ": ", parts...); };

        const std::uint64_t flags = number(at_ + 8, 2), method = number(at_ + 10, 2);
        if (method != 0)
            wrong("expected bytes that are stored as they are, found compressed ones (method ", method, ')');
        if ((flags & 1) != 0) wrong("encrypted entries cannot be read");
        std::uint64_t packed = number(at_ + 20, 4), size = number(at_ + 24, 4), header = number(at_ + 42, 4);
        if (!large_numbers(at_ + directory_record + name_size, extra_size, {&size, &packed, &header}))
            wrong("its size is not said");
        if (packed != size) wrong("expected ", size, " bytes, found ", packed, " stored ones");

        if (header > directory_ || directory_ - header < local_record || number(header, 4) != 0x04034b50)
            wrong("expected its header at byte ", header, ", found none");
        const std::uint64_t local_name = number(header + 26, 2), local_extra = number(header + 28, 2);
        const std::uint64_t data = header + local_record + local_name + local_extra;
        if (data > directory_ || size > directory_ - data)
            wrong("expected ", size, " bytes from byte ", data, " on, found the directory at byte ", directory_);
        if (text(header + local_record, local_name) != name)
            wrong("its header says ", shown(text(header + local_record, local_name)));
        std::uint64_t local_packed = number(header + 18, 4), local_size = number(header + 22, 4);
        const bool later = (flags & 8) != 0 && local_size == 0 && local_packed == 0;  // said after the bytes only
        const bool said = large_numbers(header + local_record + local_name, local_extra, {&local_size, &local_packed});
        if (number(header + 8, 2) != 0 || (!later && (!said || local_size != size || local_packed != size)))
            wrong("its header contradicts the directory, which says ", size, " bytes");

        entries_.push_back({name, file_.subspan(static_cast<std::size_t>(data), static_cast<std::size_t>(size))});
        extents_.push_back({header, data + size});
        at_ += whole;
    }

    /// Replaces those of `numbers` that are too large for 32 bits with what the extra fields say, in that order.
    bool large_numbers(std::uint64_t at, std::uint64_t size, std::initializer_list<std::uint64_t*> numbers) const {
        const std::uint64_t end = at + size;
        auto wanted = numbers.begin();
        const auto skip = [&] { wanted = std::find_if(wanted, numbers.end(), [](auto* n) { return *n == in_extra; }); };
        skip();
        while (wanted != numbers.end() && end - at >= 4) {
            std::uint64_t left = std::min(number(at + 2, 2), end - at - 4);
            const bool is_large = number(at, 2) == 1;
            at += 4;
            for (; is_large && wanted != numbers.end() && left >= 8; left -= 8, at += 8) {
                **wanted++ = number(at, 8);
                skip();
            }
            at += left;
        }
        return wanted == numbers.end();
    }

    /// No byte belongs to two entries.
    void check_overlap() {
        std::vector<std::size_t> order(entries_.size());
        for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
        std::ranges::sort(order, {}, [&](std::size_t i) { return extents_[i].header; });
        for (std::size_t i = 1; i < order.size(); ++i)
            if (extents_[order[i]].header < extents_[order[i - 1]].end)
                fail("entries ", shown(entries_[order[i - 1]].name), " and ", shown(entries_[order[i]].name),
                     " overlap");
    }

    static constexpr std::uint64_t directory_record = 46, local_record = 30;

    std::span<const unsigned char> file_;
    std::string_view place_;
    std::uint64_t directory_ = 0, at_ = 0, end_ = 0, count_ = 0;
    std::vector<ZipEntry> entries_;
    std::vector<Extent> extents_;
};

}  // namespace detail

/// The entries of a zip file in the order of their names, each a part of `file`. Checksums are not: they would cost as much as
/// reading all the weights.
/// errors  Errc::checkpoint_format, beginning with `place`: compressed or encrypted entries, entries that overlap, and all
///         in which the directory, the headers and the length of the file contradict each other
/// cost    48 bytes an entry
/// source  PKWARE's APPNOTE.TXT 6.3, 4.3 to 4.5
inline std::vector<ZipEntry> read_zip(std::span<const unsigned char> file, std::string_view place) {
    return detail::ZipReader(file, place).read();
}

}  // namespace tessera::inline TESSERA_ISA
