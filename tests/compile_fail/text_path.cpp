// Pictures and texts cannot be matched by a Q-Former that reads no text.
// error: ImageTextMatching: the Q-Former must have a text path
#include <tessera/model/blip2/retrieval.hpp>

using namespace tessera;

Blip2ItmTiny* right = nullptr;
#ifdef TESSERA_FAULT
Blip2Retrieval<Vit<tiny_vit>, QFormer<tiny_qformer>> wrong;
#endif
