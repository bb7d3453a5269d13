// Features on the disk: made once, gone on with after an interruption, never used for what they were not made of.
#include <doctest/doctest.h>

#include <chrono>
#include <fstream>
#include <iterator>
#include <limits>
#include <set>
#include <string>
#include <tessera/checkpoint/save.hpp>
#include <tessera/nn/linear.hpp>
#include <tessera/train/data/feature_cache.hpp>

#include "support/damage.hpp"
#include "support/message_of.hpp"
#include "support/temporary_folder.hpp"

namespace train_data_feature_cache {
using namespace tessera;

namespace {

const FeatureKey key{"weights", "resize 4x4", "pictures"};

float feature(Index picture, Index i) { return static_cast<float>(picture) + 0.001f * static_cast<float>(i); }

/// Makes features that tell their place, and remembers for which pictures it was asked.
struct Encoder {
    Index per_picture;
    Index fails_at = -1;
    std::vector<Index> made{};

    void operator()(Index first, Index count, float* out) {
        for (Index picture = first; picture < first + count; ++picture) {
            if (picture == fails_at) throw Error(Errc::image_decode, "picture ", picture);
            made.push_back(picture);
            for (Index i = 0; i < per_picture; ++i) *out++ = feature(picture, i);
        }
    }
};

FeatureCache build(const std::filesystem::path& path, Encoder& encoder, const FeatureShape& shape,
                   const FeatureKey& made_of = key, StaleCache stale = StaleCache::refuse) {
    encoder.per_picture = shape.per_picture();
    return build_feature_cache(path, made_of, shape, 3, std::ref(encoder), stale);
}

std::string bytes_of(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST_CASE("what was made is read again, rounded once where it is kept as bf16") {
    for (const DType type : {DType::f32, DType::bf16}) {
        const test::TemporaryFolder folder;
        const FeatureShape shape{7, 5, 6, type};
        Encoder encoder{}, again{};
        build(folder.path() / "f", encoder, shape);
        CHECK(encoder.made == std::vector<Index>{0, 1, 2, 3, 4, 5, 6});
        const FeatureCache cache = build(folder.path() / "f", again, shape);
        CHECK(again.made.empty());
        CHECK(cache.shape() == shape);
        CHECK(cache.key() == key);
        CHECK_FALSE(std::filesystem::exists(folder.path() / "f.part"));
        std::vector<float> out(30);
        for (Index picture = 0; picture < 7; ++picture) {
            cache.read(picture, out.data());
            for (Index i = 0; i < 30; ++i) {
                const float want = feature(picture, i);
                REQUIRE(out[static_cast<std::size_t>(i)] == (type == DType::f32 ? want : to_float(to_bf16(want))));
            }
        }
        CHECK(reinterpret_cast<std::uintptr_t>(cache.bytes(0).data()) % 64 == 0);
    }
}

TEST_CASE("an interrupted build goes on where it stopped, and ends with the same bytes") {
    const test::TemporaryFolder folder;
    const FeatureShape shape{10, 4, 8};
    Encoder whole{};
    build(folder.path() / "whole", whole, shape);
    const std::string want = bytes_of(folder.path() / "whole");
    const auto path = folder.path() / "f", part = folder.path() / "f.part";

    Encoder stopped{.per_picture = 0, .fails_at = 7}, rest{};
    CHECK_THROWS_AS(build(path, stopped, shape), Error);
    CHECK_FALSE(std::filesystem::exists(path));
    build(path, rest, shape);
    CHECK(rest.made == std::vector<Index>{6, 7, 8, 9});
    CHECK(bytes_of(path) == want);

    // Killed at any moment: the part has any length.
    for (const std::size_t length :
         {std::size_t{0}, std::size_t{5}, std::size_t{4095}, std::size_t{4096}, want.size() - 1000, want.size() - 64,
          want.size() - 1, want.size(), want.size() + 9}) {
        CAPTURE(length);
        std::filesystem::remove(path);
        folder.write("f.part", (want + "more bytes").substr(0, length));
        Encoder encoder{};
        build(path, encoder, shape);
        CHECK(bytes_of(path) == want);
        CHECK(encoder.made.size() == (length < want.size() - 64
                                          ? std::size_t{10} - (length - std::min<std::size_t>(length, 4096)) / 64
                                      : length < want.size() ? 1u
                                                             : 0u));
    }

    // A part that was made of something else is not gone on with.
    std::filesystem::remove(path);
    folder.write("f.part", want.substr(0, want.size() - 64));
    Encoder other{};
    build(path, other, shape, {"other weights", "resize 4x4", "pictures"});
    CHECK(other.made.size() == 10);
}

TEST_CASE("features of something else are refused in a sentence, or made again") {
    const test::TemporaryFolder folder;
    const FeatureShape shape{4, 2, 3};
    const auto path = folder.path() / "f";
    Encoder encoder{};
    build(path, encoder, shape);
    const std::string stale = "[file.format] " + path.string() + ": image features are stale: ",
                      cure = "; remove the file, or let it be built again";
    const auto refusal = [&](const FeatureKey& other) { return test::message_of([&] { FeatureCache(path, other); }); };
    CHECK(refusal(key) == "no error");
    CHECK(refusal({"w", key.preprocess, key.pictures}) ==
          stale + "the model's weights: expected 'w', found 'weights'" + cure);
    CHECK(refusal({key.model, "resize 8x8", key.pictures}) ==
          stale + "how pictures are prepared: expected 'resize 8x8', found 'resize 4x4'" + cure);
    CHECK(refusal({key.model, key.preprocess, "p"}) == stale + "the pictures: expected 'p', found 'pictures'" + cure);
    CHECK(test::message_of([&] {
              build(path, encoder, {4, 3, 2});
          }) == stale + "expected 4×3×2 of BF16, found 4×2×3 of BF16" + cure);
    CHECK(test::message_of([&] {
              build(path, encoder, {4, 2, 3, DType::f32});
          }) == stale + "expected 4×2×3 of F32, found 4×2×3 of BF16" + cure);
    CHECK(encoder.made.size() == 4);
    const FeatureCache again = build(path, encoder, {4, 3, 2}, key, StaleCache::rebuild);
    CHECK(encoder.made.size() == 8);
    CHECK(again.shape().rows == 3);
}

TEST_CASE("a file that is no cache is never replaced") {
    const test::TemporaryFolder folder;
    Encoder encoder{};
    const auto text = folder.write("text", "not a cache, but somebody's");
    CHECK(test::message_of([&] {
              build(text, encoder, {4, 2, 3}, key, StaleCache::rebuild);
          }).starts_with("[checkpoint.format]"));
    CHECK(bytes_of(text) == "not a cache, but somebody's");
    const std::vector<float> numbers(6);
    SafetensorsWriter weights;
    weights.add("features", {1, 2, 3}, numbers.data());
    const auto other = folder.path() / "model.safetensors";
    weights.write(other);
    CHECK(test::message_of([&] {
              build(other, encoder, {1, 2, 3}, key, StaleCache::rebuild);
          }) == "[checkpoint.format] " + other.string() +
                    ": expected image features, format 'tessera image features 1', found none");
    CHECK(encoder.made.empty());
    CHECK(test::message_of([&] {
              build("/nowhere/f", encoder, {1, 2, 3});
          }).starts_with("[file.open] /nowhere/f.part: "));
}

TEST_CASE("features that are no numbers are not kept") {
    const test::TemporaryFolder folder;
    const ComputeFeatures broken = [](Index, Index count, float* out) {
        std::fill_n(out, count * 6, 1.0f);
        out[7] = std::numeric_limits<float>::infinity();
    };
    const auto path = folder.path() / "f";
    CHECK(test::message_of([&] {
              build_feature_cache(path, key, {5, 2, 3}, 2, broken);
          }) == "[checkpoint.value] " + path.string() + ": picture 1: expected finite features, found inf");
    CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("damaged caches are read or refused in a sentence, and nothing else happens") {
    const test::TemporaryFolder folder;
    Encoder encoder{};
    build(folder.path() / "f", encoder, {3, 2, 4});
    const std::string good = bytes_of(folder.path() / "f");
    test::Damage damage(5);
    int read = 0, refused = 0;
    for (int i = 0; i < 1500; ++i) {
        const std::size_t header = good.find("  ");  // damage to blanks and numbers shows nothing
        auto front = damage({good.begin(), good.begin() + static_cast<std::ptrdiff_t>(header)});
        const std::string broken = std::string(front.begin(), front.end()) + good.substr(header);
        const auto path = folder.write("f", broken);
        try {
            const FeatureCache cache(path, key);
            std::vector<float> out(static_cast<std::size_t>(cache.shape().per_picture()));
            for (Index picture = 0; picture < cache.shape().pictures; ++picture) cache.read(picture, out.data());
            ++read;
        } catch (const Error& error) {
            const std::string message = error.what();
            CAPTURE(message);
            REQUIRE(message.find(path.string()) != message.npos);
            REQUIRE(message.find('\n') == message.npos);
            ++refused;
        }
    }
    CHECK(refused > 500);
    CHECK(read > 5);
}

TEST_CASE("a key changes with a weight, a setting, and a picture") {
    const test::TemporaryFolder folder;
    for (const char* name : {"a.png", "b.png"}) folder.write(name, "bytes");
    const auto pictures = [&](std::initializer_list<const char*> names) {
        PictureList list(folder.path());
        Index row = 0;
        for (const char* name : names) list.add(name, ++row);
        list.name_rows({"c.jsonl"});
        return list;
    };
    Linear<3, 2> layer;
    std::vector<float> weight{1, 2, 3, 4, 5, 6}, bias{7, 8};
    const auto set = [&] {
        const auto leaves = leaves_of(layer);
        for (const NamedLeaf& leaf : leaves) leaf.leaf.allocate(DType::f32);
        leaves[0].leaf.write(0, weight.data(), leaves[0].leaf.rows());
        leaves[1].leaf.write(0, bias.data(), leaves[1].leaf.rows());
    };
    set();
    const PictureList both = pictures({"a.png", "b.png"});
    const FeatureKey first = feature_key(layer, {}, {}, both);
    CHECK(first == feature_key(layer, {}, {}, both));
    CHECK(first.model + " in bf16 arithmetic" == feature_key(layer, {}, {}, both, Products::bf16).model);
    bias[1] = 8.000001f;
    set();
    const FeatureKey moved = feature_key(layer, {}, {}, both);
    CHECK(moved.model != first.model);
    CHECK(moved.pictures == first.pictures);

    CHECK(first.preprocess.starts_with("resize 224x224, scale 0.0039215686274509"));
    std::set<std::string> words{first.preprocess};
    words.insert(describe({.height = 225}, {}));
    words.insert(describe({.shortest_edge = 224}, {}));
    words.insert(describe({.pass_order = PassOrder::pillow_12}, {}));
    words.insert(describe({.do_center_crop = true}, {}));
    words.insert(describe({.image_mean = {0.5f, 0.5f, 0.5f}}, {}));
    words.insert(describe({}, {.transparency = Transparency::white}));
    words.insert(describe({}, {.turn_upright = false}));
    CHECK(words.size() == 8);

    CHECK(files_checksum(pictures({"b.png", "a.png"})) != first.pictures);
    CHECK(files_checksum(pictures({"a.png"})) != first.pictures);
    folder.write("b.png", "other bytes");
    const std::string larger = files_checksum(both);
    CHECK(larger != first.pictures);
    const auto path = folder.path() / "a.png";
    std::filesystem::last_write_time(path, std::filesystem::last_write_time(path) + std::chrono::seconds(1));
    CHECK(files_checksum(both) != larger);
    const std::string gone =
        "[file.open] c.jsonl:2: image: " + (folder.path() / "c.png").string() + ": No such file or directory";
    CHECK(test::message_of([&] { files_checksum(pictures({"a.png", "c.png"})); }) == gone);
}

}  // namespace train_data_feature_cache
