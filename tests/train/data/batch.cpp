// What a training step reads: pictures beside their texts, the same for the same step whatever was read before.
#include <doctest/doctest.h>

#include <cstring>
#include <string>
#include <tessera/train/data/batch.hpp>

#include "support/allocations.hpp"
#include "support/small_pictures.hpp"
#include "support/temporary_folder.hpp"

namespace train_data_batch {
using namespace tessera;

namespace {

/// Ten rows with one to three captions, about seven pictures that differ.
struct Data {
    test::TemporaryFolder folder;
    CaptionFile file;
    TokenizedTexts texts;

    Data() : file(written()) {
        for (Index i = 0; i < std::ssize(file.captions()); ++i)  // a text's tokens tell which one it is
            texts.push_back(std::vector<Token>(static_cast<std::size_t>(1 + i % 4), static_cast<Token>(i)));
    }

    std::filesystem::path written() const {
        constexpr const char* names[] = {"rgb_8.png",       "palette_8.png",    "gray_8.png",        "rgb_16.png",
                                         "rgb_alpha_8.png", "baseline_444.jpg", "baseline_17x16.jpg"};
        std::string lines;
        for (int row = 0; row < 10; ++row) {
            lines += "{\"image\": \"" + std::string(names[row % 7]) + "\", \"captions\": [\"x\"";
            for (int i = 0; i < row % 3; ++i) lines += ", \"y\"";
            lines += "]}\n";
        }
        for (const char* name : names) std::filesystem::copy_file(test::small_pictures() / name, folder.path() / name);
        return folder.write("c.jsonl", lines);
    }
};

const ReadPictures small{.preprocess = {.height = 12, .width = 18}};

std::string bytes_of(const CaptionBatch& batch) {
    std::string out(reinterpret_cast<const char*>(batch.images.data()),
                    static_cast<std::size_t>(batch.images.size()) * sizeof(float));
    for (const auto list : {batch.items, batch.pictures, batch.captions, batch.image_ids, batch.groups})
        for (const Index i : list) out += std::to_string(i) + ' ';
    for (const Token id : batch.texts.ids) out += std::to_string(id) + ' ';
    for (const Index start : batch.texts.starts) out += std::to_string(start) + ' ';
    return out;
}

}  // namespace

TEST_CASE("row by row: the picture, its caption's tokens, its id") {
    const Data data;
    CaptionBatches batches(data.file, data.texts, picture_patches(data.file.pictures(), small, 6),
                           {.batch = 4, .seed = 1});
    CHECK(batches.sampler().steps_per_epoch() == 2);
    for (Index step = 0; step < 6; ++step) {
        const CaptionBatch batch = batches(step);
        REQUIRE(batch.size() == 4);
        CHECK(batch.epoch == step / 2);
        CHECK(batch.images.extent(0) == 4 * 6);
        CHECK(batch.images.extent(1) == 108);
        REQUIRE(batch.texts.count() == 4);
        for (Index i = 0; i < 4; ++i) {
            const auto at = static_cast<std::size_t>(i);
            const CaptionRow& row = data.file[batch.items[at]];
            CHECK(batch.pictures[at] == row.picture);
            CHECK(batch.image_ids[at] == row.image_id);
            CHECK(batch.captions[at] >= row.first_caption);
            CHECK(batch.captions[at] < row.first_caption + row.captions);
            CHECK(batch.texts[i].front() == batch.captions[at]);
            CHECK(batch.texts[i].size() == data.texts[batch.captions[at]].size());
            Tensor<float, dyn, dyn> want({6, 108});
            patchify(want, preprocess(data.file.pictures().read(row.picture), small.preprocess).view(), 6);
            CHECK(std::memcmp(want.data(), batch.images.data() + i * 6 * 108, 6 * 108 * sizeof(float)) == 0);
        }
    }
}

TEST_CASE("a step is the same whatever was read before, at one thread and at two; augmentation changes it by epochs") {
    const Data data;
    ReadPictures reading = small;
    reading.augment = Augment{.size = 12, .rand_augment = {.operations = 2}};
    reading.seed = 3;
    const auto source = picture_patches(data.file.pictures(), reading, 6);
    CHECK(source.rows == 4);
    CaptionBatches forwards(data.file, data.texts, source, {.batch = 5, .seed = 3}),
        resumed(data.file, data.texts, source, {.batch = 5, .seed = 3}),
        other(data.file, data.texts, source, {.batch = 5, .seed = 4});
    std::vector<std::string> all;
    const int threads = kernel::threads();
    for (Index step = 0; step < 8; ++step) all.push_back(bytes_of(forwards(step)));
    kernel::set_threads(1);
    for (const Index step : {5, 7, 0}) CHECK(bytes_of(resumed(step)) == all[static_cast<std::size_t>(step)]);
    kernel::set_threads(threads);
    CHECK(bytes_of(other(0)) != all[0]);

    std::vector<float> one(4 * 108), two(4 * 108), again(4 * 108);
    source.read(0, 0, 0, one.data());
    source.read(0, 1, 0, two.data());
    source.read(0, 0, 0, again.data());
    CHECK(one == again);
    CHECK(one != two);
}

TEST_CASE(
    "rows are a group where the text of one is true of the other, and so are those that are alike with one of them") {
    const std::string five =
        "{\"image\": \"0\", \"caption\": \"red\", \"image_id\": 5}\n"
        "{\"image\": \"1\", \"caption\": \"blue\", \"image_id\": 6}\n"
        "{\"image\": \"2\", \"caption\": \"green\", \"image_id\": 7}\n"
        "{\"image\": \"3\", \"caption\": \"blue\", \"image_id\": 8}\n"
        "{\"image\": \"4\", \"caption\": \"gray\", \"image_id\": 5}\n";
    const std::string sixth = "{\"image\": \"5\", \"caption\": \"red\", \"image_id\": 8}\n";
    const auto groups = [](const std::string& rows, Index batch) {
        const test::TemporaryFolder folder;
        const CaptionFile file(folder.write("c.jsonl", rows));
        const TokenizedTexts texts(
            file.captions(), [](const std::string& text) { return std::vector<Token>(text.begin(), text.end()); });
        const ImageRows nothing{1, 1, [](Index, Index, Index, float* out) { *out = 0; }};
        CaptionBatches batches(file, texts, nothing, {.batch = batch, .shuffle = false});
        const CaptionBatch found = batches(0);
        return std::vector<Index>(found.groups.begin(), found.groups.end());
    };
    CHECK(groups(five, 5) == std::vector<Index>{0, 1, 2, 1, 0});
    CHECK(groups(five + sixth, 6) == std::vector<Index>{0, 0, 2, 0, 0, 0});
    // The sixth row is not in the batch, and still the first one's text is a caption of the fourth one's picture.
    CHECK(groups(five + sixth, 5) == std::vector<Index>{0, 0, 2, 0, 0});
}

TEST_CASE("features come from the cache, and a step allocates nothing") {
    const Data data;
    const FeatureShape shape{data.file.pictures().size(), 3, 8, DType::f32};
    const ComputeFeatures compute = [](Index first, Index count, float* out) {
        for (Index i = 0; i < count * 24; ++i) out[i] = static_cast<float>(first * 24 + i);
    };
    const FeatureCache cache = build_feature_cache(data.folder.path() / "f", {}, shape, 2, compute);
    CaptionBatches batches(data.file, data.texts, cached_features(cache), {.batch = 3, .drop_last = false});
    const CaptionBatch batch = batches(1);
    for (Index i = 0; i < 3; ++i)
        for (Index j = 0; j < 24; ++j)
            CHECK(batch.images.data()[i * 24 + j] ==
                  static_cast<float>(batch.pictures[static_cast<std::size_t>(i)] * 24 + j));
    const Index before = test::allocations();
    Index read = 0;
    for (Index step = 0; step < 20; ++step) read += batches(step).size();
    CHECK(test::allocations() == before);
    CHECK(read == 50);  // 3 + 3 + 3 + 1 an epoch
}

TEST_CASE("a picture that does not decode is named with its row, and the next step goes on") {
    const Data data;
    data.folder.write("gray_8.png", "not a picture");
    CaptionBatches batches(data.file, data.texts, picture_patches(data.file.pictures(), small, 6),
                           {.batch = 10, .shuffle = false});
    const std::string path = data.folder.path().string();
    std::string message;
    try {
        batches(0);
    } catch (const Error& error) {
        message = error.what();
    }
    CHECK(message.starts_with("[file.format] " + path + "/c.jsonl:3: image: " + path + "/gray_8.png: "));
    std::filesystem::copy_file(test::small_pictures() / "gray_8.png", data.folder.path() / "gray_8.png",
                               std::filesystem::copy_options::overwrite_existing);
    CHECK(batches(0).size() == 10);
}

TEST_CASE("what does not fit together is refused") {
    const Data data;
    const auto source = picture_patches(data.file.pictures(), small, 6);
    CHECK_THROWS_WITH_AS(CaptionBatches(data.file, TokenizedTexts(), source, {}),
                         "[option.value] texts: expected one for each of 19 captions, found 0", Error);
    const auto refuse = [&](const ReadPictures& options, Index patch) {
        picture_patches(data.file.pictures(), options, patch);
    };
    CHECK_THROWS_WITH_AS(refuse({.preprocess = {.shortest_edge = 9}}, 3),
                         "[option.value] preprocess: expected a size that all pictures get, found a shortest edge "
                         "without a crop",
                         Error);
    CHECK_THROWS_WITH_AS(refuse({.preprocess = {.do_resize = false}}, 3),
                         "[option.value] preprocess: expected a size that all pictures get, found no resizing", Error);
    CHECK_THROWS_WITH_AS(refuse(small, 13), "[option.value] patch: expected 1 to 12, found 13", Error);
    CHECK_THROWS_AS(refuse({.augment = Augment{.size = 0}}, 3), Error);
}

TEST_CASE("texts without pictures") {
    TokenizedTexts texts;
    for (Token i = 0; i < 7; ++i) texts.push_back(std::vector<Token>(static_cast<std::size_t>(1 + i), i));
    TextBatches batches(texts, {.batch = 3, .shuffle = false});
    const TextBatch batch = batches(1);
    REQUIRE(batch.count() == 3);
    CHECK(batch[0].size() == 4);
    CHECK(batch[2].front() == 5);
    const Index before = test::allocations();
    for (Index step = 0; step < 10; ++step) batches(step);
    CHECK(test::allocations() == before);
}

}  // namespace train_data_batch
