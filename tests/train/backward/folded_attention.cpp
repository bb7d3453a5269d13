// The gradients of folded attention against those of plain attention, in plain loops: keys and values are made there.
#include <doctest/doctest.h>

#include <random>
#include <tessera/kernel/parallel.hpp>
#include <tessera/mask/any.hpp>
#include <tessera/nn/randomize.hpp>
#include <tessera/reference/attention_gradients.hpp>
#include <tessera/reference/linear.hpp>
#include <tessera/study.hpp>
#include <tessera/train/backward/folded_attention.hpp>

#include "support/compare.hpp"

namespace train_backward_folded_attention {
using namespace tessera;

namespace {

constexpr Index width = 48, heads = 4, wide = 96;
using Folded = FoldedAttention<width, heads, wide>;
using Table = Tensor<float, dyn, dyn>;

Table random_table(Index rows, Index columns, unsigned seed) {
    Table x({rows, columns});
    std::mt19937 random(seed);
    std::normal_distribution<float> normal;
    for (float& value : x.view()) value = normal(random);
    return x;
}

struct Gradients {
    Table query, key{{width, wide}}, value{{width, wide}}, context;
    Tensor<float, width> value_bias;
    Gradients(Index queries, Index keys) : query({queries, width}), context({keys, wide}) {}
};

// The weight of a head layer, as a table.
Table weight_of(const auto& leaf) {
    Table weight({width, wide});
    for (Index row = 0; row < width; ++row) leaf.read(row, &weight(row, 0));
    return weight;
}

Gradients plain(const Folded& layer, const Table& d_mixed, const Table& q, const Table& context, const AnyMask& mask) {
    const Index queries = q.extent(0), keys = context.extent(0);
    const Table key_weight = weight_of(layer.key.weight), value_weight = weight_of(layer.value.weight);
    Table k({keys, width}), v({keys, width}), dk({keys, width}), dv({keys, width}), from_values({keys, wide});
    reference::linear(k.view(), context.view(), key_weight.view(), {layer.key.bias.data(), {width}});
    reference::linear(v.view(), context.view(), value_weight.view(), {layer.value.bias.data(), {width}});
    Gradients out(queries, keys);
    reference::attention_gradients(out.query.view(), dk.view(), dv.view(), d_mixed.view(), q.view(), k.view(), v.view(),
                                   heads, 1 / std::sqrt(double{width / heads}), mask);
    reference::weight_gradient(out.key.view(), dk.view(), context.view());
    reference::weight_gradient(out.value.view(), dv.view(), context.view());
    reference::bias_gradient(View<float, dyn>(out.value_bias.view()), dv.view());
    reference::input_gradient(out.context.view(), dk.view(), key_weight.view());
    reference::input_gradient(from_values.view(), dv.view(), value_weight.view());
    for (Index i = 0; i < out.context.size(); ++i) out.context.data()[i] += from_values.data()[i];
    return out;
}

Gradients folded(const Folded& layer, const Table& d_mixed, const Table& q, const Table& context, const AnyMask& mask,
                 Scratch& s) {
    Gradients out(q.extent(0), context.extent(0));
    const auto frame = s.frame();
    const ConstRows<width> queries(q.view());
    const ConstRows<wide> picture(context.view());
    const auto between = layer.mix(s.rows<width>(q.extent(0)), queries, picture, mask, s);
    folded_attention_backward(layer, between, ConstRows<width>(d_mixed.view()), queries, picture, mask, s,
                              {.query = Rows<width>(out.query.view()),
                               .key = View<float, width, wide>(out.key.view()),
                               .value = View<float, width, wide>(out.value.view()),
                               .value_bias = out.value_bias.view(),
                               .context = Rows<wide>(out.context.view())});
    return out;
}

// Five sums one behind another, of 12, 96, at most 257 and 96 products, and 33 rows, in two orders.
constexpr double tolerance = 2 * (12 + 96 + 257 + 96 + 33) * 0x1p-24;

}  // namespace

TEST_CASE("gradients of folded attention are those of attention") {
    Folded layer;
    randomize(layer, 5);
    layer.key.bias.fill(0.5f);
    layer.value.bias.fill(-0.25f);
    Scratch s;
    const AnyMask masks[] = {Full{}, Predicate{[](Site at) { return at.query % 2 == 0 && at.key % 3 != 1; }}};
    for (const AnyMask& mask : masks)
        for (const Index queries : {1, 7, 33})
            for (const Index keys : {1, 7, 257}) {
                CAPTURE(queries);
                CAPTURE(keys);
                const Table d_mixed = random_table(queries, width, 3), q = random_table(queries, width, 1),
                            context = random_table(keys, wide, 2);
                const Gradients got = folded(layer, d_mixed, q, context, mask, s);
                const Gradients want = plain(layer, d_mixed, q, context, mask);
                if (keys > 1) {  // over one key there is nothing to choose: these are zero but for rounding
                    test::check_close("query", got.query.view().span(), want.query.view().span(), tolerance);
                    test::check_close("key weight", got.key.view().span(), want.key.view().span(), tolerance);
                }
                test::check_close("value weight", got.value.view().span(), want.value.view().span(), tolerance);
                test::check_close("value bias", got.value_bias.view().span(), want.value_bias.view().span(), tolerance);
                test::check_close("context", got.context.view().span(), want.context.view().span(), tolerance);
            }
}

TEST_CASE("the gradients have the same bits at any number of threads, and are added to weights' gradients") {
    Folded layer;
    randomize(layer, 5);
    Scratch s;
    const Table d_mixed = random_table(40, width, 3), q = random_table(40, width, 1),
                context = random_table(70, wide, 2);
    kernel::set_threads(1);
    const Gradients want = folded(layer, d_mixed, q, context, Full{}, s);
    for (const int threads : {2, 3}) {
        kernel::set_threads(threads);
        const Gradients got = folded(layer, d_mixed, q, context, Full{}, s);
        for (const auto& [a, b] :
             {std::pair{&got.query, &want.query}, {&got.key, &want.key}, {&got.value, &want.value}})
            CHECK(std::equal(a->view().begin(), a->view().end(), b->view().begin()));
    }
    kernel::set_threads(2);

    Gradients twice = folded(layer, d_mixed, q, context, Full{}, s);
    const auto between =
        layer.mix(s.rows<width>(40), ConstRows<width>(q.view()), ConstRows<wide>(context.view()), Full{}, s);
    folded_attention_backward(layer, between, ConstRows<width>(d_mixed.view()), ConstRows<width>(q.view()),
                              ConstRows<wide>(context.view()), Full{}, s,
                              {.query = Rows<width>(twice.query.view()),
                               .key = View<float, width, wide>(twice.key.view()),
                               .value = View<float, width, wide>(twice.value.view()),
                               .value_bias = twice.value_bias.view()});  // of a frozen picture
    for (Index i = 0; i < want.key.size(); ++i)
        CHECK(twice.key.data()[i] == doctest::Approx(2 * want.key.data()[i]).epsilon(1e-5));
}

}  // namespace train_backward_folded_attention
