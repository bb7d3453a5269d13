"""Whether transformers writes with the models that `scenes_train` makes what `tessera` writes, token by token.

usage: compare_captions.py MODELS TESSERA PICTURE...
MODELS has the folder blip2_opt, or blip2_t5, or both; TESSERA is the program. Captions, and answers to a question.
"""
import json
import pathlib
import subprocess
import sys

import PIL.Image
import torch
import transformers

NEW_TOKENS = 20
QUESTION = "what colour is the object?"
PROMPTS = {
    "blip2_opt": ["", f"Question: {QUESTION} Answer:"],
    "blip2_t5": ["", f"Question: {QUESTION} Short answer:"],
}


def ours(program: str, folder: pathlib.Path, prompt: str, pictures: list[str]) -> list[list[int]]:
    command = [program, "caption", "--model", folder, "--max-tokens", str(NEW_TOKENS), "--json"]
    command += ["--prompt", prompt] if prompt else []
    lines = subprocess.run(command + pictures, check=True, capture_output=True, text=True).stdout.splitlines()
    return [json.loads(line)["tokens"] for line in lines]


def theirs(folder: pathlib.Path, prompt: str, pictures: list[str]) -> list[list[int]]:
    model = transformers.Blip2ForConditionalGeneration.from_pretrained(folder, dtype=torch.float32).eval()
    processor = transformers.Blip2Processor.from_pretrained(folder)
    out = []
    for path in pictures:
        encodes = model.config.text_config.is_encoder_decoder  # its generate() needs a text, if only an empty one
        text = prompt if prompt or encodes else None
        inputs = processor(PIL.Image.open(path).convert("RGB"), text=text, return_tensors="pt")
        with torch.no_grad():
            ids = model.generate(**inputs, max_new_tokens=NEW_TOKENS, num_beams=1, do_sample=False)[0].tolist()
        out.append(new_tokens(model, inputs, ids))
    return out


def new_tokens(model, inputs, ids: list[int]) -> list[int]:
    """Without what generate() repeats of its input."""
    if model.config.text_config.is_encoder_decoder:
        ids = ids[1:]
    else:  # without a prompt it makes its own input: a token for each query, and the one that begins a text
        ids = ids[inputs["input_ids"].shape[1] if "input_ids" in inputs else model.config.num_query_tokens + 1 :]
    return ids


def main(models: pathlib.Path, program: str, pictures: list[str]) -> int:
    failures = 0
    found = {name: prompts for name, prompts in PROMPTS.items() if (models / name).is_dir()}
    if not found:
        sys.exit(f"{models}: expected a folder {' or '.join(PROMPTS)}, found neither")
    for name, prompts in found.items():
        for prompt in prompts:
            we = ours(program, models / name, prompt, pictures)
            they = theirs(models / name, prompt, pictures)
            wrong = [(path, a, b) for path, a, b in zip(pictures, we, they, strict=True) if a != b]
            for path, a, b in wrong:
                print(f"{name}, {prompt!r}, {path}: transformers writes {b}, tessera {a}")
            failures += len(wrong)
            print(f"{name}, {prompt!r}: {len(pictures)} pictures, {len(wrong)} with other tokens")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3:]))
