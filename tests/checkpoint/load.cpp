#include <doctest/doctest.h>
#include <unistd.h>

#include <checkpoint/toy.hpp>
#include <fstream>
#include <mutex>
#include <support/golden_models.hpp>
#include <support/stored.hpp>
#include <support/temporary_folder.hpp>
#include <tessera/checkpoint/load.hpp>
#include <tessera/checkpoint/model_config.hpp>
#include <tessera/checkpoint/save.hpp>
#include <tessera/model/blip2/blip2.hpp>
#include <tessera/model/config.hpp>

#include "support/rounded_golden.hpp"

namespace checkpoint_load {
using namespace tessera;
using test::TemporaryFolder;

namespace {

/// The parameter at `path`, as floats.
std::vector<float> values(auto& model, const std::string& path) {
    std::vector<float> out;
    for_each_parameter(model, [&](const std::string& at, const auto& leaf) {
        if (at != path) return;
        using Leaf = std::remove_cvref_t<decltype(leaf)>;
        out.resize(static_cast<std::size_t>(Leaf::rows * Leaf::columns));
        for (Index row = 0; row < Leaf::rows; ++row) leaf.read(row, out.data() + row * Leaf::columns);
    });
    return out;
}

/// Checks each parameter of `model` against the tensor that its names say it is.
template <class Model>
void check_filled(Model& model, const Checkpoint& checkpoint, DType stored) {
    const LoadPlan plan = plan_load(tensor_specs(model), checkpoint, names_of<Model>());
    auto match = plan.matches.begin();
    for_each_parameter(model, [&](const std::string& path, const auto& leaf) {
        using Leaf = std::remove_cvref_t<decltype(leaf)>;
        CAPTURE(path);
        REQUIRE(match->spec.path == path);
        const auto all = match->tensor().to_floats();
        const Index offset = match->layout.offset(match->spec);
        auto rounded = all;
        test::round_as(stored, rounded.data() + offset, Leaf::rows, Leaf::columns);
        std::vector<float> row(static_cast<std::size_t>(Leaf::columns));
        bool same = true;
        for (Index r = 0; r < Leaf::rows; ++r) {
            leaf.read(r, row.data());
            for (Index c = 0; c < Leaf::columns; ++c) {
                const auto at = static_cast<std::size_t>(offset + r * Leaf::columns + c);
                const float y = row[static_cast<std::size_t>(c)];
                same = same && (y == all[at] || y == rounded[at] ||
                                (stored == DType::i8 && y == to_float(to_bf16(all[at]))));  // a HeadWeight
            }
        }
        CHECK(same);
        ++match;
    });
}

template <class Model>
void check_golden(const char* folder) {
    CAPTURE(folder);
    const Checkpoint checkpoint(test::golden_checkpoint(folder));
    CHECK(mismatches<Model>(ModelConfig(test::golden_checkpoint(folder))).empty());
    for (const DType stored : test::weight_dtypes) {
        Model model;
        const LoadReport report = load_weights(model, checkpoint, {.weight_dtype = stored});
        CHECK(report.parameters == parameter_count(model));
        CHECK(report.unexpected.empty());
        CHECK(report.used.size() + report.copies.size() + report.ignored.size() == checkpoint.tensors().size());
        check_filled(model, checkpoint, stored);
        Index bytes = 0;
        for_each_parameter(model, [&]<class L>(const std::string&, const L&) { bytes += L::bytes_as(stored); });
        CHECK(bytes == parameter_bytes(model));
    }
}

/// Writes one tensor after another.
struct Writer {
    SafetensorsWriter writer;
    void add(const std::string& name, std::vector<Index> shape, const std::function<float(Index)>& f) {
        Index size = 1;
        for (const Index extent : shape) size *= extent;
        std::vector<float> x(static_cast<std::size_t>(size));
        for (Index i = 0; i < size; ++i) x[static_cast<std::size_t>(i)] = f(i);
        writer.add(name, shape, x.data());
    }
};

constexpr OptConfig tiny{
    .vocabulary = 24, .width = 8, .heads = 2, .hidden = 16, .layers = 2, .positions = 10, .embedding = 8};

/// A checkpoint of random weights for `tiny`, whose tensors pass through `edit(name, shape)`, which may rename them.
void write_tiny(const TemporaryFolder& folder, const std::function<std::string(const std::string&)>& rename,
                const std::function<void(Writer&)>& more = {}) {
    Writer writer;
    for (const test::StoredShape& tensor : test::stored_shapes(test::ToyOpt<tiny>()))
        if (const std::string name = rename(tensor.name); !name.empty())
            writer.add(name, tensor.shape, [](Index i) { return static_cast<float>(i % 17) - 8; });
    if (more) more(writer);
    writer.writer.write(folder.path() / "model.safetensors");
}

std::string refusal(const TemporaryFolder& folder, const LoadOptions& options = {}) {
    try {
        test::ToyOpt<tiny> model;
        load_weights(model, Checkpoint(folder.path()), options);
    } catch (const Error& error) {
        std::string message = error.what();
        for (std::size_t at; (at = message.find(folder.path().string() + '/')) != message.npos;)
            message.erase(at, folder.path().string().size() + 1);
        return message;
    }
    return "not refused";
}

}  // namespace

TEST_CASE("the golden models take every tensor of their checkpoints") {
    check_golden<Blip2Tiny>("blip2_opt");
    check_golden<Blip2Tiny>("blip2_opt_bf16");
    check_golden<Blip2Tiny>("blip2_opt_f16");
    check_golden<Opt<tiny_opt>>("opt");
    check_golden<Opt<test::golden_opt_350m>>("opt_350m_style");
    check_golden<Vit<test::golden_clip>>("clip_vision");
}

TEST_CASE("one part of a BLIP-2 checkpoint can be loaded alone") {
    const Checkpoint checkpoint(test::golden("blip2_opt"));
    Vit<tiny_vit> vision;
    QFormer<tiny_qformer> qformer;
    Opt<tiny_opt> language;
    Blip2Tiny whole;
    load_weights(whole, checkpoint);
    const auto check = [&](auto& part, const std::string& prefix) {
        CHECK(load_weights(part, checkpoint).unexpected.empty());
        for (const TensorSpec& spec : tensor_specs(part))
            CHECK(values(part, spec.path) == values(whole, prefix + spec.path));
    };
    check(vision, "vision.");
    check(qformer, "qformer.");
    check(language, "language.");
}

TEST_CASE("fused projections are cut into three, and a key bias that is not stored is zeros") {
    constexpr VitConfig c{.image = 4, .patch = 2, .width = 6, .heads = 2, .hidden = 8, .layers = 1};
    const TemporaryFolder folder;
    Writer writer;
    const auto count = [](Index i) { return static_cast<float>(i); };
    writer.add("visual_encoder.patch_embed.proj.weight", {6, 3, 2, 2}, count);
    writer.add("visual_encoder.patch_embed.proj.bias", {6}, count);
    writer.add("visual_encoder.cls_token", {1, 1, 6}, count);
    writer.add("visual_encoder.pos_embed", {1, 5, 6}, count);
    for (const char* norm : {"norm1", "norm2"})
        for (const char* part : {".weight", ".bias"})
            writer.add(std::string("visual_encoder.blocks.0.") + norm + part, {6}, count);
    writer.add("visual_encoder.blocks.0.attn.qkv.weight", {18, 6}, count);
    writer.add("visual_encoder.blocks.0.attn.q_bias", {6}, count);
    writer.add("visual_encoder.blocks.0.attn.v_bias", {6}, [](Index i) { return static_cast<float>(100 + i); });
    writer.add("visual_encoder.blocks.0.attn.proj.weight", {6, 6}, count);
    writer.add("visual_encoder.blocks.0.attn.proj.bias", {6}, count);
    writer.add("visual_encoder.blocks.0.mlp.fc1.weight", {8, 6}, count);
    writer.add("visual_encoder.blocks.0.mlp.fc1.bias", {8}, count);
    writer.add("visual_encoder.blocks.0.mlp.fc2.weight", {6, 8}, count);
    writer.add("visual_encoder.blocks.0.mlp.fc2.bias", {6}, count);
    writer.add("ln_vision.weight", {6}, count);
    writer.add("ln_vision.bias", {6}, count);
    writer.writer.write(folder.path() / "model.safetensors");

    test::ToyVit<c> model;
    const LoadReport report = load_weights(model, Checkpoint(folder.path()));
    CHECK(report.parameters == parameter_count(model));
    CHECK(report.unexpected.empty());
    CHECK(report.ignored.empty());
    CHECK(values(model, "blocks.0.attention.query.weight").at(35) == 35);
    CHECK(values(model, "blocks.0.attention.key.weight").at(0) == 36);
    CHECK(values(model, "blocks.0.attention.key.weight").at(35) == 71);
    CHECK(values(model, "blocks.0.attention.value.weight").at(0) == 72);
    CHECK(values(model, "blocks.0.attention.query.bias") == std::vector<float>{0, 1, 2, 3, 4, 5});
    CHECK(values(model, "blocks.0.attention.key.bias") == std::vector<float>(6, 0.0f));
    CHECK(values(model, "blocks.0.attention.value.bias").at(5) == 105);
    CHECK(values(model, "class_token").at(5) == 5);
    CHECK(values(model, "position").at(29) == 29);
    CHECK(values(model, "norm.bias").at(3) == 3);
}

TEST_CASE("prefixes, the tied output layer under either name or both") {
    test::ToyOpt<tiny> expected, found;
    const TemporaryFolder usual, bare, tied, both, inside;
    const auto same = [](const std::string& name) { return name; };
    write_tiny(usual, same);
    load_weights(expected, Checkpoint(usual.path()));
    const auto check = [&](const TemporaryFolder& folder, std::size_t copies) {
        found = {};
        const LoadReport report = load_weights(found, Checkpoint(folder.path()));
        CHECK(report.copies.size() == copies);
        CHECK(report.unexpected.empty());
        for (const TensorSpec& spec : tensor_specs(found))
            CHECK(values(found, spec.path) == values(expected, spec.path));
    };
    write_tiny(bare, [](const std::string& name) { return name.substr(std::string_view("model.").size()); });
    check(bare, 0);
    write_tiny(tied, [](const std::string& name) {
        return name == "model.decoder.embed_tokens.weight" ? "lm_head.weight" : name;
    });
    check(tied, 0);
    write_tiny(inside, [](const std::string& name) { return "language_model." + name; });
    check(inside, 0);
    write_tiny(both, same, [](Writer& writer) {
        writer.add("lm_head.weight", {24, 8}, [](Index i) { return static_cast<float>(i % 17) - 8; });
        writer.add("model.decoder.embed_positions.position_ids", {1, 12}, [](Index) { return 0.0f; });
    });
    check(both, 1);
}

TEST_CASE("an output layer of its own is refused, not ignored") {
    const TemporaryFolder folder;
    write_tiny(
        folder, [](const std::string& name) { return name; },
        [](Writer& writer) {
            writer.add("lm_head.weight", {24, 8}, [](Index i) { return static_cast<float>(i == 191); });
        });
    CHECK(
        refusal(folder) ==
        "[checkpoint.unexpected] 'lm_head.weight': expected the numbers of 'model.decoder.embed_tokens.weight', which "
        "the model has in its place, found others (model.safetensors)");
}

TEST_CASE("all that is missing is counted, and named as this checkpoint would name it") {
    const TemporaryFolder folder, bare;
    write_tiny(folder,
               [](const std::string& name) { return name.find("layers.1.") == name.npos ? name : std::string(); });
    CHECK(refusal(folder) ==
          "[checkpoint.missing] 'model.decoder.layers.1.self_attn_layer_norm.weight': expected by the model, not "
          "found in model.safetensors, like 15 other tensors; the model has 2 layers there, the file 1");
    write_tiny(bare, [](const std::string& name) {
        return name == "model.decoder.final_layer_norm.bias" ? std::string() : name.substr(6);
    });
    CHECK(refusal(bare) ==
          "[checkpoint.missing] 'decoder.final_layer_norm.bias': expected by the model, not found in "
          "model.safetensors");
}

TEST_CASE("nothing of a model is touched unless all of it can be filled") {
    const TemporaryFolder folder;
    write_tiny(folder,
               [](const std::string& name) { return name == "model.decoder.final_layer_norm.bias" ? "x" : name; });
    test::ToyOpt<tiny> model;
    CHECK_THROWS_AS(load_weights(model, Checkpoint(folder.path())), Error);
    for_each_parameter(model, [](const std::string&, const auto& leaf) { CHECK_FALSE(leaf.is_set()); });
}

TEST_CASE("numbers that no weight can be: the place is named") {
    const auto with = [](const TemporaryFolder& folder, float bad) {
        write_tiny(
            folder,
            [](const std::string& name) { return name == "model.decoder.layers.1.fc2.weight" ? std::string() : name; },
            [=](Writer& writer) {
                writer.add("model.decoder.layers.1.fc2.weight", {8, 16}, [=](Index i) { return i == 53 ? bad : 1.0f; });
            });
    };
    const TemporaryFolder folder;
    const std::string place = "[checkpoint.value] 'model.decoder.layers.1.fc2.weight': row 3, column 5: ";
    with(folder, -std::numeric_limits<float>::infinity());
    CHECK(refusal(folder) == place + "expected a finite number, found -inf (model.safetensors)");
    with(folder, std::numeric_limits<float>::max());
    CHECK(refusal(folder) == "not refused");
    CHECK(refusal(folder, {.weight_dtype = DType::bf16}) ==
          place + "expected a finite number of bfloat16, found 3.40282e+38 (model.safetensors)");
    with(folder, 65519.0f);
    CHECK(refusal(folder, {.weight_dtype = DType::f16}) == "not refused");
    with(folder, -65520.0f);
    CHECK(refusal(folder, {.weight_dtype = DType::i8}) == "not refused");
    CHECK(refusal(folder, {.weight_dtype = DType::f16}) ==
          place + "expected a finite number of float16, found -65520 (model.safetensors)");
    CHECK(refusal(folder, {.weight_dtype = DType::f64}) ==
          "[option.value] weight_dtype: expected F32, BF16, F16 or I8, found F64");
}

namespace {

struct Mine {
    test::ToyLinear<3, 5> first;
    Parameter<2, 2, 2> cube;
    static void visit(auto& self, auto&& f) {
        f("first", self.first);
        f("cube", self.cube);
    }
};

}  // namespace

TEST_CASE("a model of no known family is filled by its own paths") {
    const TemporaryFolder folder;
    Writer writer;
    const auto count = [](Index i) { return static_cast<float>(i); };
    writer.add("first.weight", {5, 3}, count);
    writer.add("first.bias", {5}, count);
    writer.add("cube", {2, 2, 2}, count);
    writer.add("second.bias", {5}, count);
    writer.writer.write(folder.path() / "model.safetensors");
    Mine model;
    const LoadReport report = load_weights(model, Checkpoint(folder.path()));
    CHECK(values(model, "first.weight").at(14) == 14);
    CHECK(values(model, "cube").at(7) == 7);
    CHECK(report.unexpected == std::vector<std::string>{"second.bias"});
    CHECK(report.warning() == "not used, since the model has no place for it: 'second.bias'");
}

namespace {

struct Tall {
    Parameter<1000, 501> table;  // 21 blocks of 48 rows
    static void visit(auto& self, auto&& f) { f("table", self.table); }
};

}  // namespace

TEST_CASE("threads share the rows of a tensor: every number arrives, and of several bad ones the first is named") {
    const TemporaryFolder folder;
    const auto write = [&](std::initializer_list<Index> bad_rows) {
        Writer writer;
        writer.add("table", {1000, 501}, [&](Index i) {
            const bool bad = i % 501 == 500 && std::ranges::find(bad_rows, i / 501) != bad_rows.end();
            return bad ? std::numeric_limits<float>::infinity() : static_cast<float>(i);
        });
        writer.writer.write(folder.path() / "model.safetensors");
        return Checkpoint(folder.path());
    };
    for (const int threads : {1, 2, 3}) {
        CAPTURE(threads);
        kernel::set_threads(threads);
        Tall model;
        load_weights(model, write({}));
        Index same = 0;
        for (Index i = 0; i < 1000 * 501; ++i) same += model.table.data()[i] == static_cast<float>(i) ? 1 : 0;
        CHECK(same == 1000 * 501);
        CHECK_THROWS_WITH_AS(load_weights(model, write({999, 333, 700})),
                             "[checkpoint.value] 'table': row 333, column 500: expected a finite number, found inf "
                             "(model.safetensors)",
                             Error);
    }
    kernel::set_threads(2);
}

namespace {

struct Matrix {
    Weight<100, 37> weight;
    static void visit(auto& self, auto&& f) { f("weight", self.weight); }
};

}  // namespace

TEST_CASE("rows of bf16 become panels as they are, from any address") {
    const TemporaryFolder folder;
    std::vector<bf16> numbers(100 * 37);
    for (std::size_t i = 0; i < numbers.size(); ++i)
        numbers[i] = bf16{static_cast<std::uint16_t>(i * 16 % 0x7f00 | i % 2 << 15)};
    const auto write = [&](std::string header) {
        std::string file(8, '\0');
        file[0] = static_cast<char>(header.size());
        file += header;
        file.append(reinterpret_cast<const char*>(numbers.data()), 2 * numbers.size());
        folder.write("model.safetensors", file);
        return Checkpoint(folder.path());
    };
    const std::string header = R"({"weight":{"dtype":"BF16","shape":[100,37],"data_offsets":[0,7400]}})";
    for (const DType stored : {DType::f32, DType::bf16})
        for (const char* spaces : {"", " "}) {
            Matrix model;
            load_weights(model, write(header + spaces), {.weight_dtype = stored});
            const auto got = values(model, "weight");
            CHECK(std::ranges::equal(got, numbers, {}, {}, [](bf16 x) { return to_float(x); }));
        }
    numbers[40 * 37 + 5] = bf16{0x7f80};
    Matrix model;
    CHECK_THROWS_WITH_AS(
        load_weights(model, write(header), {.weight_dtype = DType::bf16}),
        "[checkpoint.value] 'weight': row 40, column 5: expected a finite number of bfloat16, found inf "
        "(model.safetensors)",
        Error);
}

TEST_CASE("progress: every byte once, in order, to the end") {
    Blip2Tiny model;
    Index last = 0, total = 0;
    const LoadReport report = load_weights(model, Checkpoint(test::golden_checkpoint("blip2_opt_bf16")),
                                           {.progress = [&](Index done, Index all, std::string_view) {
                                               CHECK(done > last);
                                               CHECK(done <= all);
                                               last = done, total = all;
                                           }});
    CHECK(last == total);
    CHECK(report.bytes == total);
    CHECK(report.bytes == 2 * report.parameters);
}

namespace {

/// Of this process, in bytes: `VmRSS` all memory that is present, `RssFile` what is of mapped files.
Index memory(const std::string& what) {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);)
        if (line.starts_with(what + ':')) return std::stol(line.substr(what.size() + 1)) * 1024;
    return 0;
}

