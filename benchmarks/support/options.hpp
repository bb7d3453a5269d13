// What the programs that time a list of things have in common: the options on the command line, and the file of figures.
#pragma once
#include <CLI/CLI.hpp>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <tessera/kernel/parallel.hpp>

namespace tessera::benchmark {

using Figures = nlohmann::ordered_json;

struct Options {
    int threads = kernel::threads();
    double seconds = 0.3;  // for each thing, about
    std::string only, json;

    /// Reads the command line, on which `own` may add options of the program's own, and sets the threads. Ends the program if
    /// it is asked for help, or wrongly.
    void read(int argc, char** argv, const char* title, const std::function<void(CLI::App&)>& own = {}) {
        CLI::App app{title};
        app.add_option("--threads", threads, "How many")->check(CLI::Range(1, 1024))->capture_default_str();
        app.add_option("--seconds", seconds, "How long each is timed, about")->capture_default_str();
        app.add_option("--only", only, "Those whose name has this in it");
        app.add_option("--json", json, "Writes the figures to this file too");
        if (own) own(app);
        try {
            app.parse(argc, argv);
        } catch (const CLI::ParseError& error) {
            std::exit(app.exit(error));
        }
        kernel::set_threads(threads);
    }
    bool wants(std::string_view name) const { return name.find(only) != name.npos; }
    /// If a file was asked for.
    void write(const Figures& figures) const {
        if (!json.empty()) std::ofstream(json) << figures.dump(1) << '\n';
    }
};

}  // namespace tessera::benchmark
