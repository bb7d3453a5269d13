#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <support/golden.hpp>
#include <support/stored.hpp>
#include <support/temporary_folder.hpp>
#include <tessera/checkpoint/packed.hpp>
#include <tessera/model/blip2/blip2.hpp>

namespace checkpoint_packed {
using namespace tessera;

namespace {

Blip2Tiny loaded(DType weights) {
    Blip2Tiny model;
    load_weights(model, Checkpoint(test::golden("blip2_opt")), {.weight_dtype = weights});
    return model;
}

std::vector<std::byte> all_memory(const auto& model) {
    std::vector<std::byte> out;
    for_each_parameter(model, [&](const std::string&, const auto& leaf) {
        leaf.for_each_block([&](auto block) { out.insert(out.end(), block.begin(), block.end()); });
    });
    return out;
}

/// What loading from `folder` says, with `DIR` for the folder.
std::string refusal(const std::filesystem::path& folder, const LoadOptions& options = {}) {
    try {
        Blip2Tiny model;
        load_packed(model, folder, options);
    } catch (const Error& error) {
        std::string message = error.what();
        for (std::size_t at; (at = message.find(folder.string())) != message.npos;)
            message.replace(at, folder.string().size(), "DIR");
        return message;
    }
    return "not refused";
}

/// Replaces text of a file by as much text.
void edit(const std::filesystem::path& path, const std::string& from, const std::string& to) {
    std::ifstream in(path, std::ios::binary);
    std::string text{std::istreambuf_iterator<char>(in), {}};
    const auto at = text.find(from);
    REQUIRE(at != text.npos);
    REQUIRE(from.size() == to.size());
    text.replace(at, from.size(), to);
    std::ofstream(path, std::ios::binary) << text;
}

}  // namespace

TEST_CASE("packed weights are mapped as they were, whatever they are kept as, and live as long as the model") {
    for (const DType weights : test::weight_dtypes) {
        const test::TemporaryFolder folder;
        const auto to = folder.path() / "packed";
        const auto model = loaded(weights);
        CHECK_FALSE(is_packed(to));
        CHECK(kept_dtype(model) == weights);
        pack(model, test::golden("blip2_opt"), to);
        CHECK(is_packed(to));
        Blip2Tiny mapped;
        load_packed(mapped, to);
        CHECK(parameter_bytes(mapped) == parameter_bytes(model));
        CHECK(all_memory(mapped) == all_memory(model));
        const Blip2Tiny moved = std::move(mapped);
        std::filesystem::remove_all(to);
        CHECK(all_memory(moved) == all_memory(model));
    }
}

TEST_CASE("a mapped weight can be written to, and the file stays as it is") {
    const test::TemporaryFolder folder;
    const auto to = folder.path() / "packed";
    const auto model = loaded(DType::bf16);
    pack(model, test::golden("blip2_opt"), to);
    Blip2Tiny one, other;
    load_packed(one, to);
    const std::vector<float> ones(64, 1.0f);
    one.language.embedding.weight.write(3, ones.data(), 1);
    std::vector<float> row(64);
    one.language.embedding.weight.read(3, row.data());
    CHECK(row == ones);
    load_packed(other, to);
    CHECK(all_memory(other) == all_memory(model));
}

TEST_CASE("packed folders hold what else a checkpoint needs, and no other weights") {
    const test::TemporaryFolder folder;
    const auto to = folder.path() / "packed";
    pack(loaded(DType::i8), test::golden("blip2_opt"), to);
    std::vector<std::string> names;
    for (const auto& file : std::filesystem::directory_iterator(to)) names.push_back(file.path().filename().string());
    std::ranges::sort(names);
    for (const char* needed : {"config.json", "model.tessera", "preprocessor_config.json", "tokenizer.json"})
        CHECK(std::ranges::find(names, needed) != names.end());
    for (const std::string& name : names) {
        CHECK(name.find("safetensors") == name.npos);
        CHECK_FALSE(name.ends_with(".part"));
    }
}

TEST_CASE("weights packed for something else are refused in one sentence that says what to do") {
    const test::TemporaryFolder folder;
    const auto to = folder.path() / "packed";
    const auto source = test::golden("blip2_opt");
    const auto model = loaded(DType::bf16);
    pack(model, source, to);
    const auto file = to / "model.tessera";
    CHECK(refusal(to) == "not refused");
    CHECK(refusal(to, {.weight_dtype = DType::bf16}) == "not refused");
    CHECK(refusal(to, {.weight_dtype = DType::i8}) ==
          "[option.value] DIR/model.tessera: weights are packed as BF16, asked for as I8");

    const std::string panel = R"("panel":")" + std::to_string(kernel::panel_width);
    edit(file, panel, R"("panel":"99)");
    CHECK(refusal(to) == "[checkpoint.format] DIR/model.tessera: expected weights packed with panel " +
                             std::to_string(kernel::panel_width) +
                             ", found 99: pack the checkpoint again on this machine");
    edit(file, R"("panel":"99)", panel);
    edit(file, R"("version":"1")", R"("version":"7")");
    CHECK(refusal(to) ==
          "[checkpoint.format] DIR/model.tessera: expected weights packed with version 1, found 7: pack "
          "the checkpoint again on this machine");
    edit(file, R"("version":"7")", R"("version":"1")");
    edit(file, R"("weights":"BF16")", R"("weights":"F128")");
    CHECK(refusal(to) == "[checkpoint.format] DIR/model.tessera: weights: expected F32, BF16, F16 or I8, found F128");
    edit(file, R"("weights":"F128")", R"("weights":"BF16")");
    edit(file, R"("projection.bias")", R"("projection.bius")");
    CHECK(refusal(to) ==
          "[checkpoint.missing] DIR/model.tessera: 'projection.bias': not found; pack the checkpoint again");
    edit(file, R"("projection.bius")", R"("projection.bias")");
    CHECK(refusal(to) == "not refused");
    { std::ofstream(to / "config.json", std::ios::app) << ' '; }
    CHECK(refusal(to).find(", config.json has changed: pack the checkpoint again") != std::string::npos);

    CHECK_THROWS_WITH_AS(pack(model, source, to),
                         ("[option.value] " + to.string() + ": holds packed weights already").c_str(), Error);
    CHECK_THROWS_WITH_AS(
        pack(model, to, to),
        ("[option.value] " + to.string() + ": expected another folder than that of the checkpoint").c_str(), Error);
    std::filesystem::resize_file(file, 5000);
    CHECK(refusal(to).starts_with("[checkpoint.format] DIR/model.tessera: "));
}

}  // namespace checkpoint_packed
