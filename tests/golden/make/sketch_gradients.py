"""Gradients of every parameter as a few numbers each, since all of them would be several megabytes.

The sketch of a tensor g of n numbers is 12 sums Σ ±g[i] / √n, where the sign in sum k is bit k of split_mix(i), and at last the root
mean square of g. A wrong gradient anywhere moves all sums; an error whose root mean square is e moves each by about e.
"""

import json
import struct

import numpy

SUMS = 12


def split_mix(x):
    """Of an array of 64-bit numbers; see core/split_mix.hpp."""
    with numpy.errstate(over="ignore"):
        x = x + numpy.uint64(0x9E3779B97F4A7C15)
        x = (x ^ (x >> numpy.uint64(30))) * numpy.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> numpy.uint64(27))) * numpy.uint64(0x94D049BB133111EB)
        return x ^ (x >> numpy.uint64(31))


def sketch(values):
    mixed = split_mix(numpy.arange(values.size, dtype=numpy.uint64))
    signs = [1 - 2 * ((mixed >> numpy.uint64(k)) & numpy.uint64(1)).astype(numpy.float64) for k in range(SUMS)]
    return [float(values @ sign) / values.size**0.5 for sign in signs] + [float((values @ values / values.size) ** 0.5)]


def sketch_gradients(source, target):
    """Reads all tensors `grad.X` of the safetensors file `source` (of `stage1`, `grad.LOSS.X` and `grad_gathered.LOSS.X`), and writes
    a tensor of sketches, and the names as text, for each kind."""
    raw = source.read_bytes()
    length = struct.unpack("<Q", raw[:8])[0]
    header = json.loads(raw[8 : 8 + length])
    kinds = {}
    for name in sorted(header):
        if not name.startswith("grad"):
            continue
        stage1 = name.startswith(("grad.loss", "grad_gathered."))
        kind = ".".join(name.split(".")[: 2 if stage1 else 1])
        begin, end = (8 + length + at for at in header[name]["data_offsets"])
        values = numpy.frombuffer(raw[begin:end], dtype="<f4").astype(numpy.float64)
        kinds.setdefault(kind, {})[name[len(kind) + 1 :]] = sketch(values)
    kept, notes, data = {}, {}, b""
    for kind, tensors in kinds.items():
        part = struct.pack(f"<{len(tensors) * (SUMS + 1)}f", *(x for numbers in tensors.values() for x in numbers))
        kept[kind] = {"dtype": "F32", "shape": [len(tensors), SUMS + 1], "data_offsets": [len(data), len(data) + len(part)]}
        notes[kind] = " ".join(tensors)
        data += part
    text = json.dumps({"__metadata__": notes, **kept}, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    target.write_bytes(struct.pack("<Q", len(text)) + text + data)
