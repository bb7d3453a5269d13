// The commands that compare pictures and texts: match, features, search.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iostream>
#include <optional>
#include <tessera/checkpoint/save.hpp>
#include <tessera/generate/load.hpp>
#include <tessera/generate/match.hpp>
#include <tessera/text/caption_text.hpp>
#include <tessera/train/data/feature_key.hpp>

#include "commands.hpp"
#include "index.hpp"
#include "load.hpp"
#include "models.hpp"

namespace {

using namespace tessera;
using program::IndexedPicture;
using program::PictureIndex;

// Calls f(pipeline) with the checkpoint that the command names.
void with_model(const program::ModelOptions& options, auto&& f) {
    program::with_config(options, [&](program::Choice& choice) {
        const bool found = choice.use(program::retrieval_models, [&]<class Model>(const Compiled<Model>&) {
            auto blip2 = program::load_model<Model>(choice, options);
            f(blip2);
        });
        if (found) return;
        if (!choice.has_config()) choice.refuse();
        if (choice.config().model_type != "blip2_qformer_stage1" &&
            !choice.config().root().mentions("architectures", "Blip2ForImageTextRetrieval"))
            throw Error(Errc::config_unsupported, choice.config().file.string(),
                        ": match, features and search need a checkpoint with heads for retrieval, as "
                        "Salesforce/blip2-itm-vit-g; found model_type ",
                        in_quotes(choice.config().model_type), " without them");
        choice.refuse();
    });
}

// `name`, cut at the front, in a column of `width`.
std::string column(std::string name, std::size_t width) {
    if (name.size() > width) name = "…" + name.substr(name.size() - width + 1);
    name.resize(std::max(name.size(), width + (name.starts_with("…") ? 2 : 0)), ' ');
    return name;
}

std::string fixed(float value, const char* format = "%8.3f") {
    char out[32];
    std::snprintf(out, sizeof out, format, static_cast<double>(value));
    return out;
}

Json row_of(const Tensor<float, dyn, dyn>& scores, Index row) {
    Json out = Json::array();
    for (const float score : scores.view().slice(row, 1)) out.push_back(score);
    return out;
}

// How alike two pictures are: of each query of the one the nearest of the other, the mean of their cosines.
float likeness(const std::vector<float>& a, const std::vector<float>& b, Index width) {
    double sum = 0;
    Index queries = 0;
    for (std::size_t i = 0; i < a.size(); i += static_cast<std::size_t>(width), ++queries) {
        double best = -1;
        for (std::size_t j = 0; j < b.size(); j += static_cast<std::size_t>(width)) {
            double cosine = 0;
            for (std::size_t k = 0; k < static_cast<std::size_t>(width); ++k)
                cosine += double{a[i + k]} * double{b[j + k]};
            best = std::max(best, cosine);
        }
        sum += best;
    }
    return static_cast<float>(sum / static_cast<double>(std::max<Index>(queries, 1)));
}

// Does what the command's style says, where its options do not say otherwise, with the model that it names: f(pipeline, command).
// Returns the exit code.
template <class Command>
int run_in_style(Command command, auto&& f) {
    std::optional<StyleDefaults> lavis;
    if (!command.style.empty()) {
        // Comparing needs no language model, whatever its family.
        const StyleDefaults style = style_defaults(program::style_named(command.style), LanguageFamily::opt);
        program::apply(style, command.pictures);
        if (command.style == "lavis") {
            lavis = style;
            for (std::string& text : command.texts) text = caption_text(text);
            if (command.options.most_tokens == 0) command.options.most_tokens = 32;
        }
    }
    int failures = 0;
    with_model(command.model, [&](auto& blip2) {
        if (lavis) apply_style(blip2, *lavis);
        failures = f(blip2, command);
    });
    return failures == 0 ? 0 : 1;
}

template <class Model>
constexpr Index positions = std::get<QFormerConfig>(Model::configs).positions;

// [queries, embedding]
template <class Model>
std::vector<float> features_of(const Pipeline<Model>& blip2, const Image& image, Scratch& s) {
    const auto frame = s.frame();
    const auto seen = encode_image(blip2.model.vision, blip2.processor.preprocess, image, s);
    const auto features = blip2.model.image_features(blip2.model.qformer.read(seen, s), s);
    return {features.begin(), features.end()};
}

// All that features depend on but for the weights and the picture itself: how it is decoded and prepared, what a style sets, and
// the arithmetic.
template <class Model>
std::string reading_of(const Pipeline<Model>& blip2, const SearchCommand& command) {
    char eps[40];
    std::snprintf(eps, sizeof eps, ", last norm's eps %g", static_cast<double>(blip2.model.vision.norm.eps));
    return describe(blip2.processor.preprocess, program::decode_options(command.pictures)) + eps +
           (command.model.products == "bf16" ? ", products in bf16" : "");
}

template <class Model>
int match_all(const Pipeline<Model>& blip2, const MatchCommand& command) {
    constexpr std::size_t together = 8;  // pictures between two looks at the texts
    const std::vector<std::string> names = picture_names(command.pictures);
    // A text that is too long is so with every picture: said once.
    match_texts(*blip2.processor.tokenizer, command.texts, positions<Model>, command.options);
    Scratch s;
    program::set_products(s, blip2.model, command.model);
    std::vector<std::string> done;
    std::vector<MatchScores> scores;
    const auto match_some = [&](const std::vector<std::string>& some, const std::vector<Image>& images) {
        scores.push_back(match(blip2, images, command.texts, command.options, s));
        if (command.json)
            for (std::size_t i = 0; i < some.size(); ++i) {
                const auto row = static_cast<Index>(i);
                const MatchScores& now = scores.back();
                Json out = {{"picture", some[i]}, {"texts", command.texts}, {"itc", row_of(now.itc, row)}};
                if (command.options.itm)
                    out["itm"] = row_of(now.itm, row), out["itm_logits"] = row_of(now.itm_logits, row);
                program::print(out);
            }
        done.insert(done.end(), some.begin(), some.end());
    };
    const int failures = program::for_each_batch(names, command.pictures, true, together, match_some);
    if (command.json || done.empty()) return failures;

    for (std::size_t i = 0; i < command.texts.size(); ++i)
        std::cout << "text " << i + 1 << ": " << command.texts[i] << '\n';
    const auto table = [&](const char* title, const auto& member) {
        std::cout << '\n' << column(title, 40);
        for (std::size_t i = 1; i <= command.texts.size(); ++i)
            std::cout << "  " << fixed(static_cast<float>(i), "%6.0f");
        std::cout << '\n';
        std::size_t at = 0;
        for (const MatchScores& some : scores)
            for (Index row = 0; row < (some.*member).extent(0); ++row) {
                std::cout << column(done[at++], 40);
                for (const float score : (some.*member).view().slice(row, 1)) std::cout << fixed(score);
                std::cout << '\n';
            }
    };
    table("ITC: cosine", &MatchScores::itc);
    if (command.options.itm) table("ITM: probability that they match", &MatchScores::itm);
    return failures;
}

template <class Model>
int write_features(const Pipeline<Model>& blip2, const FeaturesCommand& command) {
    constexpr Index queries = Model::queries, width = Model::embedding;
    Scratch s;
    program::set_products(s, blip2.model, command.model);
    std::vector<std::string> done;
    std::vector<float> features;
    int failures = 0;
    if (command.pictures.any())
        failures = program::for_each_picture(program::with_folders(picture_names(command.pictures)), command.pictures,
                                             true, [&](const std::string& name, const Image& image) {
                                                 const auto now = features_of(blip2, image, s);
                                                 features.insert(features.end(), now.begin(), now.end());
                                                 done.push_back(name);
                                                 return true;
                                             });
    SafetensorsWriter writer;
    writer.note("pictures", program::json_text(done));
    writer.note("texts", program::json_text(command.texts));
    if (!done.empty()) writer.add("image_features", {static_cast<Index>(done.size()), queries, width}, features.data());
    if (!command.texts.empty()) {
        const auto frame = s.frame();
        const auto words = match_texts(*blip2.processor.tokenizer, command.texts, positions<Model>, command.options);
        writer.add("text_features", {static_cast<Index>(command.texts.size()), width},
                   blip2.model.text_features(words, s).data());
    }
    writer.write(command.out);
    std::cout << command.out << ": features of " << done.size() << " pictures and " << command.texts.size()
              << " texts\n";
    return failures;
}

// The pictures of the index that were asked for, best first.
struct Found {
    const IndexedPicture* picture;
    float cosine, score;
};

template <class Model>
int search(const Pipeline<Model>& blip2, const SearchCommand& command) {
    constexpr Index queries = Model::queries, width = Model::embedding;
    Scratch s;
    program::set_products(s, blip2.model, command.model);
    PictureIndex index(command.index, weights_checksum(blip2.model, 1), reading_of(blip2, command), queries, width);
    std::vector<std::string> missing;
    int failures = 0;
    if (command.pictures.any())
        for (const std::string& name : program::with_folders(picture_names(command.pictures)))
            if (index.find(name) == nullptr) missing.push_back(name);
    if (!missing.empty()) {
        constexpr int often = 64;  // pictures that are lost at most when the program is stopped
        int fresh = 0;
        failures = program::for_each_picture(missing, command.pictures, true,
                                             [&](const std::string& name, const Image& image) {
                                                 index.set(IndexedPicture::of(name, features_of(blip2, image, s)));
                                                 if (++fresh % often == 0) index.save();
                                                 return true;
                                             });
        index.save();
    }
    std::cerr << command.index << ": " << index.pictures().size() << " pictures, "
              << missing.size() - static_cast<std::size_t>(failures) << " of them new\n";
    if (command.texts.empty() && command.like.empty()) return failures;

    const auto frame = s.frame();
    const auto words = match_texts(*blip2.processor.tokenizer, command.texts, positions<Model>, command.options);
    std::vector<Found> found;
    if (!command.texts.empty()) {
        const ConstRows<width> asked = blip2.model.text_features(words, s);
        for (const IndexedPicture& picture : index.pictures()) {
            const ConstRows<width> features(picture.features.data(), {queries, width});
            const float cosine = blip2.model.itc(features, asked, s)(0, 0);
            found.push_back({&picture, cosine, cosine});
        }
    } else {
        const auto asked = features_of(blip2, program::read_picture(command.like, command.pictures), s);
        for (const IndexedPicture& picture : index.pictures()) {
            const float alike = likeness(asked, picture.features, width);
            found.push_back({&picture, alike, alike});
        }
    }
    const auto better = [](const Found& a, const Found& b) { return a.score > b.score; };
    std::ranges::stable_sort(found, better);
    if (command.rerank > 0) {  // as LAVIS does: the logit of "match" on top of the cosine
        std::vector<Found> best(found.begin(),
                                found.begin() + std::min<std::ptrdiff_t>(command.rerank, std::ssize(found)));
        for (Found& one : best) {
            const auto now = s.frame();
            try {
                const Image image = program::read_picture(one.picture->name, command.pictures);
                const auto seen = encode_image(blip2.model.vision, blip2.processor.preprocess, image, s);
                const std::vector<ImageTextPair> pair{{0, 0}};
                one.score += blip2.model.itm(blip2.model.qformer.read(seen, s), pair, words, s)(0, 1);
            } catch (const Error& error) {  // gone or changed since it was indexed: the others go on
                program::complain(one.picture->name, error);
                one.picture = nullptr, ++failures;
            }
        }
        std::erase_if(best, [](const Found& one) { return one.picture == nullptr; });
        std::ranges::stable_sort(best, better);
        found = std::move(best);
    }
    found.resize(std::min(found.size(), static_cast<std::size_t>(command.top)));
    for (const Found& one : found) {
        if (command.json) {
            Json out = {{"picture", one.picture->name}, {"itc", one.cosine}};
            if (command.rerank > 0) out["score"] = one.score;
            program::print(out);
        } else {
            std::cout << fixed(one.score) << "  " << one.picture->name << '\n';
        }
    }
    return failures;
}

}  // namespace

int run(const MatchCommand& command) {
    return run_in_style(command, [](const auto& blip2, const auto& styled) { return match_all(blip2, styled); });
}
int run(const FeaturesCommand& command) {
    return run_in_style(command, [](const auto& blip2, const auto& styled) { return write_features(blip2, styled); });
}
int run(const SearchCommand& command) {
    if (!command.texts.empty() && !command.like.empty())
        throw Error(Errc::option_value, "--text and --like: expected one of them, found both");
    if (command.rerank > 0 && command.texts.empty())
        throw Error(Errc::option_value, "--rerank: expected a --text to match pictures with, found none");
    return run_in_style(command, [](const auto& blip2, const auto& styled) { return search(blip2, styled); });
}
