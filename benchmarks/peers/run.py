"""Every variant beside its peers: one table, as Markdown and JSON.

    python run.py --programs build/bench/benchmarks --json peers.json --markdown peers.md [--only TEXT] [--kind KIND] [--list]

For each case our program and each peer's same case take turns in one run; the best turn of each counts, and what is told is
the peer's time over ours. With a model peers race one at a time, so that only one holds its weights. `--json` is read first
where it is there: cases that are not run again stay in the table, so that a machine can be asked for a minute at a time;
`--prepare` does beforehand what takes long and is not timed.

A peer that is not installed, or that cannot do a case, is left out and the table says so.
"""

import argparse
import importlib.util
import json
import platform
import subprocess
import sys
import warnings
from importlib.metadata import version
from pathlib import Path

import torch

import attention
import models
import products
import table
from turns import is_built, race

PACKAGES = {"ONNX Runtime": "onnxruntime", "OpenVINO": "openvino"}  # beside torch and transformers


def machine():
    text = subprocess.run(["lscpu"], capture_output=True, text=True, check=False).stdout
    fields = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    flags = fields.get("Flags", "").split()
    known = ("avx2", "fma", "avx512f", "avx512_bf16", "amx_bf16", "asimd", "bf16")
    return {
        "processor": fields.get("Model name", platform.processor()).strip(),
        "family": fields.get("CPU family", "").strip(),
        "model": fields.get("Model", "").strip(),
        "cores": fields.get("CPU(s)", "").strip(),
        "isa": [flag for flag in known if flag in flags],
    }


def one_sentence(error):
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 160 else text[:157] + "…"


def contenders(options, kind, case):
    """{peer: a function that prepares it}, and the reasons why others are missing."""
    source = models if kind == "model" else attention
    wanted = case.peers if kind == "model" else source.PEERS
    found, missing = {}, {}
    for name in wanted:
        if name in PACKAGES and importlib.util.find_spec(PACKAGES[name]) is None:
            missing[name] = f"{PACKAGES[name]} is not installed"
        else:
            cache = (options.cache,) if kind == "model" else ()
            found[name] = lambda name=name: source.PEERS[name](case, options.threads, *cache)
    return found, missing


def run(options, kind, case):
    """What the table shows of a case."""
    found, missing = contenders(options, kind, case)
    own = case.ours(options.programs, options.threads)
    entry = {"kind": kind, "name": case.name, "bars": case.bars, "peers": {}, "missing": missing}
    together = []  # those that race at once
    for name, make in found.items():
        try:
            together.append((name, make()))
        except Exception as error:  # whatever a peer throws
            missing[name] = one_sentence(error)
            continue
        if kind == "model":
            add(entry, *race_with(own, together, options))
            together = []
    if together or not entry["peers"]:
        add(entry, *race_with(own, together, options))
    entry |= {"weights": case.weights} if kind == "model" else {"row": own.row}
    return entry


def prepare(options, case):
    for name, make in contenders(options, "model", case)[0].items():
        if name in PACKAGES:
            print(f"{case.name}: {name}", flush=True)
            make().close()


def race_with(own, peers, options):
    everyone = {"ours": own, **dict(peers)}
    best, disturbed = race(everyone, options.seconds, options.rounds)
    for _, peer in peers:
        peer.close()
    return best, disturbed


def add(entry, best, disturbed):
    entry["seconds"] = min(best["ours"], entry.get("seconds", float("inf")))
    entry["disturbed"] = max(disturbed, entry.get("disturbed", 0))
    for name, seconds in best.items():
        if name != "ours":
            entry["peers"][name] = {"seconds": seconds, "ratio": seconds / best["ours"]}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", type=Path, default=Path("build/bench/benchmarks"), help="where ours were built")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--seconds", type=float, default=0.25, help="of a turn")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--only", default="", help="cases whose name has this in it")
    parser.add_argument("--kind", choices=[*attention.KINDS, "model", "product"], help="cases of this kind only")
    parser.add_argument("--cache", type=Path, default=Path("build/peers"), help="for what ONNX Runtime and OpenVINO read")
    parser.add_argument("--json", type=Path, default=Path("peers.json"))
    parser.add_argument("--markdown", type=Path)
    parser.add_argument("--prepare", action="store_true", help="only write what --cache keeps, which takes minutes")
    parser.add_argument("--list", action="store_true", help="name the cases and end")
    options = parser.parse_args()

    warnings.filterwarnings("ignore")
    torch.set_num_threads(options.threads)
    torch.set_grad_enabled(False)
    cases = [(case.kind, case) for case in attention.CASES] + [("model", case) for case in models.CASES]
    if options.kind in (None, "product"):  # its programs name them, and need not be there for others
        cases += [(case.kind, case) for case in products.cases(options.programs)]
    cases = [(k, c) for k, c in cases if options.only in c.name and options.kind in (None, k)]
    if options.list:
        for kind, case in cases:
            print(f"{kind:18} {case.name}")
        return 0
    if not cases:
        sys.exit("no such case; --list names them")

    if options.prepare:
        for kind, case in cases:
            if kind == "model":
                prepare(options, case)
        return 0

    cases = [(kind, case) for kind, case in cases if is_built(case.path(options.programs))]
    if not cases:
        return 1

    results = json.loads(options.json.read_text()) if options.json.exists() else {"cases": []}
    results["machine"], results["threads"] = machine(), options.threads
    packages = ["torch", "transformers", *(p for p in PACKAGES.values() if importlib.util.find_spec(p))]
    results["versions"] = {p: version(p) for p in packages}
    for kind, case in cases:
        entries = case.run(options.programs, options.threads) if kind == "product" else [run(options, kind, case)]
        for entry in entries:
            same = lambda old: all(old.get(x) == entry.get(x) for x in ("kind", "name", "weights"))
            results["cases"] = [old for old in results["cases"] if not same(old)] + [entry]
            options.json.write_text(json.dumps(results, indent=1) + "\n")
            print(table.line(entry), flush=True)
    if options.markdown:
        options.markdown.write_text(table.markdown(results))
    return 0


if __name__ == "__main__":
    sys.exit(main())
