"""Models: the passes of benchmarks/model, and the same shapes with random weights through PyTorch with transformers, ONNX
Runtime and OpenVINO.

`--cache DIR` keeps what the last two are given (ONNX, OpenVINO's own format) from one run to the next: writing it takes
far longer than timing it. OPT in 8 layers stands for OPT where 32 layers in float32 do not fit into memory: a token of the
32 costs four times the layers, and the head once.
"""

import dataclasses
from pathlib import Path

import torch
import transformers
from transformers.initialization import no_init_weights

from turns import Calls, Program

TORCH, ORT, OPENVINO = "PyTorch", "ONNX Runtime", "OpenVINO"


class Step(torch.nn.Module):
    """OPT behind a past of keys and values, as a graph without a cache object: what exporters can read."""

    def __init__(self, config):
        super().__init__()
        self.heads, self.width = config.num_attention_heads, config.hidden_size
        linear, norm = torch.nn.Linear, torch.nn.LayerNorm
        self.layers = torch.nn.ModuleList(
            torch.nn.ModuleDict(
                {
                    "norm1": norm(self.width),
                    "qkv": linear(self.width, 3 * self.width),
                    "out": linear(self.width, self.width),
                    "norm2": norm(self.width),
                    "up": linear(self.width, config.ffn_dim),
                    "down": linear(config.ffn_dim, self.width),
                }
            )
            for _ in range(config.num_hidden_layers)
        )
        self.norm = norm(self.width)
        self.head = linear(self.width, config.vocab_size, bias=False)

    def forward(self, x, keys, values):
        """x [1, 1, D], keys and values [L, 1, H, T, d] → scores [1, 1, V], the new keys and values [L, 1, H, 1, d]"""
        new_keys, new_values = [], []
        for i, layer in enumerate(self.layers):
            q, k, v = (y.view(1, 1, self.heads, -1).transpose(1, 2) for y in layer["qkv"](layer["norm1"](x)).chunk(3, -1))
            new_keys.append(k)
            new_values.append(v)
            k, v = torch.cat((keys[i], k), 2), torch.cat((values[i], v), 2)
            mixed = torch.nn.functional.scaled_dot_product_attention(q, k, v)
            x = x + layer["out"](mixed.transpose(1, 2).reshape(1, 1, -1))
            x = x + layer["down"](torch.relu(layer["up"](layer["norm2"](x))))
        return self.head(self.norm(x)), torch.stack(new_keys), torch.stack(new_values)


class Output(torch.nn.Module):
    """A model of transformers as a function from tensors to a tensor."""

    def __init__(self, model, names):
        super().__init__()
        self.model, self.names = model, names

    def forward(self, *inputs):
        out = self.model(**dict(zip(self.names, inputs)))
        return out if isinstance(out, torch.Tensor) else out[0]


