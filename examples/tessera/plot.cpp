#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <tessera/core/output_file.hpp>
#include <tessera/study/curves.hpp>
#include <tessera/train/log.hpp>

#include "commands.hpp"

namespace {

using namespace tessera;

// What a log is called in the legend: its file, or its folder where all files have the same name.
std::string run_name(const std::filesystem::path& log) {
    const std::string folder = std::filesystem::absolute(log).parent_path().filename().string();
    return log.stem() == "log" && !folder.empty() ? folder : log.stem().string();
}

bool wanted(const PlotCommand& command, const std::string& quantity) {
    return command.only.empty() || std::ranges::any_of(command.only, [&](const std::string& name) {
               return quantity == name || quantity.starts_with(name + '.');
           });
}

void print(const CurvePanel& panel) {
    for (const Curve& curve : panel.curves) {
        char numbers[128];
        std::snprintf(numbers, sizeof numbers, "%12.6g %12.6g   steps %.0f to %.0f", curve.y.front(), curve.y.back(),
                      curve.x.front(), curve.x.back());
        std::cout << panel.title << std::string(panel.title.size() < 24 ? 24 - panel.title.size() : 1, ' ') << numbers
                  << (curve.name.empty() ? "" : "   ") << curve.name << '\n';
    }
}

}  // namespace

int run(const PlotCommand& command) {
    std::vector<CurvePanel> panels;
    for (const std::string& log : command.logs)
        for (LogCurve& curve : read_log(log)) {
            if (!wanted(command, curve.name)) continue;
            auto panel = std::ranges::find(panels, curve.name, &CurvePanel::title);
            if (panel == panels.end()) panel = panels.insert(panel, CurvePanel{.title = curve.name, .curves = {}});
            panel->curves.push_back(
                {command.logs.size() > 1 ? run_name(log) : "", std::move(curve.steps), std::move(curve.values)});
        }
    if (panels.empty())
        throw Error(Errc::option_value, command.logs.front(), ": expected numbers of steps",
                    command.only.empty() ? "" : " of the names that --only gives", ", found none");
    if (!command.svg.empty()) replace_file(command.svg, svg(panels, "training: " + command.logs.front()));
    for (const CurvePanel& panel : panels) print(panel);
    return 0;
}
