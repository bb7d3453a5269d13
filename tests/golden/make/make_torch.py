#!/usr/bin/env python3
"""Files of torch.save, a few hundred bytes each, and what they hold.

    python3 tests/golden/make/make_torch.py tests/golden/torch
"""
import collections
import json
import pathlib
import sys

import torch


def main():
    out = pathlib.Path(sys.argv[1])
    out.mkdir(exist_ok=True)
    types = [torch.float32, torch.float16, torch.bfloat16, torch.float64, torch.int64, torch.int32, torch.int16, torch.int8,
             torch.uint8, torch.bool, torch.uint16, torch.uint32, torch.uint64]
    every_type = {str(dtype).split(".")[1]: torch.tensor([[0, 1, 2], [3, 4, 5]]).to(dtype) for dtype in types}

    layer = torch.nn.Linear(2, 3)
    with torch.no_grad():
        layer.weight.copy_(torch.arange(6.0).reshape(3, 2))
        layer.bias.copy_(torch.tensor([-1.5, 0.25, 1e-3]))

    table = torch.arange(12.0).reshape(4, 3)
    views = collections.OrderedDict(whole=table, rows=table[1:3], last=table[3, 2], none=table[:0], again=table,
                                    parameter=torch.nn.Parameter(table[2]))

    adam = torch.optim.AdamW(layer.parameters())
    layer(torch.ones(1, 2)).sum().backward()
    adam.step()
    lavis = {"model": {"query_tokens": torch.ones(1, 2, 2), "temp": torch.tensor(0.07)}, "optimizer": adam.state_dict(),
             "config": {"run": {"lr": 1e-4, "amp": True, "task": None, "sizes": [1, 2, -3], "seed": 1 << 70}}, "scaler": {},
             "epoch": 9}

    files = {"every_type": every_type, "linear": layer.state_dict(), "views": views, "lavis": lavis}
    expected = {}
    for name, content in files.items():
        torch.save(content, out / f"{name}.pth")
        tensors = content.get("model", content)
        expected[name] = {key: {"shape": list(x.shape), "values": x.double().flatten().tolist()} for key, x in tensors.items()}
    torch.save(views, out / "views_protocol_4.pth", pickle_protocol=4)
    torch.save(views, out / "views_legacy.pth", _use_new_zipfile_serialization=False)
    torch.save({"x": table.t()}, out / "transposed.pth")
    torch.save({"model": layer}, out / "module.pth")
    (out / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")


main()
