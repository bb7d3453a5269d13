// Zip files: those of PyTorch and of others, and such that contradict themselves.
#include <doctest/doctest.h>

#include <functional>
#include <support/torch_files.hpp>
#include <tessera/checkpoint/zip.hpp>

namespace checkpoint_zip {
using namespace tessera;
using test::ZipFile;

namespace {

std::span<const unsigned char> as_bytes(const std::string& file) {
    return {reinterpret_cast<const unsigned char*>(file.data()), file.size()};
}
std::string refusal(const std::string& file) {
    try {
        read_zip(as_bytes(file), "x.pth");
    } catch (const Error& error) {
        const std::string message = error.what(), front = "[checkpoint.format] x.pth: ";
        REQUIRE(message.starts_with(front));
        return message.substr(front.size());
    }
    return "not refused";
}
ZipFile two() { return {{{"a/one", "12345"}, {"a/two", ""}}}; }
std::string refusal_after(const std::function<void(ZipFile&)>& change) {
    ZipFile zip = two();
    change(zip);
    return refusal(zip.bytes());
}
/// The file of `two` with other bytes from `at` on; a negative `at` counts from its end.
std::string refusal_with(std::ptrdiff_t at, std::string_view bytes) {
    std::string file = two().bytes();
    file.replace(static_cast<std::size_t>(at < 0 ? static_cast<std::ptrdiff_t>(file.size()) + at : at), bytes.size(),
                 bytes);
    return refusal(file);
}

// Places in the file of `two`, from its end: the end record, the locator, the large end record, the two records.
constexpr std::ptrdiff_t end_record = -22, locator = end_record - 20, large = locator - 56, second = large - 51,
                         first = second - 51;

}  // namespace

TEST_CASE("entries lie where they are stored, in the order of their names") {
    const std::string file = two().bytes();
    const auto entries = read_zip(as_bytes(file), "x.pth");
    REQUIRE(entries.size() == 2);
    CHECK(entries[0].name == "a/one");
    CHECK(entries[0].bytes.size() == 5);
    CHECK(entries[0].bytes[4] == '5');
    CHECK(entries[0].bytes.data() > as_bytes(file).data());
    CHECK(entries[1].bytes.empty());
    const std::string empty = ZipFile{}.bytes();
    CHECK(read_zip(as_bytes(empty), "x.pth").empty());
}

TEST_CASE("the small end record alone, with a comment; sizes in the header of an entry") {
    ZipFile zip = two();
    for (auto& entry : zip.entries) entry.flags = 0;
    std::string file = zip.bytes();
    const std::size_t size = file.size();
    const std::string end = file.substr(size - 22, 20);
    file = file.substr(0, size - 22 - 20 - 56) + end + test::little(3, 2) + "abc";
    CHECK(read_zip(as_bytes(file), "x.pth").size() == 2);
}

TEST_CASE("numbers that do not fit 32 bits are read from the extra field") {
    std::string file = two().bytes();
    const std::size_t at = file.size() + static_cast<std::size_t>(first);
    const std::string sizes = "\xff\xff\xff\xff\xff\xff\xff\xff",
                      extra = test::little(5, 8) + test::little(5, 8) + test::little(0, 8);
    file.replace(at + 20, 8, sizes);
    file.replace(at + 42, 4, sizes.substr(0, 4));
    CHECK(refusal(file) == "entry 'a/one': its size is not said");
    file.replace(at + 30, 2, test::little(28, 2));
    file.insert(at + 46 + 5, test::little(1, 2) + test::little(24, 2) + extra);
    const std::size_t records = file.size() - 98;
    file.replace(records + 40, 8, test::little(102 + 28, 8));
    file.replace(records + 56 + 8, 8, test::little(records, 8));
    CHECK(refusal(file) == "not refused");
    CHECK(read_zip(as_bytes(file), "x.pth")[0].bytes.size() == 5);
}

TEST_CASE("what cannot be read where it lies") {
    CHECK(refusal_after([](ZipFile& zip) { zip.entries[0].method = 8; }) ==
          "entry 'a/one': expected bytes that are stored as they are, found compressed ones (method 8)");
    CHECK(refusal_after([](ZipFile& zip) { zip.entries[1].flags |= 1; }) ==
          "entry 'a/two': encrypted entries cannot be read");
    CHECK(refusal_with(large + 16, test::little(1, 4)) == "expected a zip file of one part, found one of several");
}

TEST_CASE("directories that contradict the file") {
    CHECK(refusal("") == "expected a zip file, found 0 bytes");
    CHECK(refusal(two().bytes().substr(0, 150)) ==
          "expected a zip file, found none of its directory at the end: the file may be cut off");
    CHECK(refusal(two().bytes() + "x") ==
          "expected a zip file, found none of its directory at the end: the file may be cut off");
    CHECK(refusal_after([](ZipFile& zip) { zip.entries[1].name = zip.entries[1].local_name = "a/one"; }) ==
          "two entries are called 'a/one'");
    CHECK(refusal_after([](ZipFile& zip) { zip.entries[1].local_name = "a/six"; }) ==
          "entry 'a/two': its header says 'a/six'");
    CHECK(refusal_with(first + 42, test::little(64, 4)) == "entry 'a/one': expected its header at byte 64, found none");
    CHECK(refusal_with(first + 42, test::little(0xfffffff0, 4)) ==
          "entry 'a/one': expected its header at byte 4294967280, found none");
    CHECK(refusal_with(first + 20, test::little(6, 4)) == "entry 'a/one': expected 5 bytes, found 6 stored ones");
    CHECK(refusal_with(first + 20, test::little(1000, 4) + test::little(1000, 4)) ==
          "entry 'a/one': expected 1000 bytes from byte 64 on, found the directory at byte 128");
    CHECK(refusal_with(first + 20, test::little(9, 4) + test::little(9, 4)) == "entries 'a/one' and 'a/two' overlap");
    CHECK(refusal_with(second + 42, test::little(0, 4)) == "entry 'a/two': its header says 'a/one'");
    CHECK(refusal_with(22, test::little(4, 4)) ==
          "entry 'a/one': its header contradicts the directory, which says 5 bytes");
    CHECK(refusal_with(8, test::little(8, 2)) ==
          "entry 'a/one': its header contradicts the directory, which says 5 bytes");
    CHECK(refusal_with(large + 32, test::little(~std::uint64_t{0}, 8)) ==
          "the directory: 18446744073709551615 entries do not fit into 102 bytes");
    CHECK(refusal_with(large + 32, test::little(1, 8)) == "the directory: 51 bytes follow the last of 1 entries");
    CHECK(refusal_with(large + 40, test::little(101, 8)) ==
          "the directory: expected at bytes 128 to 230, found 101 bytes");
    CHECK(refusal_with(large + 48, test::little(~std::uint64_t{0}, 8)) ==
          "the directory: expected at bytes 18446744073709551615 to 230, found 102 bytes");
    CHECK(refusal_with(locator + 8, test::little(~std::uint64_t{0} - 10, 8)) ==
          "the directory: its end record is not at byte 18446744073709551605, where it should be");
    CHECK(refusal_with(second + 28, test::little(2000, 2)) == "the directory: the entry at byte 179 reaches beyond it");
    CHECK(refusal_with(second, "XX") == "the directory: expected an entry at byte 179, found none");
}

}  // namespace checkpoint_zip
