// What people study masks with: drawings, figures, densities, proofs, and masks from text.
#pragma once
#include <tessera/masks.hpp>
#include <tessera/study/density.hpp>
#include <tessera/study/draw.hpp>
#include <tessera/study/flow.hpp>
#include <tessera/study/parse.hpp>
#include <tessera/study/svg.hpp>
#include <tessera/study/verify.hpp>
