// A line on the terminal that says how far loading is.
#pragma once
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <string>
#include <string_view>
#include <tessera/core/view.hpp>
#include <utility>

namespace program {

using tessera::Index;

/// `7.5 GB`; powers of ten.
inline std::string bytes_text(Index bytes) {
    constexpr const char* units[] = {"B", "kB", "MB", "GB", "TB"};
    double value = static_cast<double>(bytes);
    int unit = 0;
    while (value >= 999.5 && unit < 4) value /= 1000, ++unit;
    char out[32];
    std::snprintf(out, sizeof out, unit == 0 || value >= 99.95 ? "%.0f %s" : "%.1f %s", value, units[unit]);
    return out;
}

inline bool is_terminal(FILE* stream) { return ::isatty(::fileno(stream)) != 0; }

enum class Unit { bytes, count };

/// Draws `loading ████░░░░ 42 %  3.1 of 7.5 GB` on standard error, if that is a terminal, and wipes it out at the end.
class ProgressBar {
  public:
    explicit ProgressBar(std::string what = "loading", bool draw = is_terminal(stderr), Unit unit = Unit::bytes)
        : what_(std::move(what)), draw_(draw), unit_(unit) {}
    ProgressBar(const ProgressBar&) = delete;
    ProgressBar& operator=(const ProgressBar&) = delete;
    ~ProgressBar() { hide(); }

    /// What stands in front of the bar.
    void label(std::string what) { what_ = std::move(what); }
    /// Makes room for a line of text.
    void hide() {
        if (std::exchange(drawn_, false)) std::fputs("\r\x1b[K", stderr);
    }

    void operator()(Index done, Index total, std::string_view) {
        if (!draw_ || total <= 0) return;
        const auto now = std::chrono::steady_clock::now();
        if (drawn_ && done < total && now - last_ < std::chrono::milliseconds(50)) return;
        last_ = now;
        drawn_ = true;
        std::fprintf(stderr, "\r%s\x1b[K", line(done, total).c_str());
        std::fflush(stderr);
    }

    std::string line(Index done, Index total) const {
        constexpr Index cells = 30;
        const Index full = done * cells / total;
        std::string out = what_ + ' ';
        for (Index i = 0; i < cells; ++i) out += i < full ? "█" : "░";
        const auto text = [&](Index n) { return unit_ == Unit::bytes ? bytes_text(n) : std::to_string(n); };
        return out + ' ' + std::to_string(done * 100 / total) + " %  " + text(done) + " of " + text(total);
    }

  private:
    std::string what_;
    bool draw_, drawn_ = false;
    Unit unit_;
    std::chrono::steady_clock::time_point last_;
};

}  // namespace program
