// What a checkpoint holds, counted.
#pragma once
#include <map>
#include <tessera/checkpoint/folder.hpp>

namespace tessera::inline TESSERA_ISA {

/// Tensors, numbers and bytes, in all and for each type.
struct Inventory {
    struct Count {
        Index tensors = 0, numbers = 0, bytes = 0;
        void add(const StoredTensor& tensor) {
            ++tensors;
            numbers += tensor.size;
            bytes += static_cast<Index>(tensor.bytes.size());
        }
    };
    Count all;
    std::map<DType, Count> by_type;
    std::size_t files = 0;

    explicit Inventory(const Checkpoint& checkpoint) : files(checkpoint.files().size()) {
        for (const Checkpoint::Entry& entry : checkpoint.tensors()) {
            all.add(*entry.tensor);
            by_type[entry.tensor->type].add(*entry.tensor);
        }
    }
};

}  // namespace tessera::inline TESSERA_ISA
