// What people study masks with: drawings, figures, densities, proofs, masks from text, curves of trainings.
#pragma once
#include <tessera/masks.hpp>
#include <tessera/study/curves.hpp>
#include <tessera/study/density.hpp>
#include <tessera/study/draw.hpp>
#include <tessera/study/flow.hpp>
#include <tessera/study/parse.hpp>
#include <tessera/study/svg.hpp>
#include <tessera/study/verify.hpp>