/// Takes numbers, from whatever thread, and keeps only their sum and the most memory of mapped files that it saw.
struct Sink {
    static constexpr Index rows = 48 << 10, columns = 1000;
    std::mutex one;
    double sum = 0;
    Index most = 0;
    void allocate(DType) {}
    void write(Index, const float* x, Index count) {
        const std::lock_guard lock(one);
        for (Index i = 0; i < count * columns; ++i) sum += static_cast<double>(x[i]);
        most = std::max(most, memory("RssFile"));
    }
    void read(Index, float*) const {}
    bool is_set() const { return true; }
    Index bytes() const { return 0; }
};
struct SinkModel {
    Sink big;
    static void visit(auto& self, auto&& f) { f("big", self.big); }
};

}  // namespace

TEST_CASE("pages that have been read are given back: loading takes a few megabytes beside the model") {
    const TemporaryFolder folder;
    const auto path = folder.write("model.safetensors", "");
    const Index bytes = Sink::rows * Sink::columns * 4;  // 197 MB, a hole in the file
    std::string header =
        R"({"big":{"dtype":"F32","shape":[49152,1000],"data_offsets":[0,)" + std::to_string(bytes) + "]}}";
    header.insert(0, {char(header.size()), 0, 0, 0, 0, 0, 0, 0});
    folder.write("model.safetensors", header);
    std::filesystem::resize_file(path, header.size() + static_cast<std::size_t>(bytes));

    SinkModel model;
    const Checkpoint checkpoint(folder.path());
    const Index before = memory("RssFile");
    REQUIRE(before > 0);
    const LoadReport report = load_weights(model, checkpoint);
    CHECK(report.bytes == bytes);
    CHECK(model.big.most - before < 64'000'000);  // a part of 34 MB, and what the system maps around it
    CHECK(memory("RssFile") - before < 16'000'000);
    CHECK(model.big.sum == 0);
}

}  // namespace checkpoint_load
