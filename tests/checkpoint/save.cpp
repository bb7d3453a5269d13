#include <doctest/doctest.h>

#include <cstdlib>
#include <tessera/checkpoint/safetensors.hpp>
#include <tessera/checkpoint/save.hpp>

namespace checkpoint_save {
using namespace tessera;

TEST_CASE("what is written is read back, scalars and empty tensors too") {
    const auto path = std::filesystem::temp_directory_path() / "tessera_save_test.safetensors";
    const float values[] = {1, -2.5f, 3, 0, 5, 6};
    const std::int64_t ids[] = {7, -1};
    SafetensorsWriter writer;
    writer.add("b.rows", {2, 3}, values);
    writer.add("a \"quoted\" name", {2}, ids);
    writer.add("one", {}, values + 1);
    writer.add("none", {0, 3}, values);
    writer.note("made of", "\"this\"");
    writer.write(path);
    {
        const Safetensors file(path);
        CHECK(file.tensors().size() == 4);
        CHECK(file.tensor("b.rows").to_floats() == std::vector<float>(values, values + 6));
        CHECK(file.tensor("b.rows").shape == std::vector<Index>{2, 3});
        CHECK(file.tensor("a \"quoted\" name").to<std::int64_t>() == std::vector<std::int64_t>{7, -1});
        CHECK(file.tensor("one").to_floats() == std::vector<float>{-2.5f});
        CHECK(file.tensor("none").size == 0);
        CHECK(file.note("made of") == "\"this\"");
        CHECK(file.note("else").empty());
    }
    std::filesystem::remove(path);
}

TEST_CASE("a file that cannot be replaced stays as it was") {
    const auto folder = std::filesystem::temp_directory_path() / "tessera_save_folder";
    std::filesystem::create_directories(folder / "x.safetensors" / "in the way");
    SafetensorsWriter writer;
    CHECK_THROWS_AS(writer.write(folder / "x.safetensors"), Error);
    CHECK(std::filesystem::is_directory(folder / "x.safetensors" / "in the way"));
    CHECK(!std::filesystem::exists(folder / "x.safetensors.part"));
    std::filesystem::remove_all(folder);
}

TEST_CASE("a name twice, and a place that cannot be written, are errors") {
    const float x = 1;
    SafetensorsWriter writer;
    writer.add("x", {1}, &x);
    CHECK_THROWS_WITH_AS(writer.add("x", {1}, &x), "[checkpoint.format] 'x': added twice", Error);
    CHECK_THROWS_WITH_AS(writer.write("/nowhere/x.safetensors"),
                         "[file.open] /nowhere/x.safetensors: cannot be written: No such file or directory", Error);
}

}  // namespace checkpoint_save