def randomized(make, dtype=torch.float32):
    """The model that `make` makes, with random weights small enough for nothing to overflow."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        with no_init_weights():
            model = make().eval()
    finally:
        torch.set_default_dtype(before)
    for p in model.parameters():
        p.requires_grad_(False)
        p.fill_(0.01) if p.ndim < 2 else p.uniform_(-0.02, 0.02)
    return model


def opt_config(layers):
    return transformers.OPTConfig(
        vocab_size=50304,
        hidden_size=2560,
        num_hidden_layers=layers,
        ffn_dim=10240,
        num_attention_heads=32,
        word_embed_proj_dim=2560,
    )


CLIP_L = transformers.CLIPVisionConfig(
    hidden_size=1024, intermediate_size=4096, num_hidden_layers=24, num_attention_heads=16, patch_size=14
)
PIXELS = (1, 3, 224, 224)


def vit_layer(dtype):
    config = transformers.Blip2VisionConfig(num_hidden_layers=1)
    make = lambda: transformers.Blip2VisionModel(config).encoder.layers[0]
    return Output(randomized(make, dtype), ["hidden_states"]), (torch.randn(1, 257, 1408, dtype=dtype),)


def vit(dtype):
    model = randomized(lambda: transformers.Blip2VisionModel(transformers.Blip2VisionConfig()), dtype)
    return Output(model, ["pixel_values"]), (torch.randn(PIXELS, dtype=dtype),)


def clip(dtype):
    model = randomized(lambda: transformers.CLIPVisionModel(CLIP_L), dtype)
    return Output(model, ["pixel_values"]), (torch.randn(PIXELS, dtype=dtype),)


def qformer(pictures):
    def make(dtype):
        model = randomized(lambda: transformers.Blip2QFormerModel(transformers.Blip2QFormerConfig()), dtype)
        names = ["query_embeds", "encoder_hidden_states"]
        shapes = (pictures, 32, 768), (pictures, 257, 1408)
        return Output(model, names), tuple(torch.randn(shape, dtype=dtype) for shape in shapes)

    return make


def itm(dtype):
    """What Blip2ForImageTextRetrieval does with one picture, beyond the image encoder, and 64 texts of 8 to 20 tokens: the picture
    once for each text, and the texts filled up to the longest."""
    config = transformers.Blip2QFormerConfig(vocab_size=30523, use_qformer_text_input=True)
    model = randomized(lambda: transformers.Blip2QFormerModel(config), dtype)
    lengths = [8 + 5 * i % 13 for i in range(64)]
    mask = torch.tensor([[1] * (32 + n) + [0] * (max(lengths) - n) for n in lengths])
    rows = torch.randn(64, 32 + max(lengths), 768, dtype=dtype)
    picture = torch.randn(1, 257, 1408, dtype=dtype).expand(64, -1, -1)
    names = ["query_embeds", "query_length", "attention_mask", "encoder_hidden_states"]
    return Output(model, names), (rows, 32, mask, picture)


def opt_prefill(layers):
    def make(dtype):
        model = randomized(lambda: transformers.OPTForCausalLM(opt_config(layers)), dtype)
        ids = torch.randint(5, 50000, (1, 40))
        last_only = Output(model, ["input_ids", "logits_to_keep"])
        return last_only, (ids, 1)

    return make


def opt_decode(layers):
    """Of transformers where it is called, its own cache and all; see `opt_decode_graph` for the others."""

    def make(dtype):
        model = randomized(lambda: transformers.OPTForCausalLM(opt_config(layers)), dtype)
        past = model(torch.randint(5, 50000, (1, 40)), use_cache=True).past_key_values
        token = torch.tensor([[7]])

        def step():
            scores = model(token, past_key_values=past, use_cache=True).logits
            past.crop(-1)
            return scores

        return step, ()

    return make


def opt_decode_graph(layers):
    def make(dtype):
        past = torch.randn(2, layers, 1, 32, 40, 80, dtype=dtype)
        step = randomized(lambda: Step(opt_config(layers)), dtype)
        return step, (torch.randn(1, 1, 2560, dtype=dtype), *past)

    return make


FLAN_T5_XL = transformers.T5Config(
    d_model=2048,
    d_ff=5120,
    num_layers=24,
    num_heads=32,
    feed_forward_proj="gated-gelu",
    dense_act_fn="gelu",
    scale_decoder_outputs=False,
    decoder_start_token_id=0,
)


def t5(dtype):
    return randomized(lambda: transformers.T5ForConditionalGeneration(FLAN_T5_XL), dtype)


def t5_encode(dtype):
    """The encoder, and the keys and values that the decoder takes of it: its first step, all but that token."""
    model = t5(dtype)
    rows = torch.randn(1, 40, 2048, dtype=dtype)

    def read():
        encoded = model.encoder(inputs_embeds=rows).last_hidden_state
        return [(b.layer[1].EncDecAttention.k(encoded), b.layer[1].EncDecAttention.v(encoded)) for b in model.decoder.block]

    return read, ()


def t5_decode(dtype):
    model = t5(dtype)
    encoded = model.encoder(inputs_embeds=torch.randn(1, 40, 2048, dtype=dtype))
    past = model(encoder_outputs=encoded, decoder_input_ids=torch.full((1, 10), 7), use_cache=True).past_key_values
    token = torch.tensor([[7]])

    def step():
        scores = model(encoder_outputs=encoded, decoder_input_ids=token, past_key_values=past, use_cache=True).logits
        past.self_attention_cache.crop(-1)
        return scores

    return step, ()


@dataclasses.dataclass(frozen=True)
class Model:
    name: str  # of the pass
    program: str
    make: object  # dtype → (module or function, its inputs)
    graph: object = None  # the same for exporters, where it is another
    weights: str = "f32"
    peers: tuple = (TORCH, ORT, OPENVINO)
    bars: dict = dataclasses.field(default_factory=dict)

    def path(self, programs):
        return programs / "model" / self.program / self.program

    def ours(self, programs, threads):
        return Program([self.path(programs)], threads, f"^{self.name}/{self.weights}/")

    @property
    def dtype(self):
        return {"f32": torch.float32, "bf16": torch.bfloat16}[self.weights]


CASES = [
    Model("ViT-g layer", "vit", vit_layer, bars={TORCH: 1.1}),
    Model("ViT-g", "vit", vit, bars={f"{ORT}|{OPENVINO}": 1.12}),
    Model("CLIP-L", "vit", clip),
    Model("Q-Former", "qformer", qformer(1)),
    Model("Q-Former, 8 pictures", "qformer", qformer(8)),
    Model("ITM, 64 texts", "qformer", itm, peers=(TORCH,), bars={TORCH: 1.5}),
    Model("OPT-2.7b decode, 8 layers", "opt", opt_decode(8), opt_decode_graph(8)),
    Model("OPT-2.7b prefill 40, 8 layers", "opt", opt_prefill(8), peers=(TORCH,)),
    Model("ViT-g layer", "vit", vit_layer, weights="bf16", peers=(TORCH,)),
    Model("Q-Former", "qformer", qformer(1), weights="bf16", peers=(TORCH,)),
    Model("OPT-2.7b decode", "opt", opt_decode(32), weights="bf16", peers=(TORCH,)),
    Model("OPT-2.7b prefill 40", "opt", opt_prefill(32), weights="bf16", peers=(TORCH,)),
    Model("FlanT5-xl decode", "t5", t5_decode, weights="bf16", peers=(TORCH,), bars={TORCH: 1.7}),
    Model("FlanT5-xl encode 40", "t5", t5_encode, weights="bf16", peers=(TORCH,)),
]


def pytorch(case, _threads, _cache):
    call, arguments = case.make(case.dtype)
    return Calls(lambda: call(*arguments))


def exported(case, cache, kind, write):
    """The file that `write(module, inputs, path)` makes of the model, made once; and inputs as numpy."""
    path = Path(cache) / f"{case.name.replace(' ', '_').replace(',', '')}.{kind}"
    inputs = path.with_suffix(f".{kind}.inputs")
    if not inputs.exists():  # written last
        path.parent.mkdir(parents=True, exist_ok=True)
        module, arguments = (case.graph or case.make)(case.dtype)
        write(module, arguments, path)
        torch.save(arguments, inputs)
    return path, [x.numpy() for x in torch.load(inputs)]


def onnxruntime(case, threads, cache):
    import onnxruntime as ort

    def write(module, arguments, path):
        torch.onnx.export(module, arguments, path, dynamo=True, external_data=True, verbose=False)

    path, arguments = exported(case, cache, "onnx", write)
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    feed = {node.name: x for node, x in zip(session.get_inputs(), arguments)}
    return Calls(lambda: session.run(None, feed))


def openvino(case, threads, cache):
    import openvino as ov

    def write(module, arguments, path):
        ov.save_model(ov.convert_model(module, example_input=arguments), path, compress_to_fp16=False)

    path, arguments = exported(case, cache, "xml", write)
    core = ov.Core()
    model = core.read_model(path)
    model.reshape({i: list(x.shape) for i, x in enumerate(arguments)})
    settings = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY"}
    request = core.compile_model(model, "CPU", settings).create_infer_request()
    for i, x in enumerate(arguments):
        request.set_input_tensor(i, ov.Tensor(x, shared_memory=True))
    return Calls(request.infer)


PEERS = {TORCH: pytorch, ORT: onnxruntime, OPENVINO: openvino}
