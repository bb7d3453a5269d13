"""Draws what `kernel/mask_sweep` measured: time against density, and GFLOP/s against length.

    python plot.py sweep.json … --out attention.svg [--title TEXT]

Reads what --benchmark_out wrote, JSON or CSV, and of each benchmark the fastest repetition. Left: time over that of the mask
`full`, which has to be among them, against the share of live tiles, at the longest length that has more than one mask: what is
on the diagonal pays for what is visible and for nothing else. Right: useful GFLOP/s against length, of masks that were timed at
more than one. Where there are several head dimensions, types or thread counts, they are told apart in the legend.
"""

import argparse
import csv
import itertools
import json
import re
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
matplotlib.rcParams["svg.fonttype"] = "none"  # text as text: small files
matplotlib.rcParams["svg.hashsalt"] = "tessera"  # the same file for the same data
import matplotlib.pyplot as plt

NAME = re.compile(r"attend/(.*)/(\d+)x(\d+)x(\d+)x(\d+)/(\w+)/(\w+)/threads:(\d+)/.*")
COLOURS = {"fused": "#1b6ca8", "eigen": "#d1495b", "reference": "#8a8a8a"}
STATISTICS = ("_mean", "_median", "_stddev", "_cv")
MARKS = {"full": "o", "causal": "^", "window": "s", "random": "x", "prefix": "D", "segments": "P", "strided": "v"}


def table(file):
    """The rows of CSV behind the lines about the machine."""
    return list(csv.DictReader(itertools.dropwhile(lambda line: not line.startswith("name,"), file)))


def read(path):
    """[{column: text or number}], a row for each benchmark."""
    with path.open(newline="", encoding="utf-8") as file:
        runs = json.load(file)["benchmarks"] if path.suffix == ".json" else table(file)
    found = {}
    for run in runs:
        if run["name"].endswith(STATISTICS):
            continue
        parts = NAME.fullmatch(run["name"])
        if parts is None:
            sys.exit(f"{path}: '{run['name']}' is no benchmark of kernel/mask_sweep")
        mask, *sizes, kind, algorithm, threads = parts.groups()
        key = (mask, *map(int, sizes), kind, algorithm, int(threads))
        row = dict(zip(("mask", "heads", "queries", "keys", "dim", "type", "algorithm", "threads"), key))
        row |= {"seconds": float(run["real_time"]), "gflops": float(run["GF/s"]), "live": float(run["live"])}
        row["peak_gflops"] = row["gflops"] / float(run["of peak"]) if row["gflops"] else 0
        found[key] = min(found.get(key, row), row, key=lambda x: x["seconds"])
    for key, row in found.items():
        full = found.get(("full", *key[1:]))
        row["over_full"] = row["seconds"] / full["seconds"] if full else float("nan")
    return [found[key] for key in sorted(found)]  # repetitions come, and so benchmarks end, in a random order


def varying(rows, columns=("dim", "type", "threads")):
    """Those of the columns that tell rows apart, beside mask, length and algorithm."""
    return [c for c in columns if len({row[c] for row in rows}) > 1]


def label(row, columns, *first):
    words = {"dim": "d {:g}", "threads": "{:g} threads", "type": "{}"}
    return ", ".join([*first, *(words[c].format(row[c]) for c in columns)])


def groups(rows, key):
    found = {}
    for row in rows:
        found.setdefault(key(row), []).append(row)
    return found


def kind(mask):
    return mask.split()[0] if mask.split()[0] in MARKS and not set("|&~") & set(mask) else "compositions"


def draw_density(axes, rows):
    lengths = [n for n in {row["keys"] for row in rows} if len({r["mask"] for r in rows if r["keys"] == n}) > 1]
    rows = [row for row in rows if row["keys"] == max(lengths, default=0) and row["algorithm"] != "reference"]
    axes.plot([0, 1], [0, 1], color="black", linewidth=0.8, linestyle=":")
    axes.annotate("pays for what is visible", (0.62, 0.62), (0.66, 0.5), fontsize=8, arrowprops={"arrowstyle": "-"})
    columns = varying(rows)
    for (algorithm, mask, *_), some in groups(rows, lambda r: (r["algorithm"], kind(r["mask"]), *(r[c] for c in columns))).items():
        axes.scatter(
            [row["live"] for row in some],
            [row["over_full"] for row in some],
            color=COLOURS[algorithm],
            marker=MARKS.get(mask, "*"),
            s=26,
            linewidths=1,
            label=label(some[0], columns, algorithm, mask),
        )
    axes.set_xlim(0, 1.05)
    axes.set_ylim(0, None)
    axes.set_xlabel("share of 32 × 32 tiles with anything visible")
    axes.set_ylabel("time over the time without a mask")
    axes.set_title(f"time against density, {max(lengths, default=0):g} × {max(lengths, default=0):g}", fontsize=10)
    legend_below(axes)


def draw_length(axes, rows):
    by_mask = groups(rows, lambda row: row["mask"])
    rows = [row for some in by_mask.values() if len({row["keys"] for row in some}) > 1 for row in some]
    columns = varying(rows)
    styles = dict(zip(dict.fromkeys(row["mask"] for row in rows), ("-", "--", "-.", ":", (0, (1, 3)), (0, (5, 4)))))
    peaks = [max(row["peak_gflops"] for row in some) for some in groups(rows, lambda row: row["threads"]).values()]
    for (mask, algorithm, *_), some in groups(rows, lambda r: (r["mask"], r["algorithm"], *(r[c] for c in columns))).items():
        some = sorted(some, key=lambda row: row["keys"])
        axes.plot(
            [row["keys"] for row in some],
            [row["gflops"] for row in some],
            color=COLOURS[algorithm],
            linestyle=styles.get(mask, "-"),
            marker="o",
            markersize=3,
            label=label(some[0], columns, algorithm, mask),
        )
    for peak in peaks:
        axes.axhline(peak, color="black", linewidth=0.8, linestyle=":")
        axes.annotate("measured peak", (min((r["keys"] for r in rows), default=1), peak), fontsize=8, va="bottom")
    axes.set_xscale("log", base=2)
    axes.set_ylim(0, None)
    ticks = sorted({row["keys"] for row in rows})
    axes.set_xticks(ticks, [f"{n:g}" for n in ticks])
    axes.set_xlabel("length")
    axes.set_ylabel("useful GFLOP/s")
    axes.set_title("speed against length", fontsize=10)
    legend_below(axes)


def legend_below(axes):
    axes.legend(fontsize=6.5, frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=3, columnspacing=1)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path, help="JSON or CSV of kernel/mask_sweep")
    parser.add_argument("--out", type=Path, required=True, help="SVG, PNG or PDF")
    parser.add_argument("--title", default="")
    options = parser.parse_args()
    rows = [row for path in options.files for row in read(path)]
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.6), layout="constrained")
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    draw_density(left, rows)
    draw_length(right, rows)
    figure.suptitle(options.title, fontsize=10)
    figure.savefig(options.out, metadata={"Date": None} if options.out.suffix == ".svg" else None, dpi=110)


if __name__ == "__main__":
    main()
