// `tessera pack` and `tessera accuracy`: how weights are kept, and what that costs.
#pragma once
#include <string>
#include <tessera/core/view.hpp>

#include "pictures.hpp"

struct PackCommand {
    std::string model;
    std::string out;      // the folder to write
    std::string weights;  // "f32", "bf16", "f16", "i8", or empty: as stored
};
struct AccuracyCommand {
    std::string model;
    program::PictureOptions pictures;
    std::string weights = "i8";
    std::string exact = "f32";
    std::string prompt;
    tessera::Index tokens = 16;
    bool json = false;
};

/// Return the exit code.
/// errors  tessera::Error
int run(const PackCommand& command);
int run(const AccuracyCommand& command);
