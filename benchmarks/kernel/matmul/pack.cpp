// How fast rows of weights become panels, what loading a checkpoint does to every number, beside copying the rows.
//     panels [--benchmark_filter=REGEX] [--benchmark_out=FILE] [...]      (all: --help)
// GB/s of rows read; the memory has been written before.
#include <cstring>
#include <tessera/kernel/matmul/pack.hpp>

#include "support/run.hpp"

namespace {

using namespace tessera;

constexpr Index out = 10240, in = 2560;

template <class T>
void add(const std::string& name, DType stored) {
    constexpr bench::Work work{.bytes = sizeof(T) * double{out} * double{in}};
    bench::add(name + "/panels", [=](bench::State& state) {
        const Buffer<T> rows(out * in);
        kernel::PackedB panels(out, in, stored);
        bench::measure(state, work, [&](Index) { panels.write(0, rows.data(), out); });
    });
    bench::add(name + "/copy", [=](bench::State& state) {
        const Buffer<T> rows(out * in);
        Buffer<T> copy(out * in);
        bench::measure(state, work, [&](Index) {
            kernel::parallel_for(out, [&](Index row) {
                std::memcpy(copy.data() + row * in, rows.data() + row * in, sizeof(T) * std::size_t{in});
            });
        });
    });
}

}  // namespace

int main(int argc, char** argv) {
    add<float>("f32 -> f32", DType::f32);
    add<float>("f32 -> bf16", DType::bf16);
    add<float>("f32 -> f16", DType::f16);
    add<float>("f32 -> i8", DType::i8);
    add<bf16>("bf16 -> bf16", DType::bf16);
    add<bf16>("bf16 -> f32", DType::f32);
    return bench::run(argc, argv);
}
