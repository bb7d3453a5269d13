// What the program can be asked to do.
#pragma once
#include <functional>
#include <string>
#include <tessera/generate/options.hpp>
#include <tessera/study/draw.hpp>
#include <vector>

#include "pictures.hpp"

namespace program {

/// Which checkpoint, how it is kept and run.
struct ModelOptions {
    std::string folder = {};        // or the name of a downloaded one
    tessera::PartPaths parts = {};  // instead of a folder
    std::string shape = {};         // of what they are put together to, by the name of a compiled model
    std::string weights = {};       // "f32", "bf16", "f16", "i8", or empty: as stored
    std::string products = "f32";   // or "bf16"
    int threads = 0;                // 0: one for each core
};

}  // namespace program

/// `caption` and `ask`.
struct CaptionCommand {
    program::ModelOptions model;
    program::PictureOptions pictures;
    std::vector<std::string> questions;                                    // none: describe
    std::string style;                                                     // "transformers", "lavis", or empty
    std::vector<std::function<void(tessera::GenerateOptions&)>> settings;  // what was asked for, on top of the style's
    bool json = false;
    std::string dump, attention;  // files to write
};
/// What the commands that compare pictures and texts have in common.
struct RetrievalCommand {
    program::ModelOptions model;
    program::PictureOptions pictures;  // of `search`: to be in the index
    std::vector<std::string> texts;    // of `search`: what is looked for, one or none
    tessera::MatchOptions options;
    std::string style;  // "transformers", "lavis", or empty
};
struct MatchCommand : RetrievalCommand {
    bool json = false;
};
struct FeaturesCommand : RetrievalCommand {
    std::string out;
};
struct SearchCommand : RetrievalCommand {
    std::string index;
    std::string like;  // a picture that is looked for, instead of a text
    tessera::Index top = 10, rerank = 0;
    bool json = false;
};
struct InfoCommand {
    std::string model;
    bool json = false;
    bool tensors = false;
};
struct MaskCommand {
    std::string mask;  // in the language of tessera::parse_mask
    bool list = false;
    tessera::Index queries = 64, keys = 0;  // 0: as many as queries
    tessera::Drawing drawing;
    std::string png, svg;  // files to write
    bool json = false;
};
struct PlotCommand {
    std::vector<std::string> logs, only;
    std::string svg;  // a file to write
};
struct TrainCommand {
    std::string config;
    bool resume = false;
    int threads = 0;  // 0: one for each core
};

/// Return the exit code.
/// errors  tessera::Error
int run(const CaptionCommand& command);
int run(const MatchCommand& command);
int run(const FeaturesCommand& command);
int run(const SearchCommand& command);
int run(const InfoCommand& command);
int run(const MaskCommand& command);
int run(const PlotCommand& command);
int run(const TrainCommand& command);
