"""What transformers makes of a BLIP-2 for retrieval, pictures and texts: features, cosines, logits of a match.

    python match.py --model DIR --out FILE.safetensors --text TEXT [--text TEXT …] PICTURE…

The weights are taken as they are stored and computed with in float32 (`--float64`: how far is float32 from the truth?). Each pair
goes through the model by itself. `compare.py` holds the file against what `peers/match` writes.

    vision.last_hidden_state    [n, P+1, D]
    image_features              [n, Q, E]
    text_features               [m, E]
    itc                         [n, m]       cosine of the nearest query
    itm_logits, itm             [n, m]       logit and probability of "match"
"""

import argparse
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import AutoTokenizer, Blip2ForImageTextRetrieval, BlipImageProcessorPil
from transformers.image_utils import load_image


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, type=Path)
    parser.add_argument("--text", action="append", required=True)
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--float64", action="store_true")
    parser.add_argument("picture", nargs="+")
    options = parser.parse_args()

    dtype = torch.float64 if options.float64 else torch.float32
    model = Blip2ForImageTextRetrieval.from_pretrained(options.model, dtype=torch.float32, attn_implementation="sdpa" if options.float64 else "eager").eval().to(dtype)
    pixels = BlipImageProcessorPil.from_pretrained(options.model)([load_image(x) for x in options.picture], return_tensors="pt")["pixel_values"]
    tokenizer = AutoTokenizer.from_pretrained(options.model)
    queries = model.config.num_query_tokens

    def pair(pixel, text, matching):
        ids = torch.tensor([[model.config.image_token_index] * queries + tokenizer(text)["input_ids"]])
        return model(pixel_values=pixel[None].to(dtype), input_ids=ids, attention_mask=torch.ones_like(ids), use_image_text_matching_head=matching)

    out = {name: [] for name in ("vision.last_hidden_state", "image_features", "itc", "itm_logits", "itm")}
    with torch.no_grad():
        for pixel in pixels:
            contrast = [pair(pixel, text, False) for text in options.text]
            logits = torch.cat([pair(pixel, text, True).logits_per_image for text in options.text])
            out["vision.last_hidden_state"].append(contrast[0].vision_model_output.last_hidden_state[0])
            out["image_features"].append(contrast[0].image_embeds[0])
            out["itc"].append(torch.cat([x.logits_per_image[0] for x in contrast]))
            out["itm_logits"].append(logits[:, 1])
            out["itm"].append(logits.softmax(-1)[:, 1])
    out = {name: torch.stack(values).to(dtype) for name, values in out.items()}
    out["text_features"] = torch.cat([x.text_embeds for x in contrast])
    save_file({name: x.contiguous() for name, x in out.items()}, options.out)
    print(out["itc"], out["itm_logits"], sep="\n")


if __name__ == "__main__":
    main()
