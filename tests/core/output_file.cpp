#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <csignal>
#include <tessera/core/file.hpp>
#include <tessera/core/output_file.hpp>

#include "support/temporary_folder.hpp"

namespace core_output_file {
using namespace tessera;
namespace fs = std::filesystem;

TEST_CASE("a file has its name when it is whole, and not before") {
    const test::TemporaryFolder folder;
    const fs::path path = folder.write("x", "old");
    {
        OutputFile file(path);
        file.write("new, but never finished");
        CHECK(MappedFile(path).text() == "old");
    }
    CHECK(MappedFile(path).text() == "old");
    CHECK(!fs::exists(folder.path() / "x.part"));

    std::string text;
    OutputFile file(path);
    for (int i = 0; i < 300000; ++i) {  // more than the buffer
        const std::string line = std::to_string(i) + '\n';
        file.write(line);
        text += line;
    }
    CHECK(file.size() == std::ssize(text));
    file.commit();
    CHECK(MappedFile(path).text() == text);
    CHECK(!fs::exists(folder.path() / "x.part"));
    replace_file(path, "");
    CHECK(MappedFile(path).text().empty());
}

TEST_CASE("lines are there as soon as they are appended") {
    const test::TemporaryFolder folder;
    const fs::path path = folder.path() / "log";
    AppendFile first(path);
    first.append("one\n");
    CHECK(MappedFile(path).text() == "one\n");
    AppendFile second(path);
    second.append("two\n");
    first.append("three\n");
    CHECK(MappedFile(path).text() == "one\ntwo\nthree\n");
}

TEST_CASE("what cannot be written is an error that says why") {
    const test::TemporaryFolder folder;
    CHECK_THROWS_WITH_AS(OutputFile("/nowhere/x"),
                         "[file.open] /nowhere/x: cannot be written: No such file or directory", Error);
    CHECK_THROWS_WITH_AS(AppendFile("/nowhere/x"),
                         "[file.open] /nowhere/x: cannot be written: No such file or directory", Error);
    CHECK_THROWS_WITH_AS(sync_folder("/nowhere"), "[file.open] /nowhere: cannot be written: No such file or directory",
                         Error);
    CHECK_THROWS_WITH_AS(
        OutputFile(folder.path()),
        ("[file.open] " + folder.path().string() + ": cannot be written: expected a file, found something else")
            .c_str(),
        Error);
    if (!fs::exists("/dev/full")) return;
    AppendFile full("/dev/full");
    CHECK_THROWS_WITH_AS(full.append("x"), "[file.open] /dev/full: cannot be written: No space left on device", Error);
}

TEST_CASE("a file that is larger than there is room for leaves what was there") {
    const test::TemporaryFolder folder;
    const fs::path path = folder.write("x", "old");
    const pid_t child = ::fork();
    if (child == 0) {  // a process of its own, which may write 3000 bytes
        ::signal(SIGXFSZ, SIG_IGN);
        const rlimit limit{3000, 3000};
        int answer = 2;
        if (::setrlimit(RLIMIT_FSIZE, &limit) == 0) {
            try {
                replace_file(path, std::string(4000, 'x'));
                answer = 1;
            } catch (const Error& error) {
                answer = error.what() == "[file.open] " + path.string() + ": cannot be written: File too large" ? 0 : 3;
            }
        }
        ::_exit(answer);
    }
    int status = -1;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 0);
    CHECK(MappedFile(path).text() == "old");
    CHECK(!fs::exists(folder.path() / "x.part"));
}

}  // namespace core_output_file
