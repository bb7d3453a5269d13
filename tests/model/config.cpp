#include <doctest/doctest.h>

#include <tessera/model/blip2/stock.hpp>

namespace model_config {
using namespace tessera;

TEST_CASE("the first number that differs is named, and no member is left out") {
    CHECK(difference(eva_vit_g14, eva_vit_g14).empty());
    CHECK(difference(eva_vit_g14, eva_vit_g14_364) == "image: expected 224, found 364");
    CHECK(difference(eva_vit_g14, clip_vit_l14) == "width: expected 1408, found 1024");
    CHECK(difference(opt_2_7b, blip2_opt_2_7b_decoder) == "vocabulary: expected 50272, found 50304");
    auto other = eva_vit_g14;
    other.activation = Activation::relu;
    CHECK(difference(eva_vit_g14, other) == "activation: expected gelu, found relu");
    // Changing any member changes both `==` and `difference`.
    visit_numbers(opt_350m, [](const char*, auto OptConfig::*member) {
        OptConfig changed = opt_350m;
        using T = std::remove_cvref_t<decltype(changed.*member)>;
        if constexpr (std::is_same_v<T, bool>)
            changed.*member = !(changed.*member);
        else
            changed.*member = static_cast<T>(7);
        CHECK(changed != opt_350m);
        CHECK(!difference(opt_350m, changed).empty());
    });
}

TEST_CASE("stock shapes have the published sizes") {
    static_assert(eva_vit_g14.tokens() == 257 && eva_vit_g14_364.tokens() == 677);
    static_assert(opt_2_7b.width / opt_2_7b.heads == 80 && eva_vit_g14.width / eva_vit_g14.heads == 88);
    static_assert(!opt_350m.output_norm() && opt_2_7b.output_norm());
}

}  // namespace model_config
