#!/usr/bin/env python3
"""Times the step of benchmarks/train/stage2.cpp in PyTorch and transformers: Q-Former and projection learn through a frozen OPT-2.7b.

    python3 benchmarks/peers/stage2.py [--threads 2] [--steps 2] [--f32]
"""
import argparse
import resource
import time

import torch
from transformers import Blip2QFormerConfig, Blip2QFormerModel, OPTConfig, OPTForCausalLM


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, default=2)
    parser.add_argument("--f32", action="store_true", help="the language model's weights, too")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    qformer = Blip2QFormerModel(Blip2QFormerConfig(attention_probs_dropout_prob=0.0, hidden_dropout_prob=0.0)).train()
    projection = torch.nn.Linear(768, 2560)
    queries = torch.nn.Parameter(torch.randn(1, 32, 768))
    config = OPTConfig(hidden_size=2560, num_hidden_layers=32, num_attention_heads=32, ffn_dim=10240, word_embed_proj_dim=2560, vocab_size=50304)
    torch.set_default_dtype(torch.float32 if options.f32 else torch.bfloat16)
    language = OPTForCausalLM._from_config(config, attn_implementation="sdpa").eval().requires_grad_(False)
    torch.set_default_dtype(torch.float32)
    learned = [queries, *qformer.parameters(), *projection.parameters()]
    optimizer = torch.optim.AdamW(learned, lr=1e-4, betas=(0.9, 0.98), weight_decay=0.05, fused=True)
    image = torch.randn(8, 257, 1408)
    ids = torch.randint(1000, 40000, (8, 20))
    labels = torch.cat([torch.full((8, 32), -100), ids], 1)
    seconds = []
    for _ in range(options.steps + 1):
        start = time.perf_counter()
        optimizer.zero_grad(set_to_none=True)
        soft = projection(qformer(query_embeds=queries.expand(8, -1, -1), encoder_hidden_states=image).last_hidden_state)
        words = language.get_input_embeddings()(ids)
        loss = language(inputs_embeds=torch.cat([soft.to(words.dtype), words], 1), labels=labels).loss
        loss.backward()
        optimizer.step()
        seconds.append(time.perf_counter() - start)
    print(f"stage2 {'f32' if options.f32 else 'bf16'} language model: {min(seconds[1:]) * 1e3:.0f} ms")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1e-6:.2f} GB")


main()
