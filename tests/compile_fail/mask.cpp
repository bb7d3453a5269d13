// What is no mask is refused where a mask is wanted, by the name of the concept and of what it lacks.
// error: constraints not satisfied
// error: Mask
// error: allows
#include <tessera/study.hpp>

struct Mine {
    constexpr bool allows(tessera::Site at) const { return at.key % 2 == 0; }
};
struct NoMask {
    constexpr bool permits(tessera::Site at) const { return at.key % 2 == 0; }
};

int main() {
    static_assert(tessera::verify(Mine{} & tessera::Causal{}, 5, 5, 1));
#ifdef TESSERA_FAULT
    tessera::verify(NoMask{}, 5, 5);
#endif
}
