#include <doctest/doctest.h>

#include <tessera/model/blip2/stock.hpp>
#include <tessera/model/config.hpp>

namespace model_config {
using namespace tessera;

namespace {

std::string joined(const std::vector<std::string>& parts) {
    std::string out;
    for (const std::string& part : parts) out += (out.empty() ? "" : "; ") + part;
    return out;
}

}  // namespace

TEST_CASE("every number that differs is named, and no member is left out") {
    CHECK(differences(eva_vit_g14, eva_vit_g14).empty());
    CHECK(joined(differences(eva_vit_g14, eva_vit_g14_364)) == "image: expected 224, found 364");
    CHECK(joined(differences(opt_125m, opt_350m)) ==
          "width: expected 768, found 1024; heads: expected 12, found 16; hidden: expected 3072, found 4096; "
          "layers: expected 12, found 24; embedding: expected 768, found 512; pre_norm: expected true, found false");
    auto other = eva_vit_g14;
    other.activation = Activation::relu;
    other.eps = 0.25f;
    CHECK(joined(differences(eva_vit_g14, other)) ==
          "activation: expected gelu, found relu; eps: expected 1e-06, found 0.25");
    // Changing any member changes `==`, the differences and the code.
    OptConfig::visit([](const char*, auto OptConfig::*member) {
        OptConfig changed = opt_350m;
        using T = std::remove_cvref_t<decltype(changed.*member)>;
        if constexpr (std::is_same_v<T, bool>)
            changed.*member = !(changed.*member);
        else
            changed.*member = static_cast<T>(4);
        CHECK(changed != opt_350m);
        CHECK(differences(opt_350m, changed).size() == 1);
        CHECK(as_code(changed) != as_code(opt_350m));
    });
}

TEST_CASE("a config as a line of C++: the sizes, and what is not as usual") {
    CHECK(as_code(VitConfig{.image = 56, .activation = Activation::quick_gelu, .patch_bias = false, .eps = 0}) ==
          "VitConfig{.image = 56, .patch = 14, .width = 1408, .heads = 16, .hidden = 6144, .layers = 39, "
          ".activation = Activation::quick_gelu, .patch_bias = false, .eps = 0.0f}");
    constexpr VitConfig pasted{.image = 56,
                               .patch = 14,
                               .width = 1408,
                               .heads = 16,
                               .hidden = 6144,
                               .layers = 39,
                               .activation = Activation::quick_gelu,
                               .patch_bias = false,
                               .eps = 0.0f};
    static_assert(pasted ==
                  VitConfig{.image = 56, .activation = Activation::quick_gelu, .patch_bias = false, .eps = 0});
    CHECK(as_code(tiny_opt) ==
          "OptConfig{.vocabulary = 608, .width = 64, .heads = 4, .hidden = 128, .layers = 3, "
          ".positions = 160, .embedding = 64}");
}

TEST_CASE("stock shapes have the published sizes") {
    static_assert(eva_vit_g14.tokens() == 257 && eva_vit_g14_364.tokens() == 677);
    static_assert(opt_2_7b.width / opt_2_7b.heads == 80 && eva_vit_g14.width / eva_vit_g14.heads == 88);
    static_assert(!opt_350m.output_norm() && opt_2_7b.output_norm());
}

}  // namespace model_config
