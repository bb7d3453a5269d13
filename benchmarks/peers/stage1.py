#!/usr/bin/env python3
"""Times the step of benchmarks/train/stage1.cpp in PyTorch: the reference of the first stage (tests/golden/make/stage1_reference.py) at
full size, its attention by scaled_dot_product_attention, with fused AdamW.

    python3 benchmarks/peers/stage1.py [--threads 2] [--steps 5]
"""
import argparse
import pathlib
import resource
import sys
import time

import torch
import torch.nn.functional as F

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests/golden/make"))
import stage1_reference as reference  # noqa: E402


def attend(self, x, source, allowed, past=None):
    q, k, v = self.split(self.self.query(x)), self.split(self.self.key(source)), self.split(self.self.value(source))
    if past is not None:
        k, v = torch.cat([past[0], k], 2), torch.cat([past[1], v], 2)
    out = F.scaled_dot_product_attention(q, k, v, attn_mask=None if bool(allowed.all()) else allowed)
    return self.output.LayerNorm(self.output.dense(out.transpose(1, 2).flatten(2)) + x), (k, v)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    reference.Attention.forward = attend
    config = reference.Stage1Config(
        vocab_size=30523, hidden_size=768, num_hidden_layers=12, num_attention_heads=12, intermediate_size=3072, cross_attention_freq=2,
        encoder_width=1408, query_length=32, embed_dim=256, max_position_embeddings=512, bos_token_id=30522)
    model = reference.Stage1(config).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, betas=(0.9, 0.98), weight_decay=0.05, fused=True)
    image = torch.randn(8, 257, 1408)
    ids = torch.randint(1000, 20000, (8, 32))
    mask = torch.ones(8, 32, dtype=torch.long)
    other = (torch.arange(8) + 1) % 8
    for name, bf16 in (("f32", False), ("bf16 autocast", True)):
        seconds = []
        for _ in range(options.steps + 1):
            start = time.perf_counter()
            optimizer.zero_grad(set_to_none=True)
            with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
                losses = model(image, ids, mask, other, other)
            losses["loss"].backward()
            optimizer.step()
            seconds.append(time.perf_counter() - start)
        print(f"stage1/padded {name}: {min(seconds[1:]) * 1e3:.0f} ms")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1e-6:.2f} GB")


main()
