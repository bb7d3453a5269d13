#!/usr/bin/env python3
"""Copies what the tests read from a folder made by `make/make.py`, leaving out what no test compares.

    python3 tests/golden/make/make.py --out /tmp/goldens --seed 1
    python3 tests/golden/select.py /tmp/goldens

The rules below keep the data small; take a pattern out of DROP when a test begins to need the tensors it names. Attention has a
selection of its own, `make/select_attention.py`.
"""
import json
import os
import pathlib
import shutil
import sys

HERE = pathlib.Path(__file__).resolve().parent
FOLDERS = ["images", "resize", "tokenizers", "malformed", "clip_vision", "opt", "opt_350m_style", "blip2_opt",
           "blip2_opt_bf16", "blip2_opt_f16", "blip2_itr", "stage1", "t5", "blip2_t5", "logits_processors",
           "search"]
sys.path.insert(0, str(HERE / "make"))
import select_attention  # noqa: E402
from sketch_gradients import sketch_gradients  # noqa: E402
from thin import thin, write_json  # noqa: E402

# What rounded weights do not change, or what one type of weights shows.
SAME_AS_BLIP2_OPT = ["pixel_values", "train.*", "vision.embeddings", "vision.layer_*", "qformer.embeddings", "qformer.layer_[012]"]
ROUNDED = ["blip2_opt_bf16", "blip2_opt_f16"]
DROP = {
    "opt": ["grad.*", "train.logits", "generate.*"],
    "opt_350m_style": ["grad.*", "train.logits", "generate.*"],
    "blip2_opt": ["grad.*"],
    "blip2_opt_bf16": SAME_AS_BLIP2_OPT,
    "blip2_opt_f16": SAME_AS_BLIP2_OPT,
    "blip2_itr": ["pixel_values", "vision.embeddings", "vision.layer_*", "itm.layer_0"],
    "stage1": ["grad*", "*_labels"],
    "t5": ["grad.*", "encoder.last_hidden_state", "encoder.layer_0"],
    "blip2_t5": ["grad.*", "train.logits", "pixel_values", "vision.embeddings", "vision.layer_*", "qformer.embeddings",
                 "qformer.layer_[012]", "long.encoder.layer_*", "long.decoder.layer_*", "generate.greedy_prompt.*"],
}
# One form of the tokenizer is enough for a folder.
LEFT_OUT = ["blip2_t5/spiece.model"]

PICTURES = {"clip_vision": 2}  # of five

# States and scores that tests only compare with, of which every seventh number stays; what they compute from is whole.
SAMPLE = ["*logits", "*logits_of_last_20", "*layer_*", "qformer.embeddings", "vision.embeddings", "vision.pre_layrnorm",
          "*vision.last_hidden_state", "long.encoder.last_hidden_state", "*_states"]
WHOLE = {"blip2_itr": ["vision.last_hidden_state"]}
# Pixels, which tests compute from, as bytes and the numbers that these stand for.
LEVELS = ["*pixel_values"]

# Of which the gradients are kept, as sketches.
GRADIENTS = ["stage1", "opt", "opt_350m_style", "t5", "blip2_opt", "blip2_t5"]

# Resizing: the pictures are in `NAME.input`; one size is as good as several; floats of all levels are in few pixels.
RESIZE_CASES = ["photo_down.224x224", "wide_up.224x224", "tall_both.224x224"]
RESIZE_FLOATS = ["one_pixel.56x56", "photo_down.56x56", "black_and_white_noise.56x56"]


def main():
    source = pathlib.Path(sys.argv[1])
    for folder in FOLDERS:
        shutil.rmtree(HERE / folder, ignore_errors=True)
        shutil.copytree(source / folder, HERE / folder, copy_function=shutil.copyfile)
        expected = source / folder / "expected.safetensors"
        if expected.exists():
            thin(expected, HERE / folder / "expected.safetensors", DROP.get(folder, []), sample=SAMPLE, levels=LEVELS,
                 whole=WHOLE.get(folder, []), first=PICTURES.get(folder))
        if folder in GRADIENTS:
            sketch_gradients(expected, HERE / folder / "gradients.safetensors")
    clip = json.loads((HERE / "clip_vision/expected.json").read_text())
    write_json(HERE / "clip_vision/expected.json", dict(clip, images=clip["images"][: PICTURES["clip_vision"]]))
    for name in LEFT_OUT:
        (HERE / name).unlink()
    expected = json.loads((HERE / "stage1/expected.json").read_text())
    write_json(HERE / "stage1/expected.json", {name: expected[name] for name in ("texts", "captions")})
    (HERE / "stage1/reference.py").unlink()  # it is make/stage1_reference.py
    select_optim(source / "optim", HERE / "optim")
    for path in [*HERE.glob("*/expected.json"), HERE / "search/cases.json", *HERE.glob("tokenizers/*/expected.json")]:
        write_json(path, json.loads(path.read_text()))
    for folder in ROUNDED:  # tests round the weights of blip2_opt themselves
        for path in (HERE / folder).iterdir():
            if not path.name.startswith("expected"):
                path.unlink()
    select_resize(source / "resize", HERE / "resize")
    select_attention.select(source / "attention", HERE / "attention")
    link_copies()


def link_copies():
    """Files that are there already become links to the first of them."""
    first = {}
    for path in sorted(HERE.rglob("*"), key=lambda path: ("malformed" in path.parts, "tokenizers" not in path.parts, "ok" not in path.parts, path)):
        if not path.is_file() or path.is_symlink() or "make" in path.parts or path.stat().st_size < 1024:
            continue
        original = first.setdefault(path.read_bytes(), path)
        if original != path:
            path.unlink()
            path.symlink_to(os.path.relpath(original, path.parent))


def select_optim(source, target):
    """Float32 is enough: it is within 7.3e-7 of float64."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    thin(source / "adamw.safetensors", target / "adamw.safetensors", ["float64.*"])
    write_json(target / "adamw.json", json.loads((source / "adamw.json").read_text()))
    write_json(target / "schedules.json", json.loads((source / "schedules.json").read_text()))


def select_resize(source, target):
    for picture in target.glob("*.png"):
        picture.unlink()
    drop = [f"{case}.*" for case in RESIZE_CASES] + [f"{case}.pixel_values" for case in RESIZE_FLOATS]
    thin(source / "expected.safetensors", target / "expected.safetensors", drop, levels=LEVELS)
    index = json.loads((source / "index.json").read_text())
    index["cases"] = [case for case in index["cases"] if case["tensor"] not in RESIZE_CASES]
    write_json(target / "index.json", index)


main()
