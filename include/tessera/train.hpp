// Gradients: the backward passes of the kernels and of folded attention.
#pragma once
#include <tessera/attention.hpp>
#include <tessera/kernel/attention/backward.hpp>
#include <tessera/kernel/matmul/backward.hpp>
#include <tessera/train/backward/folded_attention.hpp>
