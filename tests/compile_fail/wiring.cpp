// The Q-Former must attend to patches as wide as the image encoder makes them.
// error: the Q-Former must attend to patches as wide as the image encoder makes them
#include <tessera/model/blip2/blip2.hpp>

using namespace tessera;

inline constexpr VitConfig vision = checked(VitConfig{.image = 28, .width = 32, .heads = 4, .hidden = 64, .layers = 1});
inline constexpr QFormerConfig matching = checked(QFormerConfig{.queries = 4, .width = 32, .heads = 4, .context = 32});
inline constexpr QFormerConfig differs = checked(QFormerConfig{.queries = 4, .width = 32, .heads = 4, .context = 40});

Blip2<Vit<vision>, QFormer<matching>, Opt<opt_125m>>* right = nullptr;
#ifdef TESSERA_FAULT
Blip2<Vit<vision>, QFormer<differs>, Opt<opt_125m>> wrong;
#endif
