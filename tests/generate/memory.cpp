#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <map>
#include <support/golden.hpp>
#include <support/stored.hpp>
#include <tessera/generate/memory.hpp>
#include <tessera/nn/randomize.hpp>

namespace generate_memory {
using namespace tessera;

namespace {

template <class Model>
void check_allocated() {
    for (const DType weights : test::weight_dtypes) {
        Model model;
        const Index expected = parameter_bytes_as(model, weights);
        CHECK(parameter_bytes(model) == 0);
        randomize(model, 1, weights);
        CHECK(parameter_bytes(model) == expected);
    }
}

}  // namespace

TEST_CASE("a model takes as many bytes as is said before") {
    check_allocated<Blip2Tiny>();
    check_allocated<Blip2TinyT5>();
    check_allocated<Blip2ItmTiny>();
}

TEST_CASE("keys and values take as many bytes as is said before") {
    const Opt<tiny_opt> opt;
    CHECK(opt.cache(11).bytes() == 11 * cache_row_bytes<Opt<tiny_opt>>());
    T5<tiny_t5> t5;
    randomize(t5, 1);
    Scratch s;
    const auto frame = s.frame();
    const Token words[] = {5, 6, 7};
    const Prompt<tiny_t5.width> prompt{{}, words};
    const auto text = t5.begin(std::span(&prompt, 1), 9, s);
    CHECK(text[0].cache.bytes() == (10 + 3) * cache_row_bytes<T5<tiny_t5>>());  // of the text and of its source
    CHECK(text[0].cache.source.bytes() == 3 * cache_row_bytes<T5<tiny_t5>>());
}

TEST_CASE("temporaries for a picture are what is said, but for what attention takes for itself") {
    Vit<tiny_vit> vision;
    randomize(vision, 1);
    constexpr Grid grid{4, 4};
    const Tensor<float, dyn, tiny_vit.patch_pixels()> patches({grid.size(), tiny_vit.patch_pixels()});
    Scratch s;
    {
        const auto frame = s.frame();
        vision(patches, grid, s);
    }
    CHECK(s.capacity() <= vision_bytes<Vit<tiny_vit>>() + (Index{2} << 20));
}

TEST_CASE(
    "published checkpoints have the parameters that transformers counts, and the table is the one in the "
    "documentation") {
    // transformers 5.24; of FlanT5 the output layer is added, which its configs tie and the files do not.
    const std::map<std::string, Index> published{{"blip2-opt-2.7b", 3744761856},
                                                 {"blip2-opt-2.7b-coco", 3745353216},
                                                 {"blip2-opt-6.7b", 7752869376},
                                                 {"blip2-opt-6.7b-coco", 7753460736},
                                                 {"blip2-flan-t5-xl", 3876648448 + 32128 * 2048},
                                                 {"blip2-flan-t5-xl-coco", 3877239808 + 32128 * 2048},
                                                 {"blip2-flan-t5-xxl", 12098000384 + 32128 * 4096},
                                                 {"blip2-itm-vit-g", 1172032258},
                                                 {"blip2-itm-vit-g-coco", 1172623618}};
    any_model(published_models, [&]<class Model>(const Compiled<Model>& compiled) {
        CAPTURE(compiled.name);
        CHECK(parameter_count(Model()) == published.at(compiled.name));
        return false;
    });
    const auto file =
        test::golden("").parent_path().parent_path().parent_path() / "examples" / "tessera" / "memory.txt";
    std::ifstream in(file);
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    if (kernel::panel_width == 48) CHECK(text == memory_table());  // what fills up the last panels differs
}

}  // namespace generate_memory
