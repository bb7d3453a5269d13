// What match() makes of a BLIP-2 for retrieval, pictures and texts, under the names of match.py.
#include <CLI/CLI.hpp>
#include <iostream>
#include <tessera/blip2.hpp>
#include <tessera/checkpoint/save.hpp>

namespace {

using namespace tessera;

template <class Model>
void run(const ModelConfig& config, DType weights, const std::vector<std::string>& pictures,
         const std::vector<std::string>& texts, const std::string& out) {
    const auto blip2 = load<Model>(config, {.weight_dtype = weights});
    const auto& model = blip2.model;
    std::vector<Image> images;
    for (const std::string& picture : pictures) images.push_back(read_image(picture));
    Scratch s;
    const auto frame = s.frame();
    const auto n = static_cast<Index>(images.size()), m = static_cast<Index>(texts.size());
    const MatchScores scores = match(blip2, images, texts, {}, s);
    const auto words = match_texts(*blip2.processor.tokenizer, texts, model.qformer.config.positions);
    std::vector<float> seen, features;
    for (const Image& image : images) {
        const auto patches = encode_image(model.vision, blip2.processor.preprocess, image, s);
        const auto vectors = model.image_features(model.qformer.read(patches, s), s);
        seen.insert(seen.end(), patches.begin(), patches.end());
        features.insert(features.end(), vectors.begin(), vectors.end());
    }
    SafetensorsWriter writer;
    writer.add("vision.last_hidden_state",
               {n, static_cast<Index>(seen.size()) / n / model.vision.width, model.vision.width}, seen.data());
    writer.add("image_features", {n, model.queries, model.embedding}, features.data());
    writer.add("text_features", {m, model.embedding}, model.text_features(words, s).data());
    writer.add("itc", {n, m}, scores.itc.data());
    writer.add("itm_logits", {n, m}, scores.itm_logits.data());
    writer.add("itm", {n, m}, scores.itm.data());
    writer.write(out);
}

}  // namespace

int main(int argc, char** argv) {
    std::string model, out, weights = "f32";
    std::vector<std::string> texts, pictures;
    CLI::App app{"Writes what match() makes of pictures and texts."};
    app.add_option("--model", model, "A checkpoint folder")->required();
    app.add_option("--text", texts, "A text; may be given several times")->required()->allow_extra_args(false);
    app.add_option("--weights", weights, "f32 or bf16")->capture_default_str();
    app.add_option("--out", out, "The safetensors file to write")->required();
    app.add_option("pictures", pictures, "Picture files")->required();
    CLI11_PARSE(app, argc, argv);
    try {
        const ModelConfig config(model);
        constexpr std::tuple models{Compiled<Blip2ItmVitG>{"blip2-itm-vit-g"},
                                    Compiled<Blip2ItmVitGCoco>{"blip2-itm-vit-g-coco"}, Compiled<Blip2ItmTiny>{"tiny"}};
        const bool found = any_model(models, [&]<class Model>(const Compiled<Model>&) {
            if (!fits<Model>(config)) return false;
            run<Model>(config, weights == "bf16" ? DType::bf16 : DType::f32, pictures, texts, out);
            return true;
        });
        if (!found) throw Error(Errc::config_unsupported, model, ": not a BLIP-2 for retrieval of a known shape");
    } catch (const std::exception& error) {
        std::cerr << "match: " << error.what() << '\n';
        return 1;
    }
}
