// A mask whose kind is known only at run time.
#pragma once
#include <memory>
#include <tessera/mask/mask_ref.hpp>
#include <utility>

namespace tessera::inline TESSERA_ISA {

/// Holds any mask, for masks that come from a command line or a file; answers all that the mask inside answers. `borrowed`
/// keeps alive what the mask borrows.
/// cost    one allocation when made, none when copied; a call through a table for each question
class AnyMask : public MaskRef {
    template <Mask M>
    struct Held {
        M mask;
        std::shared_ptr<const void> borrowed;
    };

  public:
    template <class M>
        requires(!std::derived_from<M, MaskRef> && Mask<M>)
    AnyMask(M mask, std::shared_ptr<const void> borrowed = nullptr)
        : AnyMask(std::make_shared<const Held<M>>(Held<M>{std::move(mask), std::move(borrowed)})) {}

  private:
    template <Mask M>
    explicit AnyMask(std::shared_ptr<const Held<M>> held) : MaskRef(held->mask), held_(std::move(held)) {}

    std::shared_ptr<const void> held_;
};

}  // namespace tessera::inline TESSERA_ISA
