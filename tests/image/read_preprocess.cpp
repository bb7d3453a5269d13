// preprocessor_config.json: what files say, what they leave out, and what they get wrong.
#include <doctest/doctest.h>

#include <string>
#include <tessera/image/read_preprocess.hpp>

#include "support/golden.hpp"
#include "support/read_json.hpp"

namespace image_read_preprocess {
using namespace tessera;

namespace {

Preprocess parsed(const std::string& text) {
    return read_preprocess(JsonFile(text, "p.json", Errc::config_value).root());
}
std::string message(const std::string& text) {
    try {
        parsed(text);
    } catch (const Error& error) {
        return error.what();
    }
    return "read";
}

}  // namespace

TEST_CASE("the files of the models") {
    const Preprocess blip = read_preprocess(test::golden("blip2_opt/preprocessor_config.json"));
    CHECK(blip.height == 56);
    CHECK(blip.width == 56);
    CHECK(blip.shortest_edge == 0);
    CHECK_FALSE(blip.do_center_crop);
    CHECK(blip.image_std[2] == 0.27577711f);
    const Preprocess clip = read_preprocess(test::golden("clip_vision/preprocessor_config.json"));
    CHECK(clip.shortest_edge == 56);
    CHECK(clip.do_center_crop);
    CHECK(clip.crop_height == 56);
    CHECK(clip.crop_width == 56);
}

TEST_CASE("each malformed file does what it must and names what is wrong") {
    const Json index = test::read_json(test::golden("malformed/index.json"));
    int cases = 0;
    for (const Json& entry : index["cases"]) {
        if (entry["kind"] != "preprocessor") continue;
        const auto path = test::golden("malformed/" + entry["path"].get<std::string>());
        CAPTURE(path.string());
        ++cases;
        std::string text;
        try {
            const Preprocess settings = read_preprocess(path);  // outside CHECK, which would keep the error
            CHECK(settings.height == 56);
        } catch (const Error& error) {
            text = error.what();
            CHECK(error.code == Errc::config_value);
            CHECK(text.find(path.string()) != std::string::npos);
            for (const Json& name : entry["names"]) CHECK(text.find(name.get<std::string>()) != std::string::npos);
        }
        CHECK(text.empty() == (entry["must"] == "load"));
    }
    CHECK(cases == 10);
}

TEST_CASE("what a file leaves out depends on the processor it names") {
    CHECK(parsed("{}").height == 224);
    CHECK(parsed("{}").shortest_edge == 0);
    CHECK(parsed(R"({"size": 30})").width == 30);
    const Preprocess clip =
        parsed(R"({"feature_extractor_type": "CLIPFeatureExtractor", "size": 30, "crop_size": 20})");
    CHECK(clip.shortest_edge == 30);
    CHECK(clip.do_center_crop);
    CHECK(clip.crop_width == 20);
    const Preprocess exact = parsed(R"({"image_processor_type": "CLIPImageProcessor", "do_center_crop": false,
                                        "size": {"height": 5, "width": 6}})");
    CHECK(exact.shortest_edge == 0);
    CHECK(exact.width == 6);
    CHECK(parsed(R"({"do_resize": null, "do_normalize": false})").do_resize);
}

TEST_CASE("mistakes in one sentence") {
    CHECK(message("[]") == "[config.value] p.json: expected an object, found []");
    CHECK(message(R"({"size": {"height": 5}})") ==
          R"([config.value] p.json: size: expected a number, or height and width, found {"height":5})");
    CHECK(message(R"({"size": 4097})") ==
          "[config.value] p.json: size: expected a whole number from 1 to 4096, found 4097");
    CHECK(message(R"({"size": 5.5})") ==
          "[config.value] p.json: size: expected a whole number from 1 to 4096, found 5.5");
    CHECK(
        message(R"({"size": {"shortest_edge": 5, "longest_edge": 9}})") ==
        R"([config.unsupported] p.json: size: beside 'shortest_edge' nothing is supported, found {"shortest_edge":5,"longest_edge":9})");
    CHECK(message(R"({"resample": 2})") == "[config.value] p.json: resample: expected 3 (bicubic), found 2");
    CHECK(message(R"({"do_resize": "yes"})") ==
          R"([config.value] p.json: do_resize: expected true or false, found "yes")");
    CHECK(message(R"({"do_pad": true})") == "[config.unsupported] p.json: do_pad: this step is not supported");
    CHECK(message(R"({"do_pad": false})") == "read");
    CHECK(message(R"({"image_std": [1, 1, -1]})") ==
          "[config.value] p.json: image_std: expected numbers above 0, found [1,1,-1]");
    CHECK(message(R"({"image_mean": [1, 1e300, 1]})") ==
          "[config.value] p.json: image_mean[1]: expected a float, found 1e+300");
    CHECK(message(R"({"rescale_factor": "1/255"})") ==
          R"([config.value] p.json: rescale_factor: expected a number, found "1/255")");
}

}  // namespace image_read_preprocess
