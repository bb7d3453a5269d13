"""A whole caption of a BLIP-2 checkpoint folder: picture, image encoder, Q-Former, prompt and tokens, by transformers in bf16 and by
`tessera caption` with weights as they are stored, in turns. Loading is not counted.

    python caption.py --model DIR --picture FILE --program .../tessera [--tokens N] [--turns N] [--threads N] [--products bf16]

Prints the seconds of the fastest turn of each, and their ratio.
"""

import argparse
import json
import os
import subprocess
import time

import torch
from transformers import AutoProcessor, Blip2ForConditionalGeneration
from transformers.image_utils import load_image

parts = "preprocess", "vision", "qformer", "prompt", "tokens"


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--model", required=True)
    options.add_argument("--picture", required=True)
    options.add_argument("--program", required=True)
    options.add_argument("--tokens", type=int, default=20)
    options.add_argument("--turns", type=int, default=3)
    options.add_argument("--threads", type=int, default=os.cpu_count())
    options.add_argument("--products", choices=("f32", "bf16"), default="f32", help="our arithmetic")
    given = options.parse_args()

    torch.set_num_threads(given.threads)
    processor = AutoProcessor.from_pretrained(given.model)
    model = Blip2ForConditionalGeneration.from_pretrained(given.model, dtype=torch.bfloat16).eval()
    picture = load_image(given.picture)

    @torch.inference_mode()
    def theirs():
        begin = time.perf_counter()
        inputs = processor(images=picture, return_tensors="pt")
        inputs["pixel_values"] = inputs["pixel_values"].to(torch.bfloat16)
        out = model.generate(
            **inputs, do_sample=False, num_beams=1, min_new_tokens=given.tokens, max_new_tokens=given.tokens
        )
        seconds = time.perf_counter() - begin
        assert out.shape[1] >= given.tokens, out.shape
        return {"whole": seconds}

    def ours():
        count = str(given.tokens)
        command = [given.program, "caption", "--model", given.model, "--json", "--threads", str(given.threads)]
        command += ["--products", given.products]
        command += ["--min-tokens", count, "--max-tokens", count, given.picture]
        answer = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
        assert len(answer["tokens"]) == given.tokens, answer["tokens"]
        seconds = {part: answer["seconds"][part] for part in parts}
        return {"whole": sum(seconds.values())} | seconds

    theirs()  # what is set up once is not counted
    turns = {"transformers": [], "tessera": []}
    for _ in range(given.turns):
        turns["tessera"].append(ours())
        turns["transformers"].append(theirs())
    best = {name: min(times, key=lambda t: t["whole"]) for name, times in turns.items()}
    for name, seconds in best.items():
        print(name, ", ".join(f"{part} {value:.3f} s" for part, value in seconds.items()))
    print(f"ratio {best['transformers']['whole'] / best['tessera']['whole']:.2f}")


if __name__ == "__main__":
    main()
