// The kernels, for programs that compile them once (kernel/compiled.hpp). With the options of the files that use them.
#if !defined(TESSERA_COMPILED_KERNELS)
#define TESSERA_COMPILED_KERNELS
#endif
#define TESSERA_DEFINE_KERNELS
#include <tessera/kernel/attention/backward.hpp>
#include <tessera/kernel/attention/forward.hpp>
#include <tessera/kernel/matmul/backward.hpp>
#include <tessera/kernel/matmul/matmul.hpp>
#include <tessera/kernel/row/activation.hpp>
#include <tessera/kernel/row/activation_backward.hpp>
#include <tessera/kernel/row/adamw.hpp>
#include <tessera/kernel/row/cross_entropy.hpp>
#include <tessera/kernel/row/dropout.hpp>
#include <tessera/kernel/row/mean.hpp>
#include <tessera/kernel/row/norm.hpp>
#include <tessera/kernel/row/norm_backward.hpp>
#include <tessera/kernel/row/normalize.hpp>
#include <tessera/kernel/row/softmax.hpp>

namespace tessera::inline TESSERA_ISA::kernel {

template void gemm<float>(float*, Index, const float*, Index, Index, const PackedB&, const Epilogue&) noexcept;
template void gemm<bf16>(float*, Index, const bf16*, Index, Index, const PackedB&, const Epilogue&) noexcept;
template void attend<float, float>(float*, const float*, const float*, const float*, const AttentionShape&,
                                   const MaskRef&, Scratch&, const ScoreModRef&, float*);
template void attend<float, bf16>(float*, const float*, const bf16*, const bf16*, const AttentionShape&, const MaskRef&,
                                  Scratch&, const ScoreModRef&, float*);
template void attend<bf16, bf16>(float*, const bf16*, const bf16*, const bf16*, const AttentionShape&, const MaskRef&,
                                 Scratch&, const ScoreModRef&, float*);

}  // namespace tessera::inline TESSERA_ISA::kernel
