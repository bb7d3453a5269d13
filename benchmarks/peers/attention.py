"""Attention: what benchmarks/kernel/mask_sweep and attend_backward time, and the same through PyTorch, ONNX Runtime and OpenVINO.

Every peer gets queries, keys and values in the layout it likes best, in memory before the clock starts: [1, H, T, d] or
[1, T, H·d]. Masks are given in the cheapest form that a peer has: `is_causal` where it is one, else the dense tensor; for
FlexAttention a block mask that is made before the clock starts. Ours gets rows, [T, H·d], those of a batch one sequence
behind another as its models have them, and an expression.
"""

import dataclasses
import math

import numpy
import torch

from turns import Calls, Program


@dataclasses.dataclass(frozen=True)
class Attention:
    name: str
    batch: int
    heads: int
    queries: int
    keys: int
    dim: int
    expression: str = "full"  # the mask as ours reads it
    mask: object = None  # the same for the peers, (query, key) → visible; None: everything
    causal: bool = False
    bf16: bool = False
    backward: bool = False
    bars: dict = dataclasses.field(default_factory=dict)  # {peers, joined by '|': the ratio to the best of them}

    def path(self, programs):
        return programs / "kernel/attention" / ("backward" if self.backward else "mask_sweep")

    def ours(self, programs, threads):
        if self.backward:
            return Program([self.path(programs)], threads, f"^{self.name}/.*/backward/")
        rows, keys = self.batch * self.queries, self.batch * self.keys
        sizes = ["--queries", rows, "--lengths", keys, "--heads", self.heads, "--dims", self.dim]
        expression = self.expression
        if self.batch > 1:
            lengths = [" ".join([str(length)] * self.batch) for length in (self.queries, self.keys)]
            expression = f"sequences {lengths[0]} by {lengths[1]}"
        kind = ["--masks", expression, "--types", "bf16" if self.bf16 else "f32", "--algorithms", "fused"]
        return Program([self.path(programs), *sizes, *kind], threads)

    @property
    def kind(self):
        return "attention" + (" backward" if self.backward else " bf16" if self.bf16 else "")

    def dense(self):
        """[T, S] of bool."""
        return self.mask(torch.arange(self.queries)[:, None], torch.arange(self.keys)[None, :])


def causal(query, key):
    return query >= key


def uni_modal(query, key):
    """Two sequences of 1024 that do not see each other."""
    return (query < 1024) == (key < 1024)


def window(query, key):
    return (query >= key) & (query - key <= 256)


SDPA, FLEX, ORT, OPENVINO = "PyTorch SDPA", "FlexAttention", "ONNX Runtime", "OpenVINO"
ANY = "|".join((SDPA, FLEX, ORT, OPENVINO))
BOTH = f"{SDPA}|{FLEX}"
KINDS = ("attention", "attention bf16", "attention backward")


def forward(name, *shape, bars, **more):
    """The case in f32 and in bf16."""
    yield Attention(name, *shape, **more, bars=bars)
    yield Attention(name, *shape, **more, bars={SDPA: 1.3}, bf16=True)


def backward(*shape, **more):
    return Attention(*shape, **more, backward=True, bars={SDPA: 2})


CASES = [
    *forward("full, ViT-g", 1, 16, 257, 257, 88, bars={SDPA: 1.3}),
    *forward("full, CLIP-L", 1, 16, 257, 257, 64, bars={SDPA: 1.3}),
    *forward("full, 2048", 1, 12, 2048, 2048, 64, bars={SDPA: 1.3}),
    *forward("causal, 2048", 1, 12, 2048, 2048, 64, "causal", causal, causal=True, bars={BOTH: 1.7}),
    *forward("uni-modal, 1024 + 1024", 1, 12, 2048, 2048, 64, "uni_modal 1024", uni_modal, bars={BOTH: 1.7}),
    *forward("window 256, 4096", 1, 12, 4096, 4096, 64, "window 256", window, bars={SDPA: 12, FLEX: 1.5}),
    *forward("Q-Former 64 × 64", 1, 12, 64, 64, 64, bars={ANY: 1.5}),
    *forward("Q-Former 64 × 64, batch 8", 8, 12, 64, 64, 64, bars={ANY: 1.5}),
    *forward("Q-Former 32 × 257", 1, 12, 32, 257, 64, bars={ANY: 1.5}),
    *forward("Q-Former 32 × 257, batch 8", 8, 12, 32, 257, 64, bars={ANY: 1.5}),
    # The names are those of the rows of benchmarks/kernel/attention/backward.
    backward("ViT-g", 1, 16, 257, 257, 88),
    backward("CLIP-L", 1, 16, 257, 257, 64),
    backward("long", 1, 12, 2048, 2048, 64),
    backward("causal long", 1, 12, 2048, 2048, 64, mask=causal, causal=True),
    backward("uni-modal", 1, 12, 2048, 2048, 64, mask=uni_modal),
    backward("window 256", 1, 12, 2048, 2048, 64, mask=window),
    backward("Q-Former self, 8", 8, 12, 64, 64, 64),
    backward("Q-Former cross, 8", 8, 12, 32, 257, 64),
    backward("Q-Former cross, 1", 1, 12, 32, 257, 64),
]


