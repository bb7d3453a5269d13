// What the program can be asked to do.
#pragma once
#include <string>
#include <tessera/generate/options.hpp>
#include <tessera/study/draw.hpp>
#include <vector>

struct CaptionCommand {
    std::string model;
    std::vector<std::string> pictures;
    tessera::GenerateOptions generate;
    std::string weights;  // "f32", "bf16", or empty: as stored
    int threads = 0;      // 0: one for each core
    bool json = false;
    bool turn = true;                   // as EXIF data says
    std::string transparency = "drop";  // or "white"
    std::string dump;
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

/// Return the exit code.
/// errors  tessera::Error
int run(const CaptionCommand& command);
int run(const InfoCommand& command);
int run(const MaskCommand& command);
