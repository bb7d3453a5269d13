// Training: gradients, and the tape that makes them.
#pragma once
#include <tessera/attention.hpp>
#include <tessera/kernel/attention/backward.hpp>
#include <tessera/kernel/matmul/backward.hpp>
#include <tessera/train/backward/folded_attention.hpp>
#include <tessera/train/tape.hpp>
