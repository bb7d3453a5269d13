// All of inference, and the study of masks.
#pragma once
#include <tessera/blip2.hpp>
#include <tessera/study.hpp>
