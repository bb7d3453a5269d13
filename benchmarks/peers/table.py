"""The table of `run.py` from its JSON:  python table.py peers.json > peers.md"""

import json
import sys

TITLES = {
    "attention": "Attention, f32",
    "attention bf16": "Attention, bf16",
    "attention backward": "Attention, backward, f32",
    "product": "Matrix products, f32 unless said (the share is that of multiply-adds or of memory, whichever takes longer)",
    "model": "Models",
}


def milliseconds(seconds):
    return f"{seconds * 1e3:.3g}" if seconds < 1 else f"{seconds * 1e3:.0f}"


def bars(entry):
    """[(bar, whose, ratio or None)]"""
    found = []
    for peers, bar in entry["bars"].items():
        ratios = [entry["peers"][name]["ratio"] for name in peers.split("|") if name in entry["peers"]]
        found.append((bar, peers, min(ratios, default=None)))
    return found


def verdict(entry):
    def words(bar, peers, ratio):
        whose = "the best" if peers.count("|") > 1 else peers.replace("|", " and ")
        if ratio is None:
            return f"≥ {bar:g}× {whose}: not run"
        return f"≥ {bar:g}× {whose}: " + (f"{ratio:.2f}" if ratio >= bar else f"**missed, {ratio:.2f}**")

    return "; ".join(words(*bar) for bar in bars(entry))


def share_of_peak(entry):
    return (entry.get("row") or {}).get("share_of_peak")


def name(entry):
    return entry["name"] + (f", {entry['weights']}" if "weights" in entry else "")


def line(entry):
    peers = ", ".join(f"{peer} {milliseconds(x['seconds'])} ({x['ratio']:.2f}×)" for peer, x in entry["peers"].items())
    share = share_of_peak(entry)
    text = f"{name(entry)}: {milliseconds(entry['seconds'])} ms" + (f", {share:.2f} of peak" if share else "")
    return f"{text}; {peers}; {verdict(entry)}; others took {entry['disturbed']:.0%}"


def markdown(results):
    machine = results["machine"]
    out = [
        f"{machine['processor']} (family {machine['family']}, model {machine['model']}), {machine['cores']} cores, "
        f"{' '.join(machine['isa'])}; {results['threads']} threads; "
        + ", ".join(f"{package} {number}" for package, number in results["versions"].items())
        + ". Milliseconds, and in brackets the peer's time over ours in the same run.",
    ]
    for kind, title in TITLES.items():
        entries = [entry for entry in results["cases"] if entry["kind"] == kind]
        if not entries:
            continue
        peers = list(dict.fromkeys(peer for entry in entries for peer in [*entry["peers"], *entry["missing"]]))
        shares = any(share_of_peak(entry) for entry in entries)
        heads = ["", "tessera", *(["share of peak"] if shares else []), *peers, "bar"]
        out += ["", f"### {title}", "", "| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
        for entry in entries:
            share = share_of_peak(entry)
            cells = [name(entry), milliseconds(entry["seconds"])]
            if shares:
                cells.append(f"{share:.2f}" if share else "")
            for peer in peers:
                timed = entry["peers"].get(peer)
                cells.append(f"{milliseconds(timed['seconds'])} ({timed['ratio']:.2f}×)" if timed else "–")
            out.append("| " + " | ".join([*cells, verdict(entry)]) + " |")
        missing = {f"{peer}: {why}." for entry in entries for peer, why in entry["missing"].items()}
        disturbed = [name(entry) for entry in entries if entry["disturbed"] > 0.05]
        out += [""] + sorted(missing)
        if disturbed:
            out.append(f"Other programs took more than 5 % of the processors during: {', '.join(disturbed)}.")
    return "\n".join(out) + "\n"


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        sys.stdout.write(markdown(json.load(file)))
