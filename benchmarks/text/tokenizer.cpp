// How fast a tokenizer is read, encodes a text line by line and at once, and decodes it.
//     tokenizer FOLDER TEXT [--benchmark_filter=REGEX] [--benchmark_out=FILE] [...]      (all: --help)
#include <CLI/CLI.hpp>
#include <tessera/core/file.hpp>
#include <tessera/text/read/tokenizer.hpp>

#include "support/run.hpp"

namespace {

using namespace tessera;

std::vector<std::string_view> lines_of(std::string_view text) {
    std::vector<std::string_view> lines;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        lines.push_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return lines;
}

// One benchmark; its speed in megabytes of text.
template <class Call>
void add(const std::string& name, std::size_t bytes, Call call) {
    bench::add(name, [=](bench::State& state) {
        const double time = bench::measure(state, {}, [&](Index) { ::benchmark::DoNotOptimize(call()); });
        if (bytes > 0) state.counters["MB/s"] = 1e-6 * static_cast<double>(bytes) / time;
    });
}

}  // namespace

int main(int argc, char** argv) {
    std::string folder, path;
    CLI::App app{"Reading, encoding and decoding with the tokenizer of a folder"};
    app.allow_extras();
    app.footer("Others are those of Google Benchmark, such as --benchmark_filter=REGEX and --benchmark_out=FILE.");
    app.add_option("folder", folder, "As a checkpoint has it")->required();
    app.add_option("text", path, "What to encode, UTF-8")->required();
    CLI11_PARSE(app, argc, argv);
    try {
        const std::shared_ptr<const Tokenizer> tokenizer = read_tokenizer(folder);
        const MappedFile file(path);
        const std::string_view text = file.text();
        add("read", 0, [=] { return read_tokenizer(folder); });
        add("lines", text.size(), [=, lines = lines_of(text)] {
            std::size_t count = 0;
            for (const std::string_view line : lines) count += tokenizer->encode(line).size();
            return count;
        });
        add("text", text.size(), [=] { return tokenizer->encode(text); });
        add("decode", text.size(),
            [=, ids = tokenizer->encode(text)] { return tokenizer->decode(ids, SkipSpecials::yes); });
        std::vector<std::string> extras = app.remaining();
        std::vector<char*> rest{argv[0]};
        for (std::string& extra : extras) rest.push_back(extra.data());
        return bench::run(static_cast<int>(rest.size()), rest.data());
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s: %s\n", argv[0], error.what());
        return 1;
    }
}
