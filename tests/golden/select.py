#!/usr/bin/env python3
"""Copies what the tests read from a folder made by `make/make.py`, leaving out tensors that no test compares.

    python3 tests/golden/make/make.py --out /tmp/goldens --seed 1
    python3 tests/golden/select.py /tmp/goldens

The rules below keep the data small; take a pattern out of DROP when a test begins to need the tensors it names.
"""
import fnmatch
import json
import pathlib
import shutil
import struct
import sys

HERE = pathlib.Path(__file__).resolve().parent
FOLDERS = ["images", "resize", "tokenizers", "malformed", "clip_vision", "opt", "opt_350m_style", "blip2_opt",
           "blip2_opt_bf16", "blip2_opt_f16", "blip2_itr", "logits_processors"]
SAME_AS_BLIP2_OPT = ["pixel_values", "train.*"]  # what rounded weights do not change, or what one type of weights shows
DROP = {
    "opt": ["grad.*", "train.*"],
    "opt_350m_style": ["grad.*", "train.*"],
    "blip2_opt": ["grad.*"],
    "blip2_opt_bf16": SAME_AS_BLIP2_OPT,
    "blip2_opt_f16": SAME_AS_BLIP2_OPT,
    "blip2_itr": ["pixel_values", "vision.embeddings", "vision.layer_*", "itc.*"],
}


def thin(source, target, drop):
    """Writes the safetensors file `source` again without the tensors that match a pattern in `drop`."""
    raw = source.read_bytes()
    length = struct.unpack("<Q", raw[:8])[0]
    header = json.loads(raw[8:8 + length])
    kept, data = {}, b""
    for name, entry in sorted(((n, e) for n, e in header.items() if n != "__metadata__"),
                              key=lambda item: item[1]["data_offsets"]):
        if any(fnmatch.fnmatchcase(name, pattern) for pattern in drop):
            continue
        begin, end = entry["data_offsets"]
        kept[name] = dict(entry, data_offsets=[len(data), len(data) + end - begin])
        data += raw[8 + length + begin:8 + length + end]
    text = json.dumps(kept, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    target.write_bytes(struct.pack("<Q", len(text)) + text + data)


def main():
    source = pathlib.Path(sys.argv[1])
    for folder in FOLDERS:
        shutil.rmtree(HERE / folder, ignore_errors=True)
        shutil.copytree(source / folder, HERE / folder, copy_function=shutil.copyfile)
        expected = source / folder / "expected.safetensors"
        if expected.exists():
            thin(expected, HERE / folder / "expected.safetensors", DROP.get(folder, []))


main()
