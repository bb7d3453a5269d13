"""Chooses the cases of the attention goldens that the tests read:  python select_attention.py FOLDER  from FOLDER/attention.

Every policy is there, the awkward sizes first. The tables of the largest cases are left out: index.json says how many
scores each mask shows. The tests take any selection; with TESSERA_GOLDEN_ATTENTION=FOLDER/attention they run on everything.
"""

import json
import shutil
import sys
from pathlib import Path

from thin import thin, write_json

CASES = {
    "alibi": ["b1_h4_q7_k7_d16"],
    "bidirectional": ["b1_h2_q1_k1_d16", "b1_h2_q7_k7_d24", "b1_h1_q65_k7_d16"],
    "block_sparse": ["b1_h2_q33_k33_d24"],
    "causal": ["b1_h2_q1_k1_d16", "b1_h2_q7_k7_d24", "b1_h1_q65_k65_d24", "b1_h2_q33_k7_d16", "top_left"],
    "composition": ["causal_and_padding", "causal_and_not_window", "not_causal", "nothing_at_all"],
    "multimodal_causal": ["b1_h2_q7_k7_d16", "b1_h1_q65_k65_d64"],
    "padding": ["b3_h2_q7_k7_d16", "b4_h1_q33_k65_d24"],
    "prefix_lm": ["b1_h2_q7_k7_d16", "b1_h2_q33_k33_d24"],
    "sliding_window": ["b1_h2_q7_k7_d16", "b1_h2_q33_k33_d24", "b1_h1_q257_k257_d16"],
    "t5_relative_bias": ["b1_h3_q7_k7_d16", "b1_h2_q65_k65_d24"],
    "unimodal": ["b1_h2_q7_k7_d16"],
}
LARGEST_TABLE = 10_000  # scores
COMPARED = ["*.out", "*.dq", "*.dk", "*.dv"]  # of which a part is enough


def select(source, target):
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    index = json.loads((source / "index.json").read_text())
    for policy, labels in CASES.items():
        cases = {label: index["cases"][policy][label] for label in labels}
        index["cases"][policy] = cases
        drop = []
        for label, case in cases.items():
            if case["batch"] * case["q_len"] * case["k_len"] > LARGEST_TABLE:
                drop += [f"{label}.mask", f"{label}.bucket"]
        thin(source / f"{policy}.safetensors", target / f"{policy}.safetensors", drop, [f"{label}.*" for label in labels],
             sample=COMPARED)
    write_json(target / "index.json", index)


if __name__ == "__main__":
    select(Path(sys.argv[1]) / "attention", Path(__file__).parents[1] / "attention")
