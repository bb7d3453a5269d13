"""Searches with settings drawn at random: what transformers' generate() makes of short prompts with the model of `opt`."""

import random

import torch
from transformers import AutoTokenizer, OPTForCausalLM

from common import write_json

CASES = 72


def settings_of(draw, case):
    beams = draw.choice([1, 2, 3, 4, 5, 7])
    settings = {"max_new_tokens": draw.choice([1, 2, 5, 12, 24]), "num_beams": beams, "do_sample": False}
    if beams > 1:
        settings["num_return_sequences"] = draw.randrange(1, beams + 1)
        settings["length_penalty"] = draw.choice([-1.0, 0.0, 0.5, 1.0, 2.0])
        settings["early_stopping"] = draw.choice([False, True, "never"])
    for name, values in [("repetition_penalty", [0.8, 1.3, 1.5]), ("no_repeat_ngram_size", [1, 2, 3])]:
        if draw.random() < 0.25:
            settings[name] = draw.choice(values)
    if draw.random() < 0.25:
        settings["min_new_tokens"] = draw.randrange(1, settings["max_new_tokens"] + 1)
    if case % 3 == 0 and beams > 1:  # several texts that end with the step in which there are enough
        settings = {k: v for k, v in settings.items() if k in ("max_new_tokens", "num_beams", "do_sample")}
        settings |= {"early_stopping": True, "num_return_sequences": beams}
    return settings


def make(out, seed):
    draw = random.Random(f"{seed} search")
    model = OPTForCausalLM.from_pretrained(out / "opt", dtype=torch.float32).eval()
    tokenizer = AutoTokenizer.from_pretrained(out / "blip2_opt")
    cases = []
    for case in range(CASES):
        ids = [2] + [draw.randrange(4, 600) for _ in range(draw.randrange(1, 9))]
        ends = draw.choice([[2], draw.sample(range(4, 600), 3) + [2], draw.sample(range(4, 600), 40)])
        settings = settings_of(draw, case)

        def generate(**kwargs):
            with torch.no_grad():
                return model.generate(torch.tensor([ids]), attention_mask=torch.ones(1, len(ids), dtype=torch.long),
                                      eos_token_id=ends, pad_token_id=1, **kwargs)

        usual = generate(max_new_tokens=12, num_beams=settings["num_beams"], do_sample=False)[0].tolist()[len(ids):]
        if draw.random() < 0.3:
            starts = [draw.randrange(len(usual)) for _ in range(draw.randrange(1, 4))]
            settings["bad_words_ids"] = [usual[i : i + draw.randrange(1, 4)] for i in starts]
        text = tokenizer.decode(usual)
        first = draw.randrange(len(text))
        stop = text[first : first + draw.randrange(1, 5)]
        if draw.random() < 0.3 and stop and "\ufffd" not in stop:
            settings["stop_strings"] = [stop]
        found = generate(return_dict_in_generate=True, output_scores=True, tokenizer=tokenizer, **settings)
        tokens = [row[len(ids):] for row in found.sequences.tolist()]
        entry = {"input_ids": ids, "eos_token_id": ends, "settings": settings, "new_tokens": tokens}
        if settings["num_beams"] > 1:
            lengths = (found.beam_indices >= 0).sum(-1).tolist()  # the rest is filling
            entry["new_tokens"] = [row[:length] for row, length in zip(tokens, lengths)]
            entry["scores"] = found.sequences_scores.tolist()
        cases.append(entry)
    (out / "search").mkdir(parents=True, exist_ok=True)
    write_json(out / "search" / "cases.json", cases)
