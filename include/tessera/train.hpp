// Training: gradients, the tape that makes them, and the losses of both stages.
#pragma once
#include <tessera/attention.hpp>
#include <tessera/kernel/attention/backward.hpp>
#include <tessera/kernel/matmul/backward.hpp>
#include <tessera/nn/randomize.hpp>
#include <tessera/train/adamw.hpp>
#include <tessera/train/backward/folded_attention.hpp>
#include <tessera/train/clip.hpp>
#include <tessera/train/schedule.hpp>
#include <tessera/train/stage1.hpp>
#include <tessera/train/stage2.hpp>
#include <tessera/train/tape.hpp>
