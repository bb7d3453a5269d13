"""Captions from the first stage's own head, as LAVIS's Blip2Qformer.generate makes them: by the search of transformers, from [DEC] on.

    python stage1_captions.py FOLDER                       # a finished `stage1`: adds `captions` to its expected.json
    python stage1_captions.py FOLDER ENCODER PICTURE...    # prints those of pictures, seen by the image encoder of a finished `blip2_itr`

Every step computes queries and text anew, in one pass under the multimodal causal mask, as LAVIS does without its cache.
"""

import copy
import json
import sys
from pathlib import Path

import torch
import transformers
from safetensors.torch import load_file
from stage1_reference import Stage1, Stage1Config
from tokenizers import Tokenizer
from transformers.generation import GenerationMixin
from transformers.modeling_outputs import CausalLMOutput

LAVIS = {"num_beams": 3, "max_length": 30, "min_length": 10, "do_sample": False}
RUNS = {
    "greedy": {"max_new_tokens": 12},
    "lavis": LAVIS,
    "lavis_penalized": LAVIS | {"repetition_penalty": 1.5, "length_penalty": 0.5},
    "four": LAVIS | {"num_beams": 4, "num_return_sequences": 4, "length_penalty": 2.0, "max_length": 20},
}


class Captioner(transformers.PreTrainedModel, GenerationMixin):
    config_class = transformers.PretrainedConfig
    _supports_cache_class = False

    def __init__(self, model, sep):
        super().__init__(transformers.PretrainedConfig(vocab_size=model.c.vocab_size, eos_token_id=sep, pad_token_id=model.c.pad_token_id, is_encoder_decoder=False))
        self.stage1 = model
        self.generation_config = transformers.GenerationConfig(eos_token_id=sep, pad_token_id=model.c.pad_token_id, use_cache=False)

    @property
    def device(self):
        return torch.device("cpu")

    def prepare_inputs_for_generation(self, input_ids, image=None, **_):
        return {"input_ids": input_ids, "image": image}

    def forward(self, input_ids, image=None, **_):
        q, t = self.stage1.c.query_length, input_ids.shape[1]
        allowed = torch.ones(q + t, q + t, dtype=torch.bool).tril()
        allowed[:, :q] = True
        x, _ = self.stage1.Qformer.encode(
            ids=input_ids, query_embeds=self.stage1.query_tokens.expand(len(input_ids), -1, -1), allowed=allowed.expand(len(input_ids), 1, -1, -1),
            image=self.stage1.ln_vision(image),
        )  # fmt: skip
        return CausalLMOutput(logits=self.stage1.Qformer.words(x[:, q:]))


def captions(model, image, tokenizer):
    """{run: settings, sequences without [DEC], texts, scores}"""
    sep = tokenizer.token_to_id("[SEP]")
    captioner = Captioner(model, sep).eval()
    start = torch.full((len(image), 1), model.c.bos_token_id)
    out = {}
    # And one that ends: at a token that the best texts have, beside [SEP], which random weights never say.
    often = captioner.generate(input_ids=start, image=image, **LAVIS)[:, 11:].flatten().mode().values.item()
    for name, settings in (RUNS | {"ends": LAVIS | {"eos_token_id": [sep, often]}}).items():
        with torch.no_grad():
            result = captioner.generate(input_ids=start, image=image, output_scores=True, return_dict_in_generate=True, **settings)
        rows = []
        ends = settings.get("eos_token_id", [sep])
        for row in result.sequences[:, 1:].tolist():
            rows.append(row[: min((row.index(e) for e in ends if e in row), default=len(row)) + 1])
        out[name] = {"settings": settings, "new_tokens": rows, "text": [tokenizer.decode(r, skip_special_tokens=True) for r in rows]}
        if "sequences_scores" in result:
            out[name]["scores"] = result.sequences_scores.tolist()
    return out


def load(folder):
    config = json.loads((folder / "config.json").read_text())
    model = Stage1(Stage1Config(**{k: v for k, v in config.items() if k in Stage1Config.__dataclass_fields__})).eval()
    model.load_state_dict(load_file(folder / "model.safetensors"), strict=False)
    return model, Tokenizer.from_file(str(folder / "tokenizer.json"))


def checked_captions(model, image, tokenizer):
    found = captions(model, image, tokenizer)
    exact = captions(copy.deepcopy(model).double(), image.double(), tokenizer)
    for name in found:
        assert found[name]["new_tokens"] == exact[name]["new_tokens"], f"{name}: tokens hang on rounding"
    return found


def seen(folder, pictures):
    """What the blocks of that image encoder make of pictures: its own last norm is not there, `ln_vision` comes after."""
    from PIL import Image

    blip2 = transformers.Blip2ForImageTextRetrieval.from_pretrained(folder).eval()
    blip2.vision_model.post_layernorm = torch.nn.Identity()
    prepare = transformers.BlipImageProcessor.from_pretrained(folder)
    pixels = prepare([Image.open(p).convert("RGB") for p in pictures], return_tensors="pt")["pixel_values"]
    with torch.no_grad():
        return blip2.vision_model(pixels).last_hidden_state


def main(folder):
    model, tokenizer = load(folder)
    found = checked_captions(model, load_file(folder / "expected.safetensors")["image"], tokenizer)
    path = folder / "expected.json"
    expected = json.loads(path.read_text())
    path.write_text(json.dumps(expected | {"captions": found}, ensure_ascii=False, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    if len(sys.argv) == 2:
        main(Path(sys.argv[1]))
    else:
        model, tokenizer = load(Path(sys.argv[1]))
        for name, run in checked_captions(model, seen(sys.argv[2], sys.argv[3:]), tokenizer).items():
            print(name, json.dumps(run, ensure_ascii=False))
