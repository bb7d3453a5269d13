"""Holds the values that `tessera caption --dump FILE` writes against those of `logits.py`, tensor by tensor.

    python compare.py WANT.safetensors GOT.safetensors [--tolerance 1e-4] [--tokens '[1, 2]']

The error of a tensor is its largest absolute difference, over the root mean square of the wanted one. Shapes may differ in
how they are folded ([3, H, W] or [3·H, W]), not in how many numbers they hold. A single row stands for the last row of the
wanted logits. Greedy tokens are the largest of each `step_logits_i`; `tokens` (I64) is used where a file has it. Exits with 1
when something is off, or when nothing could be compared.
"""

import argparse
import json
import re
import sys

import torch
from safetensors import safe_open


def read(path):
    with safe_open(path, "pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}


def numbered(values, prefix):
    """[(i, tensor)] of prefix_0, prefix_1, …"""
    found = [(int(m[1]), name) for name in values if (m := re.fullmatch(re.escape(prefix) + r"_(\d+)", name))]
    return [(i, values[name]) for i, name in sorted(found)]


def with_aliases(values):
    """The Q-Former has no norm behind its last layer: that layer's output is its output."""
    last = numbered(values, "qformer.layer")
    if last and "qformer.last_hidden_state" not in values:
        values["qformer.last_hidden_state"] = last[-1][1]
    if "logits" not in values and "step_logits_0" in values:
        values["logits"] = values["step_logits_0"]
    return values


def greedy_tokens(values):
    if "tokens" in values:
        return values["tokens"].tolist()
    return [int(scores.argmax()) for _, scores in numbered(values, "step_logits")]


def in_order(name):
    """As data flows; numbers by value."""
    parts = ["pixel_values", "vision.emb", "vision.layer", "vision", "qformer.emb", "qformer.layer", "qformer", "language", "encoder.layer", "encoder", "logits", "step"]
    place = next((i for i, part in enumerate(parts) if name.startswith(part)), len(parts))
    number = re.search(r"_(\d+)$", name)
    return place, int(number[1]) if number else -1, name


def compare(want, got, tolerance):
    """Prints a line per tensor; returns how many were compared, and how many of these are too far off."""
    compared = wrong = 0
    for name in sorted(want.keys() & got.keys(), key=in_order):
        w, g = want[name], got[name]
        if not w.is_floating_point():
            continue
        w, g = w.double(), g.double()
        if name == "logits" and w.numel() != g.numel():
            w = w[-1]
        compared += 1
        if w.numel() != g.numel():
            print(f"{name:28} expected {list(want[name].shape)}, found {list(got[name].shape)}")
            wrong += 1
            continue
        w, g = w.flatten(), g.flatten()
        difference = (w - g).abs()
        rms = w.square().mean().sqrt()
        error = (difference.max() / rms).item()
        mean = (difference.square().mean().sqrt() / rms).item()
        bad = not error <= tolerance  # NaN is bad
        wrong += bad
        print(f"{name:28} largest {error:8.1e}  rms {mean:8.1e}  {'TOO FAR OFF' if bad else ''}".rstrip())
    return compared, wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("want", help="from logits.py")
    parser.add_argument("got", help="from tessera caption --dump")
    parser.add_argument("--tolerance", type=float, default=1e-4, help="of each tensor's largest error (default 1e-4)")
    parser.add_argument("--tokens", type=json.loads, help="the tokens that were got, as --json prints them")
    options = parser.parse_args()

    want, got = with_aliases(read(options.want)), with_aliases(read(options.got))
    compared, wrong = compare(want, got, options.tolerance)
    expected, found = greedy_tokens(want), options.tokens or greedy_tokens(got)
    same = expected == found
    print(f"tokens: {'equal' if same else 'DIFFERENT'}, {len(expected)}: {expected}" + ("" if same else f", found {found}"))
    print(f"{compared} tensors compared, {wrong} beyond {options.tolerance:g}")
    return 0 if compared and not wrong and same else 1


if __name__ == "__main__":
    sys.exit(main())