def inputs(case):
    """q, k, v as [B, H, T, d]."""
    torch.manual_seed(1)
    rows = (case.queries, case.keys, case.keys)
    dtype = torch.bfloat16 if case.bf16 else torch.float32
    return [torch.rand(case.batch, case.heads, n, case.dim).mul(2).sub(1).to(dtype) for n in rows]


def as_rows(x):
    """[B, H, T, d] → [B, T, H·d] for numpy."""
    return x.transpose(1, 2).reshape(x.shape[0], x.shape[2], -1).contiguous().numpy()


def sdpa(case, _threads):
    q, k, v = inputs(case)
    mask = None if case.mask is None or case.causal else case.dense()[None, None]

    def forward():
        return torch.nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=case.causal)

    if not case.backward:
        return Calls(forward)
    for x in (q, k, v):
        x.requires_grad_()
    with torch.enable_grad():
        out = forward()
    gradient = torch.rand_like(out)
    return Calls(lambda: torch.autograd.grad(out, (q, k, v), gradient, retain_graph=True))


def flex(case, _threads):
    if case.backward:
        raise NotImplementedError("it has no backward pass on the CPU")
    from torch.nn.attention.flex_attention import create_block_mask, flex_attention

    # Without this, a shape or mask too many makes it fall back, silently, to a version that is not compiled.
    torch._dynamo.reset()
    q, k, v = inputs(case)
    block_mask = None
    if case.mask is not None:
        block_mask = create_block_mask(
            lambda _b, _h, query, key: case.mask(query, key), None, None, case.queries, case.keys, device="cpu"
        )
    graphs = torch._dynamo.utils.counters["stats"]
    graphs.clear()
    call = torch.compile(flex_attention, dynamic=False, fullgraph=True)
    error = (call(q, k, v, block_mask=block_mask) - sdpa(dataclasses.replace(case), 0).call()).abs().max().item()
    if graphs["unique_graphs"] != 1:
        raise RuntimeError("it was not compiled")
    if not error < (1e-1 if case.bf16 else 1e-4):
        raise RuntimeError(f"it is {error:g} away from SDPA")
    return Calls(lambda: call(q, k, v, block_mask=block_mask))


def onnxruntime(case, threads):
    if case.bf16 or case.backward:
        raise NotImplementedError("it has no such kernel on the CPU")
    import onnx
    import onnxruntime as ort

    heads, shape = case.heads, lambda n: [case.batch, n, case.heads * case.dim]
    tensor, f32 = onnx.helper.make_tensor_value_info, onnx.TensorProto.FLOAT
    arguments = [tensor("q", f32, shape(case.queries)), tensor("k", f32, shape(case.keys)), tensor("v", f32, shape(case.keys))]
    feed = dict(zip("qkv", map(as_rows, inputs(case))))
    names = ["q", "k", "v"]
    if case.mask is not None and not case.causal:
        arguments.append(tensor("bias", f32, [1, 1, case.queries, case.keys]))
        names += ["", "", "bias"]
        visible = case.dense().numpy()[None, None]
        feed["bias"] = numpy.where(visible, 0, numpy.finfo(numpy.float32).min).astype(numpy.float32)
    node = onnx.helper.make_node(
        "MultiHeadAttention",
        names,
        ["out"],
        domain="com.microsoft",
        num_heads=heads,
        scale=1 / math.sqrt(case.dim),
        unidirectional=int(case.causal),
    )
    graph = onnx.helper.make_graph([node], "attention", arguments, [tensor("out", f32, shape(case.queries))])
    opsets = [onnx.helper.make_opsetid("", 17), onnx.helper.make_opsetid("com.microsoft", 1)]
    model = onnx.helper.make_model(graph, opset_imports=opsets, ir_version=9)
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    close_to_sdpa(case, session.run(None, feed)[0])
    return Calls(lambda: session.run(None, feed))


def openvino(case, threads):
    if case.bf16 or case.backward:
        raise NotImplementedError("it has no such kernel on this machine")
    import openvino as ov
    from openvino import opset13

    q, k, v = inputs(case)
    arguments = [opset13.parameter(list(x.shape), ov.Type.f32) for x in (q, k, v)]
    feed = [x.numpy() for x in (q, k, v)]
    mask = []
    if case.mask is not None and not case.causal:
        mask = [opset13.parameter([case.queries, case.keys], ov.Type.boolean)]
        feed.append(case.dense().numpy())
    out = opset13.scaled_dot_product_attention(*arguments, *mask, causal=case.causal)
    model = ov.Model([out], arguments + mask)
    compiled = ov.Core().compile_model(
        model,
        "CPU",
        {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY"},
    )
    request = compiled.create_infer_request()
    for i, x in enumerate(feed):
        request.set_input_tensor(i, ov.Tensor(x, shared_memory=True))
    request.infer()
    close_to_sdpa(case, as_rows(torch.from_numpy(request.get_output_tensor(0).data)))
    return Calls(request.infer)


def close_to_sdpa(case, rows):
    """A peer that computes something else is no peer."""
    error = numpy.abs(rows - as_rows(sdpa(case, 0).call())).max()
    if not error < 1e-4:
        raise RuntimeError(f"it is {error:g} away from SDPA")


PEERS = {SDPA: sdpa, FLEX: flex, ORT: onnxruntime, OPENVINO: openvino}
