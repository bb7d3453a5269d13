// config.json and, with the same content, generation_config.json.
#include <fuzz/folder.hpp>
#include <fuzz/fuzz.hpp>
#include <tessera/checkpoint/model_config.hpp>
#include <tessera/generate/generation_config.hpp>
#include <tessera/model/blip2/blip2.hpp>
#include <tessera/model/config.hpp>

using namespace tessera;

const std::string_view fuzz::place = "config.json";
const std::size_t fuzz::proportion = 1 << 15;

template <class Config>
void describe(const ModelConfig& config) {
    if (const auto found = Config::read(config))
        fuzz::expect(as_code(*found).starts_with(Config::type_name) && differences(*found, *found).empty(), "a config");
}

void fuzz::read(std::string_view bytes) {
    static const Folder folder;
    for (const char* name : {"config.json", "generation_config.json"}) folder.write(name, bytes);
    const ModelConfig config(folder.path());
    read_generation_config(config);
    mismatches<Blip2Tiny>(config);
    describe<VitConfig>(config);
    describe<QFormerConfig>(config);
    describe<OptConfig>(config);
    describe<T5Config>(config);
}
