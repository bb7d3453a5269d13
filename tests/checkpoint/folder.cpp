#include <doctest/doctest.h>

#include <support/read_json.hpp>
#include <support/temporary_folder.hpp>
#include <tessera/checkpoint/folder.hpp>
#include <tessera/checkpoint/save.hpp>

#include "support/rounded_golden.hpp"

namespace checkpoint_folder {
using namespace tessera;

namespace {

void write_one(const std::filesystem::path& path, const std::string& name, float value) {
    SafetensorsWriter writer;
    writer.add(name, {1}, &value);
    writer.write(path);
}

}  // namespace

TEST_CASE("tensors are found across shards, each with its file") {
    const Checkpoint sharded(test::golden("blip2_opt"));
    CHECK(sharded.files().size() == 3);
    const Json index = test::read_json(test::golden("blip2_opt/model.safetensors.index.json"));
    CHECK(sharded.tensors().size() == index["weight_map"].size());
    for (const auto& [name, file] : index["weight_map"].items()) {
        const Checkpoint::Entry* entry = sharded.find(name);
        REQUIRE(entry != nullptr);
        CHECK(entry->file->path().filename().string() == file);
    }
    CHECK(sharded.find("nothing") == nullptr);

    const Checkpoint single(test::golden_checkpoint("blip2_opt_bf16"));
    REQUIRE(single.tensors().size() == sharded.tensors().size());
    for (std::size_t i = 0; i < single.tensors().size(); ++i)
        CHECK(single.tensors()[i].name() == sharded.tensors()[i].name());
}

TEST_CASE("a safetensors file by itself is a checkpoint too") {
    const Checkpoint file(test::golden("opt/model.safetensors"));
    CHECK(file.tensors().size() == Checkpoint(test::golden("opt")).tensors().size());
    CHECK(file.folder() == test::golden("opt"));
}

TEST_CASE("how much a checkpoint holds, of each type") {
    const auto f32 = Checkpoint(test::golden("blip2_opt")).amounts();
    const auto b16 = Checkpoint(test::golden_checkpoint("blip2_opt_bf16")).amounts();
    REQUIRE((f32.size() == 1 && b16.size() == 1));
    CHECK(f32.at(DType::f32).bytes == 4 * f32.at(DType::f32).numbers);
    CHECK(b16.at(DType::bf16).bytes == 2 * b16.at(DType::bf16).numbers);
    CHECK(f32.at(DType::f32).numbers == b16.at(DType::bf16).numbers);
    const JsonFile index(test::golden("blip2_opt/model.safetensors.index.json"));
    CHECK(index.root()["metadata"]["total_size"].number() == static_cast<double>(f32.at(DType::f32).bytes));
    const auto clip = Checkpoint(test::golden("clip_vision")).amounts();
    CHECK(clip.at(DType::i64).tensors == 2);
    CHECK(clip.at(DType::i64).numbers == 33);
}

TEST_CASE("where two shards hold a tensor, the index says which counts") {
    const test::TemporaryFolder folder;
    write_one(folder.path() / "a.safetensors", "x", 1.0f);
    write_one(folder.path() / "b.safetensors", "x", 2.0f);
    for (const char* file : {"a", "b"}) {
        folder.write("model.safetensors.index.json",
                     std::string(R"({"weight_map": {"x": ")") + file + R"(.safetensors", "y": "c.safetensors"}})");
        write_one(folder.path() / "c.safetensors", "y", 3.0f);
        folder.write("model.safetensors.index.json",
                     std::string(R"({"weight_map": {"x": ")") + file + R"(.safetensors"}})");
        CHECK(Checkpoint(folder.path()).find("x")->tensor->to_floats().at(0) == (file[0] == 'a' ? 1.0f : 2.0f));
    }
}

TEST_CASE("names that leave the folder are refused as text, whatever they would lead to") {
    const test::TemporaryFolder folder;
    write_one(folder.path() / "x.safetensors", "x", 1.0f);
    for (const char* file : {"../x.safetensors", "/etc/passwd", "a/../x.safetensors", "./x.safetensors",
                             "sub/x.safetensors", "..\\\\x.safetensors", "..", ".", "", "x.safetensors\\u0000",
                             "x\\n.safetensors", "\\u007f.safetensors", "config.json", "pytorch_model.bin"}) {
        folder.write("model.safetensors.index.json", std::string(R"({"weight_map": {"x": ")") + file + "\"}}");
        CAPTURE(file);
        try {
            Checkpoint(folder.path());
            FAIL_CHECK("not refused");
        } catch (const Error& error) {
            CHECK(error.code == Errc::checkpoint_format);
            CHECK(std::string(error.what()).find("expected a .safetensors file of this folder for 'x', found ") !=
                  std::string::npos);
        }
    }
    folder.write("model.safetensors.index.json", R"({"weight_map": {"x": "x.safetensors"}})");
    CHECK(Checkpoint(folder.path()).tensors().size() == 1);
}

TEST_CASE("a file that is a link is followed: downloaded models consist of links") {
    const test::TemporaryFolder blobs, folder;
    write_one(blobs.path() / "0123abcd", "x", 5.0f);
    std::filesystem::create_symlink(blobs.path() / "0123abcd", folder.path() / "model.safetensors");
    CHECK(Checkpoint(folder.path()).find("x")->tensor->to_floats().at(0) == 5.0f);
}

TEST_CASE("a folder without weights says what was expected, and what to do about Python's files") {
    const test::TemporaryFolder folder;
    const std::string path = folder.path().string();
    const std::string expected = path + ": expected model.safetensors or model.safetensors.index.json, found ";
    CHECK_THROWS_WITH_AS(Checkpoint(folder.path()), ("[file.open] " + expected + "neither").c_str(), Error);
    folder.write("pytorch_model.bin", "x");
    CHECK_THROWS_WITH_AS(Checkpoint(folder.path()),
                         ("[file.open] " + expected +
                          "only 'pytorch_model.bin', which holds Python objects and is not read: save the model as "
                          "safetensors")
                             .c_str(),
                         Error);
    CHECK_THROWS_WITH_AS(Checkpoint(folder.path() / "nowhere"),
                         ("[file.open] " + path +
                          "/nowhere: expected model.safetensors or model.safetensors.index.json, found no such folder")
                             .c_str(),
                         Error);
}

}  // namespace checkpoint_folder
