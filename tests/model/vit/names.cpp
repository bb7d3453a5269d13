// Image encoders under the names that LAVIS and OpenAI give their parameters, and with more or fewer layers than are wanted.
#include <doctest/doctest.h>

#include <support/golden.hpp>
#include <support/golden_models.hpp>
#include <support/lavis_names.hpp>
#include <support/temporary_folder.hpp>
#include <tessera/generate/load.hpp>

namespace model_vit_names {
using namespace tessera;

namespace {

/// The numbers of a model whose paths are `wanted`.
std::vector<float> numbers(const auto& model, const std::function<bool(std::string_view)>& wanted) {
    std::vector<float> out;
    for_each_parameter(model, [&](const std::string& path, const auto& leaf) {
        using Leaf = std::remove_cvref_t<decltype(leaf)>;
        if (!wanted(path)) return;
        std::vector<float> row(static_cast<std::size_t>(Leaf::columns));
        for (Index r = 0; r < Leaf::rows; ++r) {
            leaf.read(r, row.data());
            out.insert(out.end(), row.begin(), row.end());
        }
    });
    return out;
}
std::vector<float> numbers(const auto& model) {
    return numbers(model, [](std::string_view) { return true; });
}
bool is_key_bias(std::string_view path) { return path.ends_with("key.bias"); }
bool is_of_eva(std::string_view path) { return !is_key_bias(path) && !path.starts_with("norm."); }

constexpr VitConfig with(VitConfig c, Index layers, bool output_norm) {
    c.layers = layers;
    c.output_norm = output_norm;
    return c;
}
using Clip = Vit<test::golden_clip>;
using Eva = Vit<with(tiny_vit, 3, false)>;

struct Files {
    test::TemporaryFolder folder;
    std::string file(const std::function<void(test::TorchWriter&)>& fill) const {
        test::TorchWriter writer;
        fill(writer);
        const auto path = folder.path() / "x.pth";
        writer.write(path);
        return path.string();
    }
};

}  // namespace

TEST_CASE("CLIP as OpenAI and LAVIS name it, by itself and inside of other files") {
    const Checkpoint golden(test::golden("clip_vision"));
    const auto expected = numbers(load<Clip>(test::golden("clip_vision").string()));
    const Files files;
    for (const char* prefix : {"", "visual.", "visual_encoder."}) {
        CAPTURE(prefix);
        std::string warning;
        std::vector<std::string> buffers;
        const std::string path =
            files.file([&](auto& writer) { test::add_openai_clip(writer, golden, prefix, buffers); });
        CHECK(numbers(load<Clip>(path, {.warn = [&](const std::string& text) { warning = text; }})) == expected);
        CHECK(warning.empty());
    }
}

TEST_CASE("EVA-CLIP by itself, and as LAVIS saves it: keys have no bias") {
    const Checkpoint golden(test::golden("blip2_opt"));
    const auto expected = numbers(load<Vit<tiny_vit>>(test::golden("blip2_opt").string()), is_of_eva);
    const Files files;
    for (const char* prefix : {"", "visual_encoder."}) {
        CAPTURE(prefix);
        const Eva eva = load<Eva>(files.file([&](auto& writer) { test::add_eva(writer, golden, prefix); }));
        CHECK(numbers(eva, is_of_eva) == expected);
        CHECK(numbers(eva, is_key_bias) == std::vector<float>(3 * 64, 0.0f));
    }
}

TEST_CASE("layers after the last that is wanted may stay in the file, and are told of; too few are an error") {
    const Checkpoint golden(test::golden("clip_vision"));
    const Files files;
    std::vector<std::string> buffers;
    const std::string path = files.file([&](auto& writer) { test::add_openai_clip(writer, golden, "", buffers); });
    std::string warning;
    const auto fewer =
        load<Vit<with(test::golden_clip, 3, false)>>(path, {.warn = [&](const std::string& text) { warning = text; }});
    CHECK(fewer.blocks.size() == 3);
    CHECK(warning == path + ": the first 3 of 4 layers of 'blocks' are used");
    using More = Vit<with(test::golden_clip, 6, false)>;
    CHECK_THROWS_WITH_AS(
        load<More>(path),
        ("[checkpoint.missing] 'transformer.resblocks.4.ln_1.weight': expected by the model, not found in " + path +
         ", like 31 other tensors; the model has 6 layers there, the file 4")
            .c_str(),
        Error);
}

TEST_CASE("the depths of BLIP-2 with CLIP's ViT-L/14") {
    static_assert(blip2_clip_vit_l14().layers == 23);
    static_assert(blip2_clip_vit_l14(21).layers == 21);
    static_assert(blip2_clip_vit_l14(22).output_norm && !clip_vit_l14.output_norm);
    static_assert(blip2_clip_vit_l14().output_eps == 1e-5f);
}

}  // namespace model_vit_names
