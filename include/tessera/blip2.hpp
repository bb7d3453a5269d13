// All of BLIP-2's inference: pictures, text, checkpoints, models, captions, answers, matching.
#pragma once
#include <tessera/attention.hpp>
#include <tessera/generate/answer.hpp>
#include <tessera/generate/caption.hpp>
#include <tessera/generate/caption_stage1.hpp>
#include <tessera/generate/load.hpp>
#include <tessera/generate/load_parts.hpp>
#include <tessera/generate/match.hpp>
#include <tessera/generate/retrieve.hpp>
#include <tessera/image/decode.hpp>
