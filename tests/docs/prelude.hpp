// What the code blocks of the documentation use without declaring it.
#pragma once
#include <functional>
#include <iostream>
#include <tessera/generate/attention_map.hpp>
#include <tessera/generate/match.hpp>
#include <tessera/image/write.hpp>
#include <tessera/model/opt/names.hpp>
#include <tessera/nn/block.hpp>
#include <tessera/nn/randomize.hpp>
#include <tessera/study.hpp>
#include <tessera/tessera.hpp>
#include <tessera/train.hpp>
#include <tessera/train/log.hpp>
#include <tessera/train/start_stage2.hpp>
#include <tessera/train/trainer.hpp>
#include <tessera/train/training_run.hpp>
#include <vector>

using namespace tessera;

inline Tensor<float, dyn, 768> x({64, 768}), queries({32, 768});
inline Tensor<float, dyn, 1408> patches({257, 1408});
inline std::vector<Index> offsets{0, 20, 64};
inline constexpr Range text_rows{32, 64}, query_rows{0, 32};

extern Pipeline<Blip2Tiny> blip2;
extern Image picture;

extern Blip2ItmTiny model;
extern ConstRows<588> pixels;
extern Grid grid;
extern Scratch s;
extern TextBatch texts;
extern std::vector<ImageTextPair> pairs;
extern Blip2Stage1<QFormer<tiny_itm_qformer>> stage1;
extern std::vector<Stage1Batch<tiny_itm_qformer.context>> batches;
extern Gradients gradients;
extern AdamW adamw;
extern Tape tape;
extern Index step;
extern bool resume;
extern std::string settings;
extern StepLoss loss;
using Model = Blip2Tiny;
