"""What transformers makes of a BLIP-2 checkpoint folder and a picture: every value on the way, logits and greedy tokens.

    python logits.py --model DIR --picture FILE [--prompt TEXT] [--max-tokens N] --out FILE.safetensors

The weights are taken as they are stored and computed with in float32, whatever they are stored as: rounded weights, exact
arithmetic. Where the whole model in float32 does not fit into memory, it is widened layer by layer while it runs.
`compare.py` holds the file against what `tessera caption --dump FILE` writes.

    pixel_values                        [3, H, W]    after the image processor (Pillow's resize)
    vision.embeddings, vision.layer_i   [P+1, D]     with --layers
    vision.last_hidden_state            [P+1, D]     after the last norm
    qformer.layer_i                     [Q, D]       with --layers
    qformer.last_hidden_state           [Q, D]
    language_projection                 [Q, E]       what the language model reads of the picture
    encoder.layer_i                     [T, E]       of FlanT5, with --layers
    encoder.last_hidden_state           [T, E]       of FlanT5
    input_ids, logits                   [T], [T, V]  the prompt: placeholders, beginning, text; FlanT5: after the start token
    tokens                              [n]          what greedy decoding makes of it, the end included
    step_logits_i                       [1, V]       from which token i was chosen
"""

import argparse
import contextlib
import sys
import time
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import AutoProcessor, Blip2ForConditionalGeneration
from transformers.image_utils import load_image


def available_memory():
    """Bytes that can be taken without swapping."""
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return 0


def layers_of(model):
    """The modules that hold most of the weights and run one after another."""
    language = model.language_model
    if model.config.text_config.is_encoder_decoder:
        language_layers = [*language.encoder.block, *language.decoder.block]
    else:
        language_layers = [*language.model.decoder.layers]
    return [*model.vision_model.encoder.layers, *model.qformer.encoder.layer, *language_layers]


def widen_while_running(model, dtype):
    """Weights outside the layers are widened for good; those of a layer from when it is called until it returns."""
    layers = layers_of(model)
    inside = {id(p) for layer in layers for p in layer.parameters()}
    for p in model.parameters():
        if id(p) not in inside:
            p.data = p.data.to(dtype)
    for layer in layers:
        stored = [(p, p.data) for p in layer.parameters()]

        def widen(_module, _inputs, stored=stored):
            for p, data in stored:
                p.data = data.to(dtype)

        def narrow(_module, _inputs, _output, stored=stored):
            for p, data in stored:
                p.data = data

        layer.register_forward_pre_hook(widen)
        layer.register_forward_hook(narrow)


def load(folder, dtype, layer_by_layer):
    # The plain attention of OPT rounds its softmax to float32.
    attention = "sdpa" if dtype == torch.float64 else "eager"
    model = Blip2ForConditionalGeneration.from_pretrained(folder, dtype="auto", attn_implementation=attention).eval()
    # The Q-Former is widened to float32 by transformers itself: its weights are then still the stored ones, exactly.
    count = sum(p.numel() for p in model.parameters())
    needed = count * torch.finfo(dtype).bits // 8
    if layer_by_layer or (needed > available_memory() and model.dtype != dtype):
        widen_while_running(model, dtype)
        how = "widened layer by layer"
    else:
        model.to(dtype)
        how = "in memory"
    print(f"{folder}: {count / 1e9:.3f} G weights, computed in {str(dtype)[6:]}, {how}", file=sys.stderr)
    return model


@contextlib.contextmanager
def watching(modules):
    """Collects the first output of modules, {name: module}, while the block runs; the first call counts."""
    seen, handles = {}, []
    for name, module in modules.items():

        def record(_module, _inputs, output, name=name):
            first = output if isinstance(output, torch.Tensor) else output[0]
            seen.setdefault(name, first.detach().squeeze(0).clone())

        handles.append(module.register_forward_hook(record))
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()


def watched_modules(model, layers):
    modules = {
        "vision.last_hidden_state": model.vision_model,
        "qformer.last_hidden_state": model.qformer,
        "language_projection": model.language_projection,
    }
    if model.config.text_config.is_encoder_decoder:
        modules["encoder.last_hidden_state"] = model.language_model.encoder
        if layers:
            modules |= {f"encoder.layer_{i}": m for i, m in enumerate(model.language_model.encoder.block)}
    if layers:
        modules["vision.embeddings"] = model.vision_model.embeddings
        modules |= {f"vision.layer_{i}": m for i, m in enumerate(model.vision_model.encoder.layers)}
        modules |= {f"qformer.layer_{i}": m for i, m in enumerate(model.qformer.encoder.layer)}
    return modules


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, type=Path)
    parser.add_argument("--picture", required=True)
    parser.add_argument("--prompt", default="")
    parser.add_argument("--max-tokens", type=int, default=20)
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--layers", action="store_true", help="also what each layer of ViT, Q-Former and T5's encoder gives")
    parser.add_argument("--float64", action="store_true", help="compute in float64: how far is float32 from the truth?")
    parser.add_argument("--layer-by-layer", action="store_true", help="even if memory suffices")
    options = parser.parse_args()

    dtype = torch.float64 if options.float64 else torch.float32
    processor = AutoProcessor.from_pretrained(options.model, backend="pil")
    inputs = processor(images=load_image(options.picture), text=options.prompt, return_tensors="pt")
    pixels = inputs["pixel_values"]
    inputs["pixel_values"] = pixels.to(dtype)
    model = load(options.model, dtype, options.layer_by_layer)
    seq2seq = model.config.text_config.is_encoder_decoder

    begin = time.perf_counter()
    with torch.no_grad(), watching(watched_modules(model, options.layers)) as values:
        values["pixel_values"] = pixels.squeeze(0)
        start = {"decoder_input_ids": torch.zeros(1, 1, dtype=torch.long)} if seq2seq else {}
        values["logits"] = model(**inputs, **start).logits.squeeze(0)
        made = model.generate(
            **inputs,
            max_new_tokens=options.max_tokens,
            do_sample=False,
            return_dict_in_generate=True,
            output_logits=True,
        )
    seconds = time.perf_counter() - begin
    length = 1 if seq2seq else inputs["input_ids"].shape[1]
    tokens = made.sequences[0, length:]
    values["input_ids"] = inputs["input_ids"].squeeze(0)
    values["tokens"] = tokens
    for i, scores in enumerate(made.logits):
        values[f"step_logits_{i}"] = scores
    values = {name: v.float() if v.is_floating_point() and not options.float64 else v for name, v in values.items()}
    save_file({name: v.contiguous() for name, v in values.items()}, options.out)

    steps = torch.cat(made.logits).double()
    lead = steps.topk(2, -1).values
    margin = ((lead[:, 0] - lead[:, 1]) / steps.std(-1)).min().item() if len(steps) else float("nan")
    print(f"tokens: {tokens.tolist()}")
    print(f"text:   {processor.tokenizer.decode(tokens, skip_special_tokens=True)!r}")
    print(f"the best token leads by {margin:.2e} standard deviations of the logits or more; {seconds:.1f} s")


if __name__ == "__main__":
    main()
