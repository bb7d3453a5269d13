#include <doctest/doctest.h>

#include <checkpoint/toy.hpp>
#include <set>
#include <support/golden.hpp>
#include <support/golden_models.hpp>
#include <support/temporary_folder.hpp>
#include <tessera/checkpoint/save_weights.hpp>
#include <tessera/model/blip2/blip2.hpp>
#include <tessera/model/blip2/retrieval.hpp>
#include <tessera/model/qformer/stage1.hpp>
#include <tessera/nn/randomize.hpp>

namespace checkpoint_save_weights {
using namespace tessera;

namespace {

/// Loads a golden model, saves it, and compares the file with the one it came from, byte by byte.
template <class Model>
void check_golden(std::string_view name, bool like_it, std::optional<DType> weights = {}) {
    INFO(std::string(name));
    const Checkpoint source(test::golden(name));
    Model model;
    const LoadReport report = load_weights(model, source, {.weight_dtype = weights});
    const test::TemporaryFolder folder;
    const auto path = folder.path() / "model.safetensors";
    SaveOptions options;
    if (like_it) options.prefers = names_in(source);
    save_weights(model, path, options);
    const Safetensors saved(path);
    CHECK(saved.note("format") == "pt");
    std::set<std::string> names;
    for (const StoredTensor& tensor : saved.tensors()) {
        INFO(tensor.name);
        names.insert(tensor.name);
        const Checkpoint::Entry* const original = source.find(tensor.name);
        REQUIRE(original != nullptr);
        CHECK(tensor.shape == original->tensor->shape);
        if (tensor.type == original->tensor->type)
            CHECK(std::ranges::equal(tensor.bytes, original->tensor->bytes));
        else  // vectors are kept as floats
            CHECK(tensor.to_floats() == original->tensor->to_floats());
    }
    CHECK(names == std::set<std::string>(report.used.begin(), report.used.end()));
    Model again;
    CHECK(load_weights(again, Checkpoint(path)).unexpected.empty());
}

constexpr OptConfig tiny{
    .vocabulary = 24, .width = 8, .heads = 2, .hidden = 16, .layers = 2, .positions = 10, .embedding = 8};

struct Own {
    Weight<20, 6> weight;
    Parameter<20> bias;
    static void visit(auto& self, auto&& f) {
        f("weight", self.weight);
        f("bias", self.bias);
    }
};

}  // namespace

TEST_CASE("a model that was loaded is saved as it was, under the same names") {
    check_golden<Blip2Tiny>("blip2_opt", false);
    check_golden<Opt<test::golden_opt_350m>>("opt_350m_style", false);
    check_golden<T5<test::golden_t5>>("t5", true);
    check_golden<Blip2ItmTiny>("blip2_itr", true);
    check_golden<Vit<test::golden_clip>>("clip_vision", true);
    check_golden<Blip2Stage1<QFormer<test::golden_stage1>>>("stage1", true);
}

TEST_CASE("weights of 16 bits stay, those of 8 bits are written as what they stand for") {
    for (const DType kept : {DType::f32, DType::bf16, DType::f16, DType::i8}) {
        Own model, again;
        randomize(model, 3, kept);
        const test::TemporaryFolder folder;
        save_weights(model, folder.path() / "x.safetensors", {.notes = {{"step", "3"}}});
        const Safetensors file(folder.path() / "x.safetensors");
        CHECK(file.tensor("weight").type == (kept == DType::i8 ? DType::f32 : kept));
        CHECK(file.tensor("bias").type == DType::f32);
        CHECK(file.note("step") == "3");
        std::vector<float> row(6);
        const std::vector<float> saved = file.tensor("weight").to_floats();
        for (Index i = 0; i < 20; ++i) {
            model.weight.read(i, row.data());
            CHECK(std::equal(row.begin(), row.end(), saved.begin() + i * 6));
        }
    }
}

TEST_CASE("some of the parameters") {
    test::ToyOpt<tiny> model;
    for (const NamedLeaf& leaf : leaves_of(model)) leaf.leaf.allocate(DType::f32);
    model.norm.weight.fill(3);
    model.norm.bias.fill(4);
    const test::TemporaryFolder folder;
    save_weights(model, folder.path() / "x.safetensors",
                 {.saves = [](std::string_view path) { return path.starts_with("norm."); }});
    const Safetensors file(folder.path() / "x.safetensors");
    CHECK(file.tensors().size() == 2);
    CHECK(file.tensor("model.decoder.final_layer_norm.bias").to_floats() == std::vector<float>(8, 4.0f));
}

TEST_CASE("what a checkpoint has no place for is refused, and a full disk is") {
    static constexpr NameLine one[] = {{"weight", "w", NameKind::matrix}};
    static constexpr NameLine third[] = {{"layer", "w", NameKind::query}};
    Own own;
    randomize(own, 1);
    const auto leaves = leaves_of(own);
    const test::TemporaryFolder folder;
    const auto file = folder.path() / "x.safetensors";
    CHECK_THROWS_WITH_AS(detail::save_weights(leaves, NameMap().add("", "", one), file, {}),
                         "[checkpoint.format] saving 'bias': has no name in a checkpoint", Error);
    const NamedLeaf query{"layer.weight", leaves[0].leaf};
    CHECK_THROWS_WITH_AS(
        detail::save_weights(std::span(&query, 1), NameMap().add("", "", third), file, {}),
        "[checkpoint.format] saving 'w.weight': expected queries, keys and values together, found only "
        "some of them",
        Error);
    const NamedLeaf twice[] = {{"weight", leaves[0].leaf}, {"weight", leaves[0].leaf}};
    CHECK_THROWS_WITH_AS(detail::save_weights(twice, NameMap().add("", "", one), file, {}),
                         "[checkpoint.format] saving 'weight': another parameter is saved as 'w' too", Error);
    CHECK_THROWS_WITH_AS(save_weights(own, "/nowhere/x.safetensors"),
                         "[file.open] /nowhere/x.safetensors: cannot be written: No such file or directory", Error);
    CHECK(!std::filesystem::exists(file));
}

}  // namespace checkpoint_save_weights
