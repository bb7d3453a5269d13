// How fast rows of weights become panels: what loading a checkpoint does to every number.
//     panels [--threads N]
// GB/s of rows read, for each pair of their type and the stored one, beside copying them; the memory has been written before.
#include <cstdio>
#include <cstring>
#include <string>
#include <tessera/kernel/panels.hpp>

#include "support/race.hpp"

namespace {

using namespace tessera;

template <class T>
void measure(const char* name, Stored stored) {
    constexpr Index out = 10240, in = 2560;
    Buffer<T> rows(out * in), copy(out * in);
    std::fill_n(rows.data(), rows.size(), T{});
    std::fill_n(copy.data(), copy.size(), T{});
    kernel::Panels panels(out, in, stored);
    std::vector<benchmark::Contender> all;
    all.push_back({"panels", [&](int) { panels.write(0, rows.data(), out); }});
    all.push_back({"copy", [&](int) {
                       kernel::parallel_for(out, [&](Index row) {
                           std::memcpy(copy.data() + row * in, rows.data() + row * in, sizeof(T) * std::size_t{in});
                       });
                   }});
    benchmark::race(all, 0.3);
    const double bytes = 1e-9 * double(rows.size()) * double(sizeof(T));
    std::printf("| %s | %.1f | %.1f |\n", name, bytes / all[0].best, bytes / all[1].best);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc == 3 && std::string(argv[1]) == "--threads") kernel::set_threads(std::stoi(argv[2]));
    std::printf("%d threads; GB/s of rows read\n\n| rows -> panels | panels | copy |\n|---|---|---|\n",
                kernel::threads());
    measure<float>("f32 -> f32", Stored::f32);
    measure<float>("f32 -> bf16", Stored::bf16);
    measure<bf16>("bf16 -> bf16", Stored::bf16);
    measure<bf16>("bf16 -> f32", Stored::f32);
}
