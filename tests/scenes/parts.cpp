// The contrast of pictures with what is in them: its value as written down in plain loops, its gradients as finite differences.
#include <doctest/doctest.h>

#include <cmath>
#include <tessera/model/qformer/features.hpp>
#include <tessera/nn/linear.hpp>
#include <tessera/nn/randomize.hpp>
#include <tessera/train/tape.hpp>

#include "../../examples/scenes/train/parts.hpp"
#include "support/finite_differences.hpp"

namespace scenes_parts {
using namespace tessera;

namespace {

constexpr Index pictures = 3, patches = 4, phrases = 5, embedding = 12;
constexpr float temperature = 0.4f;
// The fourth phrase is true of no picture.
const std::vector<char> is_true{1, 1, 0, 0, 0, 0, 1, 1, 0, 0, 1, 0, 0, 0, 1};

struct Projections {
    Linear<8, embedding> patch, phrase;
    static void visit(auto& self, auto&& f) {
        f("patch", self.patch);
        f("phrase", self.phrase);
    }
};
struct Features {
    Rows<embedding> patch, phrase;
};
Features features(const Projections& model, ConstRows<8> x, Scratch& s) {
    const Features out{s.rows<embedding>(pictures * patches), s.rows<embedding>(phrases)};
    normalize_rows<embedding>(out.patch, model.patch(x.slice(0, pictures * patches), s), s);
    normalize_rows<embedding>(out.phrase, model.phrase(x.slice(pictures * patches, phrases), s), s);
    return out;
}
Rows<1> loss_of(const Features& of, Scratch& s) {
    return scenes::contrast_parts<embedding>(of.patch, of.phrase, is_true, temperature, s);
}

/// −Σ q·log softmax of numbers so far apart, with q the same for all that are true; nothing where none is.
double cross_entropy(const double* logits, const char* right, Index count, Index stride) {
    double all = 0, sum = 0, trues = 0;
    for (Index i = 0; i < count; ++i) {
        all += std::exp(logits[i * stride]);
        if (right[i * stride] == 1) sum += logits[i * stride], ++trues;
    }
    return trues == 0 ? 0 : std::log(all) - sum / trues;
}

double plain_loss(const Features& of) {
    double logits[pictures * phrases];
    for (Index i = 0; i < pictures; ++i)
        for (Index j = 0; j < phrases; ++j) {
            double best = -1e30;
            for (Index t = 0; t < patches; ++t) {
                double cosine = 0;
                for (Index k = 0; k < embedding; ++k)
                    cosine += double{of.patch(i * patches + t, k)} * double{of.phrase(j, k)};
                best = std::max(best, cosine);
            }
            logits[i * phrases + j] = best / double{temperature};
        }
    double rows = 0, columns = 0;
    for (Index i = 0; i < pictures; ++i)
        rows += cross_entropy(logits + i * phrases, is_true.data() + i * phrases, phrases, 1);
    for (Index j = 0; j < phrases; ++j) columns += cross_entropy(logits + j, is_true.data() + j, pictures, phrases);
    return (rows / pictures + columns / (phrases - 1)) / 2;
}

struct Setting {
    Projections model;
    Tensor<float, dyn, 8> x{{pictures * patches + phrases, 8}};
    Setting() {
        randomize(model, 3);
        // Far enough from where another patch becomes the nearest.
        for (const auto& [path, leaf] : leaves_of(model)) {
            std::vector<float> row(static_cast<std::size_t>(leaf.columns()));
            for (Index i = 0; i < leaf.rows(); ++i) {
                leaf.read(i, row.data());
                for (float& value : row) value *= 8;
                leaf.write(i, row.data(), 1);
            }
        }
        for (Index i = 0; i < x.size(); ++i) x.data()[i] = 3 * static_cast<float>(test::factor(i * i));
    }
};

}  // namespace

TEST_CASE("the loss is what the plain loops give") {
    const Setting setting;
    Scratch s;
    const auto of = features(setting.model, setting.x, s);
    const double want = plain_loss(of), found = double{loss_of(of, s)(0, 0)};
    INFO(found << " instead of " << want);
    CHECK(want > 0.1);
    CHECK(std::abs(found - want) < 1e-6 * want);
}

TEST_CASE("its gradients agree with finite differences") {
    Setting setting;
    Gradients gradients(setting.model);
    Tape tape(gradients);
    const auto rows = tape.rows<8>(setting.x.extent(0));
    std::copy_n(setting.x.data(), setting.x.size(), rows.data());
    tape.watch<8>(rows);
    const float seed[] = {static_cast<float>(test::factor(0))};
    tape.backward(loss_of(features(setting.model, rows, tape), tape).data(), seed);
    Scratch s;
    test::check_finite_differences(setting.model, gradients, setting.x, tape.gradient(rows.data()), [&] {
        const auto frame = s.frame();
        return test::Loss(loss_of(features(setting.model, setting.x, s), s));
    });
}

TEST_CASE("one side learns beside another that is frozen, as it does beside one that learns") {
    const Setting setting;
    const auto gradients_of = [&](const Gradients::Learns& learns) {
        Gradients gradients(setting.model, learns);
        Tape tape(gradients);
        tape.backward(loss_of(features(setting.model, setting.x, tape), tape));
        return std::vector<float>(gradients.values().begin(), gradients.values().end());
    };
    std::vector<float> apart = gradients_of([](std::string_view path) { return path.starts_with("patch."); });
    const auto phrase = gradients_of([](std::string_view path) { return path.starts_with("phrase."); });
    apart.insert(apart.end(), phrase.begin(), phrase.end());
    CHECK(apart == gradients_of({}));
}

}  // namespace scenes_parts
