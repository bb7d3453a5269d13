// A picture that is not whole patches, heads that do not share the width: rejected while compiling.
// error: VitConfig: image must be a multiple of patch
#include <tessera/model/vit/config.hpp>

using namespace tessera;

#ifdef TESSERA_FAULT
inline constexpr VitConfig odd = checked(VitConfig{.image = 224, .patch = 15});
#else
inline constexpr VitConfig even = checked(VitConfig{.image = 224, .patch = 14});
#endif
