#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <support/read_json.hpp>
#include <tessera/checkpoint/safetensors.hpp>

#include "support/rounded_golden.hpp"

namespace checkpoint_safetensors {
using namespace tessera;

namespace {

void check_values(const StoredTensor& tensor, const Json& expected) {
    const auto doubles = tensor.to<double>();
    REQUIRE(doubles.size() == expected.size());
    for (std::size_t i = 0; i < doubles.size(); ++i) CHECK(doubles[i] == expected[i].get<double>());
    const auto floats = tensor.to_floats();
    for (std::size_t i = 0; i < floats.size(); ++i) CHECK(floats[i] == static_cast<float>(expected[i].get<double>()));
}

}  // namespace

TEST_CASE("each safetensors file of the collection is read or refused as its description asks") {
    const Json index = test::read_json(test::golden("malformed/index.json"));
    int refused = 0;
    int read = 0;
    for (const Json& entry : index["cases"]) {
        if (entry["kind"] != "safetensors") continue;
        const auto path = entry["path"].get<std::string>();
        CAPTURE(path);
        if (entry["must"] == "load") {
            const Safetensors file(test::golden("malformed/" + path));
            CHECK(file.tensors().size() == entry["values"].size());
            for (const auto& [name, values] : entry["values"].items()) check_values(file.tensor(name), values);
            ++read;
        } else {
            try {
                const Safetensors file(test::golden("malformed/" + path));
                FAIL_CHECK("not refused");
            } catch (const Error& error) {
                const std::string message = error.what();
                CAPTURE(message);
                CHECK(error.code == Errc::checkpoint_format);
                CHECK(message.find(path) != std::string::npos);
                CHECK(message.size() < 600);
                for (const Json& name : entry["names"])
                    CHECK(message.find(name.get<std::string>()) != std::string::npos);
            }
            ++refused;
        }
    }
    CHECK(refused == 42);
    CHECK(read == 8);
}

TEST_CASE("a file of all types gives integers and floats, but never integers for floats") {
    const Safetensors file(test::golden("malformed/safetensors/ok_all_types.safetensors"));
    CHECK(file.tensor("I64").to<std::int64_t>() == std::vector<std::int64_t>{-9007199254740992, 12});
    CHECK(file.tensor("U8").to<std::uint8_t>() == std::vector<std::uint8_t>{0, 7, 255});
    CHECK(file.tensor("BOOL").to<int>() == std::vector<int>{1, 0, 1});
    CHECK_THROWS_WITH_AS(file.tensor("F32").to<int>(),
                         "[checkpoint.type] 'F32': numbers of type F32 cannot be read as that", Error);
    CHECK(file.find("F31") == nullptr);
    CHECK_THROWS_AS(file.tensor("F31"), Error);
}

TEST_CASE("a file that is not there is named") {
    CHECK_THROWS_WITH_AS(Safetensors("/nowhere/model.safetensors"),
                         "[file.open] /nowhere/model.safetensors: No such file or directory", Error);
}

TEST_CASE("views of tensors survive a move of the file") {
    Safetensors file(test::golden("malformed/safetensors/ok_metadata.safetensors"));
    const StoredTensor& tensor = file.tensor("second.bias");
    const auto before = tensor.to_floats();
    const Safetensors moved = std::move(file);
    CHECK(tensor.to_floats() == before);
    CHECK(moved.tensor("second.bias").to_floats() == before);
}

TEST_CASE("the golden checkpoints can be read in every type they are stored in") {
    const Safetensors f32(test::golden("blip2_opt/model-00001-of-00003.safetensors"));
    const Safetensors b16(test::golden_checkpoint("blip2_opt_bf16") / "model.safetensors");
    Index compared = 0;
    for (const StoredTensor& tensor : f32.tensors()) {
        const StoredTensor* other = b16.find(tensor.name);
        if (other == nullptr) continue;
        CHECK(other->type == DType::bf16);
        REQUIRE(other->shape == tensor.shape);
        const auto a = tensor.to_floats();
        const auto b = other->to_floats();
        for (std::size_t i = 0; i < a.size(); ++i) REQUIRE(b[i] == to_float(to_bf16(a[i])));
        compared += tensor.size;
    }
    CHECK(compared > 100'000);
}

}  // namespace checkpoint_safetensors
