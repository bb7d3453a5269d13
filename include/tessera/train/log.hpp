// What a training run says of its steps: one JSON object a line, and curves of it.
#pragma once
#include <charconv>
#include <cmath>
#include <concepts>
#include <filesystem>
#include <initializer_list>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <tessera/core/file.hpp>
#include <tessera/core/json.hpp>
#include <tessera/core/output_file.hpp>
#include <vector>

namespace tessera::inline TESSERA_ISA {

/// A number of a step and what it is called: `loss.itc`, `rate`, `seconds`.
class LogValue {
  public:
    /// A float is written with the digits of a float. What is not finite becomes null, as JSON has no word for it.
    LogValue(std::string_view name, std::floating_point auto value) : name_(name) {
        if (std::isfinite(value)) print(value);
    }
    LogValue(std::string_view name, std::integral auto value) : name_(name) { print(value); }

    std::string_view name() const { return name_; }
    std::string_view text() const { return {text_, size_}; }

  private:
    void print(auto value) {
        size_ = static_cast<std::size_t>(std::to_chars(text_, text_ + sizeof text_, value).ptr - text_);
    }

    std::string_view name_;
    char text_[32] = "null";
    std::size_t size_ = 4;
};

/// The log of a run: `{"step":20,"loss":3.25,"rate":1e-04}`, a line for a step. A line is handed to the system whole, so that it is there
/// whenever the program ends.
/// ```cpp
/// TrainingLog log("run/log.jsonl", 0);  // steps that are done: where a run goes on, those of its state
/// log.append(1, {{"loss.itc", 2.5f}, {"rate", 1e-4}, {"seconds", 0.25}});
/// ```
/// errors  Errc::file_open; Errc::file_format where a file that is there is no such log
class TrainingLog {
  public:
    /// Goes on with a log after `step` steps: what is said of later ones, which are done again, is dropped, and a line that is not whole.
    TrainingLog(const std::filesystem::path& path, Index step) : file_(cut(path, step)) {}

    /// `step` counts the steps that are done. Names are JSON as they are: no quotes, no controls.
    /// cost    allocates nothing after the first lines
    void append(Index step, std::span<const LogValue> values) {
        line_ = "{\"step\":";
        line_ += LogValue("", step).text();
        for (const LogValue& value : values) {
            TESSERA_EXPECTS(value.name().find_first_of("\"\\\n") == std::string_view::npos);
            ((line_ += ",\"") += value.name()) += "\":";
            line_ += value.text();
        }
        line_ += "}\n";
        file_.append(line_);
    }
    void append(Index step, std::initializer_list<LogValue> values) {
        append(step, std::span(values.begin(), values.size()));
    }

    /// The step of a line. `where` names the line in messages.
    static Index step_of(const JsonFile& line) { return line.root().object()["step"].whole(0, Index{1} << 53); }

    /// Calls f(line, json) for each whole line of `text`, whose name is `name`.
    template <class F>
    static void for_each_line(std::string_view text, const std::string& name, const F& f) {
        for (Index number = 1; text.find('\n') != text.npos; ++number) {
            const std::string_view line = text.substr(0, text.find('\n') + 1);
            const JsonFile json(line, name + ':' + std::to_string(number), Errc::file_format, JsonNull::refused);
            f(line, json);
            text.remove_prefix(line.size());
        }
    }

  private:
    static AppendFile cut(const std::filesystem::path& path, Index step) {
        std::error_code ignored;
        if (std::filesystem::is_regular_file(path, ignored)) {
            std::string kept;
            const MappedFile file(path);
            for_each_line(file.text(), path.string(), [&](std::string_view line, const JsonFile& json) {
                if (step_of(json) <= step) kept += line;
            });
            if (kept.size() != file.text().size()) replace_file(path, kept);
        }
        return AppendFile(path);
    }

    AppendFile file_;
    std::string line_;
};

/// A quantity of a log over the steps that it was written for.
struct LogCurve {
    std::string name;
    std::vector<double> steps, values;
};

/// The curves of a log, in the order in which they first appear. Null is left out, and what is no number.
/// errors  Errc::file_open; Errc::file_format names the line
inline std::vector<LogCurve> read_log(const std::filesystem::path& path) {
    std::vector<LogCurve> curves;
    const MappedFile file(path);
    TrainingLog::for_each_line(file.text(), path.string(), [&](std::string_view, const JsonFile& json) {
        const auto step = static_cast<double>(TrainingLog::step_of(json));
        for (const JsonValue value : json.root()) {
            if (value.key() == "step" || !value.is_number()) continue;
            auto curve = std::ranges::find(curves, value.key(), &LogCurve::name);
            if (curve == curves.end()) curve = curves.insert(curve, {std::string(value.key()), {}, {}});
            curve->steps.push_back(step);
            curve->values.push_back(value.number());
        }
    });
    return curves;
}

}  // namespace tessera::inline TESSERA_ISA
