// Curves over the steps of a run, as a picture: a panel for each quantity, a line for each run.
#pragma once
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <span>
#include <string>
#include <string_view>
#include <tessera/core/error.hpp>
#include <tessera/core/view.hpp>
#include <vector>

namespace tessera::inline TESSERA_ISA {

/// Points of a line, x in rising order. What is not finite is left out.
struct Curve {
    std::string name;  // in the legend
    std::vector<double> x, y;
};

/// A quantity, and how each run has it.
struct CurvePanel {
    std::string title;             // the label of the y axis
    std::string x_label = "step";  // the label of the x axis
    std::vector<Curve> curves;
};

namespace drawing {

inline constexpr Index panel_columns = 2;
inline constexpr double panel_width = 480, panel_height = 300;
inline constexpr double margin_left = 78, margin_right = 20, margin_top = 34, margin_bottom = 48;
/// Told apart by those who do not see all colours too.
/// source  Okabe and Ito 2008
inline constexpr std::array line_colours{"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"};

/// Round numbers on an axis from `low` to `high`: steps of 1, 2 or 5 times a power of ten.
struct Axis {
    double low = 0, high = 1, step = 1;
    Index decimals = 0;  // that tell ticks apart

    Axis(double from, double to) : low(from), high(to) {
        if (!(low < high)) {  // one value: somewhat around it
            const double around = low == 0 ? 1 : std::abs(low) / 2;
            low -= around, high += around;
        }
        constexpr double ticks = 5;
        const double power = std::pow(10.0, std::floor(std::log10((high - low) / ticks)));
        const double steps = (high - low) / ticks / power;  // 1 … 10
        step = power * (steps <= 1 ? 1 : steps <= 2 ? 2 : steps <= 5 ? 5 : 10);
        decimals = std::max(Index{0}, -static_cast<Index>(std::floor(std::log10(step) + 1e-9)));
    }
    /// The same with both ends on a tick.
    Axis whole() const {
        Axis out = *this;
        out.low = std::floor(low / step + 1e-9) * step;
        out.high = std::ceil(high / step - 1e-9) * step;
        return out;
    }
    std::vector<double> ticks() const {
        std::vector<double> out;
        for (double tick = std::ceil(low / step - 1e-9); tick * step <= high + 1e-9 * step; ++tick)
            out.push_back(tick * step);
        return out;
    }
    /// `0.05`, `2e-05`, `12000`
    std::string label(double value) const {
        char text[48];
        if (std::abs(value) < step / 2) return "0";
        const bool fine = decimals > 4, large = std::max(std::abs(low), std::abs(high)) >= 1e6;
        std::snprintf(text, sizeof text, fine || large ? "%.*g" : "%.*f",
                      fine || large ? 4 : static_cast<int>(decimals), value);
        return text;
    }
};

inline std::string svg_number(double value) {
    char text[48];
    std::snprintf(text, sizeof text, "%.1f", value);
    return text;
}
inline std::string svg_escaped(std::string_view words) {
    std::string text;
    for (const char c : words) text += c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '>' ? "&gt;" : std::string(1, c);
    return text;
}
inline std::string svg_text(double x, double y, std::string_view anchor, std::string_view words,
                            std::string_view more = {}) {
    return "<text x=\"" + svg_number(x) + "\" y=\"" + svg_number(y) + "\" text-anchor=\"" + std::string(anchor) + '"' +
           std::string(more) + '>' + svg_escaped(words) + "</text>\n";
}
inline std::string svg_line(double x1, double y1, double x2, double y2, std::string_view stroke) {
    return "<path d=\"M" + svg_number(x1) + ' ' + svg_number(y1) + 'L' + svg_number(x2) + ' ' + svg_number(y2) +
           "\" stroke=\"" + std::string(stroke) + "\"/>\n";
}

/// What is finite, and of many points that share a pixel their mean: a file of bounded size for runs of any length.
inline Curve thinned(const Curve& curve, const Axis& x, double pixels) {
    Curve out{curve.name, {}, {}};
    double sum_x = 0, sum_y = 0;
    Index count = 0, last = -1;
    const auto finish = [&] {
        if (count == 0) return;
        out.x.push_back(sum_x / static_cast<double>(count));
        out.y.push_back(sum_y / static_cast<double>(count));
        sum_x = sum_y = 0, count = 0;
    };
    for (std::size_t i = 0; i < std::min(curve.x.size(), curve.y.size()); ++i) {
        if (!std::isfinite(curve.x[i]) || !std::isfinite(curve.y[i])) continue;
        const auto pixel = static_cast<Index>((curve.x[i] - x.low) / (x.high - x.low) * pixels);
        if (pixel != last) finish();
        last = pixel;
        sum_x += curve.x[i], sum_y += curve.y[i], ++count;
    }
    finish();
    return out;
}

/// From the least to the greatest finite number; around 0 where there is none. No ticks between whole numbers.
inline Axis axis_of(const std::vector<Curve>& curves, std::vector<double> Curve::*numbers) {
    double low = 0, high = 0;
    bool any = false, whole = true;
    for (const Curve& curve : curves)
        for (const double x : curve.*numbers) {
            if (!std::isfinite(x)) continue;
            low = any ? std::min(low, x) : x, high = any ? std::max(high, x) : x;
            any = true;
            whole = whole && x == std::floor(x);
        }
    Axis axis(low, high);
    if (whole && axis.step < 1) axis.step = 1, axis.decimals = 0;
    return axis;
}

/// One panel, its upper left corner at (left, top).
inline std::string curve_panel(const CurvePanel& panel, double left, double top) {
    const double x0 = left + margin_left, x1 = left + panel_width - margin_right;
    const double y0 = top + panel_height - margin_bottom, y1 = top + margin_top;
    const Axis x = axis_of(panel.curves, &Curve::x);
    std::vector<Curve> curves;
    for (const Curve& curve : panel.curves) curves.push_back(thinned(curve, x, x1 - x0));
    const Axis y = axis_of(curves, &Curve::y).whole();
    const auto across = [&](double value) { return x0 + (value - x.low) / (x.high - x.low) * (x1 - x0); };
    const auto up = [&](double value) { return y0 - (value - y.low) / (y.high - y.low) * (y0 - y1); };

    std::string out;
    for (const double tick : y.ticks()) {
        out += svg_line(x0, up(tick), x1, up(tick), "#e4e7ea");
        out += svg_text(x0 - 8, up(tick) + 4, "end", y.label(tick));
    }
    for (const double tick : x.ticks()) {
        out += svg_line(across(tick), y0, across(tick), y0 + 5, "#2d343e");
        out += svg_text(across(tick), y0 + 19, "middle", x.label(tick));
    }
    out += svg_line(x0, y0, x1, y0, "#2d343e") + svg_line(x0, y0, x0, y1, "#2d343e");
    out += svg_text((x0 + x1) / 2, y0 + 38, "middle", panel.x_label);
    out += svg_text(left + 16, (y0 + y1) / 2, "middle", panel.title,
                    " transform=\"rotate(-90 " + svg_number(left + 16) + ' ' + svg_number((y0 + y1) / 2) + ")\"");
    for (std::size_t i = 0; i < curves.size(); ++i) {
        const Curve& curve = curves[i];
        const std::string colour = line_colours[i % line_colours.size()];
        if (curve.x.size() == 1)
            out += "<circle cx=\"" + svg_number(across(curve.x[0])) + "\" cy=\"" + svg_number(up(curve.y[0])) +
                   "\" r=\"3\" fill=\"" + colour + "\"/>\n";
        if (curve.x.size() > 1) {
            out += "<path fill=\"none\" d=\"";
            for (std::size_t k = 0; k < curve.x.size(); ++k)
                out += (k == 0 ? 'M' : 'L') + svg_number(across(curve.x[k])) + ' ' + svg_number(up(curve.y[k]));
            out += "\" stroke=\"" + colour + "\" stroke-width=\"1.5\" stroke-linejoin=\"round\"/>\n";
        }
        if (curves.size() > 1 || !curve.name.empty()) {  // the legend, in the upper right corner
            const double at = y1 + 4 + 17 * static_cast<double>(i);
            out += "<path d=\"M" + svg_number(x1 - 22) + ' ' + svg_number(at) + "h22\" stroke=\"" + colour +
                   "\" stroke-width=\"3\"/>\n";
            out += svg_text(x1 - 28, at + 4, "end", curve.name);
        }
    }
    return out;
}

}  // namespace drawing

/// The text of an SVG file with all panels, two in a row. The same curves give the same bytes.
/// errors  Errc::option_value where there is nothing to draw
/// cost    at most one point a pixel, however long the curves are
inline std::string svg(std::span<const CurvePanel> panels, std::string_view title = "curves") {
    using namespace drawing;
    const bool any = std::ranges::any_of(panels, [](const CurvePanel& panel) {
        return std::ranges::any_of(panel.curves, [](const Curve& curve) {
            return std::ranges::any_of(curve.y, [](double y) { return std::isfinite(y); });
        });
    });
    if (!any) throw Error(Errc::option_value, "curves: expected one with a point or more, found none");
    const auto count = static_cast<Index>(panels.size());
    const Index columns = std::min(count, panel_columns), rows = (count + panel_columns - 1) / panel_columns;
    const std::string width = std::to_string(static_cast<Index>(panel_width) * columns);
    const std::string height = std::to_string(static_cast<Index>(panel_height) * rows);
    std::string out = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + width + ' ' + height +
                      "\" font-family=\"sans-serif\" font-size=\"12\" fill=\"#2d343e\">\n<title>" + svg_escaped(title) +
                      "</title>\n<rect width=\"" + width + "\" height=\"" + height + "\" fill=\"#ffffff\"/>\n<g>\n";
    for (Index i = 0; i < count; ++i)
        out += curve_panel(panels[static_cast<std::size_t>(i)], panel_width * static_cast<double>(i % panel_columns),
                           panel_height * static_cast<double>(i / panel_columns));
    return out + "</g>\n</svg>\n";
}

}  // namespace tessera::inline TESSERA_ISA
