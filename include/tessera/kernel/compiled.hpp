// Whether kernels are compiled where they are used or once. They are headers like all else, unless TESSERA_COMPILED_KERNELS is
// defined, as the target tessera::kernels does: then headers only declare them, and kernel/kernels.cpp defines them.
//     TESSERA_KERNEL         before each entry point, declared and defined
//     TESSERA_KERNEL_BODIES  whether to define them: what they are made of is included below the declarations
#pragma once

#if !defined(TESSERA_COMPILED_KERNELS)
#define TESSERA_KERNEL inline
#define TESSERA_KERNEL_BODIES 1
#else
#define TESSERA_KERNEL
#if defined(TESSERA_DEFINE_KERNELS)
#define TESSERA_KERNEL_BODIES 1
#else
#define TESSERA_KERNEL_BODIES 0
#endif
#endif
