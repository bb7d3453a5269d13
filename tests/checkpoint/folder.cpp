#include <doctest/doctest.h>

#include <support/read_json.hpp>
#include <support/temporary_folder.hpp>
#include <support/torch_files.hpp>
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

TEST_CASE("files of torch.save: one or several with an index, and safetensors where there are both") {
    const test::TemporaryFolder folder;
    const Checkpoint golden(test::golden("blip2_opt"));
    test::TorchWriter first, second, both;
    for (const auto& entry : golden.tensors()) (entry.name() < "n" ? first : second).add(*entry.tensor);
    for (const auto& entry : golden.tensors()) both.add(*entry.tensor);
    const auto same = [&](const Checkpoint& checkpoint) {
        CHECK(checkpoint.tensors().size() == golden.tensors().size());
        for (const auto& entry : golden.tensors()) {
            const auto* found = checkpoint.find(entry.name());
            REQUIRE(found != nullptr);
            CHECK(found->tensor->shape == entry.tensor->shape);
            CHECK(std::ranges::equal(found->tensor->bytes, entry.tensor->bytes));
        }
    };
    std::string map;
    for (const auto& entry : golden.tensors())
        (map += (map.empty() ? "\"" : ", \"") + std::string(entry.name())) +=
            entry.name() < "n" ? R"(": "pytorch_model-00001-of-00002.bin")"
                               : R"(": "pytorch_model-00002-of-00002.bin")";
    first.write(folder.path() / "pytorch_model-00001-of-00002.bin");
    second.write(folder.path() / "pytorch_model-00002-of-00002.bin");
    folder.write("pytorch_model.bin.index.json", R"({"weight_map": {)" + map + "}}");
    same(Checkpoint(folder.path()));
    CHECK(Checkpoint(folder.path()).files().size() == 2);
    both.write(folder.path() / "lavis.pth", "model");
    same(Checkpoint(folder.path() / "lavis.pth"));
    both.write(folder.path() / "pytorch_model.bin");
    same(Checkpoint(folder.path()));
    CHECK(Checkpoint(folder.path()).files().size() == 1);
    write_one(folder.path() / "model.safetensors", "x", 1.0f);
    CHECK(Checkpoint(folder.path()).tensors().size() == 1);
}

TEST_CASE("an index of .bin files names no other files") {
    const test::TemporaryFolder folder;
    for (const char* file : {"../x.bin", "x.safetensors"}) {
        folder.write("pytorch_model.bin.index.json", std::string(R"({"weight_map": {"x": ")") + file + "\"}}");
        CHECK_THROWS_WITH_AS(Checkpoint(folder.path()),
                             ("[checkpoint.format] " + (folder.path() / "pytorch_model.bin.index.json").string() +
                              ": weight_map: expected a .bin file of this folder for 'x', found '" + file + '\'')
                                 .c_str(),
                             Error);
    }
}

TEST_CASE("a folder without weights says what was expected, and which file may hold them") {
    const test::TemporaryFolder folder;
    const std::string path = folder.path().string();
    const std::string expected =
        ": expected model.safetensors or pytorch_model.bin, or one of them with .index.json, found ";
    CHECK_THROWS_WITH_AS(Checkpoint(folder.path()), ("[file.open] " + path + expected + "none of them").c_str(), Error);
    folder.write("eva_vit_g.pth", "x");
    CHECK_THROWS_WITH_AS(
        Checkpoint(folder.path()),
        ("[file.open] " + path + expected + "only 'eva_vit_g.pth': give its own path if it holds the weights").c_str(),
        Error);
    CHECK_THROWS_WITH_AS(Checkpoint(folder.path() / "nowhere"),
                         ("[file.open] " + path + "/nowhere" + expected + "no such folder").c_str(), Error);
}

}  // namespace checkpoint_folder
