#include <doctest/doctest.h>

#include <checkpoint/toy.hpp>
#include <support/golden.hpp>
#include <support/read_json.hpp>
#include <tessera/checkpoint/load.hpp>
#include <tessera/checkpoint/model_config.hpp>
#include <tessera/model/blip2/blip2.hpp>
#include <tessera/model/config.hpp>

namespace checkpoint_malformed {
using namespace tessera;

namespace {

constexpr OptConfig tiny{
    .vocabulary = 24, .width = 8, .heads = 2, .hidden = 16, .layers = 2, .positions = 10, .embedding = 8};

constexpr OptConfig changed(Index OptConfig::*member, Index value) {
    OptConfig c = tiny;
    c.*member = value;
    return c;
}
constexpr QFormerConfig bridge{.queries = 4, .width = 8, .heads = 2, .hidden = 8, .layers = 2};

// What the configurations of the collection describe.
constexpr std::tuple models{
    Compiled<Blip2<Vit<eva_vit_g14>, QFormer<bridge>, Opt<tiny>>>{"without a vision_config"},
    Compiled<test::ToyOpt<tiny>>{"tiny"},
    Compiled<test::ToyOpt<changed(&OptConfig::layers, 3)>>{"one layer more"},
    Compiled<test::ToyOpt<changed(&OptConfig::vocabulary, 50)>>{"more words"},
};

/// All that happens before and while a model is filled.
LoadReport open(const std::filesystem::path& folder) {
    const ModelConfig config(folder);
    VitConfig::read(config), QFormerConfig::read(config);  // where there are such parts
    const Checkpoint checkpoint(folder);
    LoadReport report;
    const bool known = any_model(models, [&]<class Model>(const Compiled<Model>&) {
        if (!mismatches<Model>(config).empty()) return false;
        Model model;
        report = load_weights(model, checkpoint);
        CHECK(report.parameters == parameter_count(model));
        CHECK(report.used.size() + report.copies.size() + report.ignored.size() + report.unexpected.size() ==
              checkpoint.tensors().size());
        return true;
    });
    if (!known) throw Error(Errc::config_unsupported, config.file.string(), ": ", config.model_type);
    return report;
}

}  // namespace

TEST_CASE("each checkpoint and each configuration of the collection is loaded or refused as its description asks") {
    const Json index = test::read_json(test::golden("malformed/index.json"));
    int refused = 0;
    int loaded = 0;
    for (const Json& entry : index["cases"]) {
        if (entry["kind"] != "checkpoint" && entry["kind"] != "config") continue;
        const auto path = entry["path"].get<std::string>();
        const auto must = entry["must"].get<std::string>();
        CAPTURE(path);
        std::string message;
        try {
            const LoadReport report = open(test::golden("malformed/" + path));
            if (must == "error") FAIL_CHECK("not refused");
            message = report.warning();
            if (must != "warn") CHECK(message.empty());
            ++loaded;
        } catch (const Error& error) {
            message = error.what();
            if (must == "load" || must == "warn") FAIL_CHECK("refused: " << message);
            CHECK(message.find('\n') == std::string::npos);
            CHECK(message.size() < 700);
            ++refused;
        }
        CAPTURE(message);
        if (must == "error" || must == "warn" || !message.empty())
            for (const Json& name : entry["names"]) CHECK(message.find(name.get<std::string>()) != std::string::npos);
    }
    CHECK(refused == 47);
    CHECK(loaded == 5);
}

TEST_CASE("the sentences of some of them") {
    const auto refusal = [](const char* name) {
        std::string message;
        try {
            open(test::golden(std::string("malformed/checkpoints/") + name));
        } catch (const Error& error) {
            message = error.what();
        }
        const std::string folder = test::golden("malformed/checkpoints").string() + '/';
        for (std::size_t at; (at = message.find(folder)) != message.npos;) message.erase(at, folder.size());
        return message;
    };
    CHECK(refusal("wrong_shape") ==
          "[checkpoint.shape] 'model.decoder.layers.1.fc1.weight': expected [16, 8], found [15, 8] (model.safetensors; "
          "the model's shapes are those of wrong_shape/config.json)");
    CHECK(refusal("integer_weights") ==
          "[checkpoint.type] 'model.decoder.layers.1.fc1.weight': expected F32, F16, BF16 or F64, found I64 "
          "(model.safetensors)");
    CHECK(refusal("missing_tensor") ==
          "[checkpoint.missing] 'model.decoder.layers.1.fc1.weight': expected by the model that config.json describes, "
          "not found in missing_tensor/model.safetensors");
    CHECK(
        refusal("nan_weights") ==
        "[checkpoint.value] 'model.decoder.layers.1.fc2.weight': row 0, column 5: expected a finite number, found nan "
        "(model.safetensors)");
    CHECK(
        refusal("index_path_upwards") ==
        "[checkpoint.format] index_path_upwards/model.safetensors.index.json: weight_map: expected a .safetensors file "
        "of this folder for 'model.decoder.layers.1.fc1.weight', found '../../outside.safetensors'");
}

}  // namespace checkpoint_malformed
