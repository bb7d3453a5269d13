// A learned tensor of whatever extents, for code that is compiled once for all of them: loading, packing, training.
#pragma once
#include <functional>
#include <optional>
#include <span>
#include <tessera/core/visit.hpp>
#include <vector>

namespace tessera::inline TESSERA_ISA {

/// Points to a leaf and to a table of what it can do.
/// cost    two words; the leaf has to outlive it
class LeafRef {
  public:
    template <Leaf L>
    explicit LeafRef(L& leaf) : leaf_(&leaf), table_(&table_of<L>) {}

    Index rows() const { return table_->rows; }
    Index columns() const { return table_->columns; }
    /// Its extents as they were declared: one for a vector, however it counts as rows and columns. None where it does not say.
    std::span<const Index> extents() const { return table_->extents; }
    Index bytes() const { return table_->bytes(leaf_); }
    /// Bytes that it takes where matrices are kept as `stored`.
    Index bytes_as(DType stored) const { return table_->bytes_as(stored); }
    /// As what a matrix is kept; nothing for what is none.
    std::optional<DType> matrix_dtype() const {
        return table_->matrix_dtype ? std::optional(table_->matrix_dtype(leaf_)) : std::nullopt;
    }
    void allocate(DType stored) const { table_->allocate(leaf_, stored); }
    void write(Index first, const float* values, Index count) const { table_->write(leaf_, first, values, count); }
    void read(Index row, float* out) const { table_->read(leaf_, row, out); }
    /// The leaf's address, by which records name it.
    const void* id() const { return leaf_; }
    /// Whether it takes rows of bf16 as they are.
    bool takes_bf16() const { return table_->write_bf16 != nullptr; }
    void write(Index first, const bf16* values, Index count) const { table_->write_bf16(leaf_, first, values, count); }
    /// For leaves that can lie in mapped memory: takes its numbers from there, and f(bytes) for each block of memory it has.
    void map(DType stored, MappedMemory& memory) const { table_->map(leaf_, stored, memory); }
    void for_each_block(const std::function<void(std::span<const std::byte>)>& f) const { table_->blocks(leaf_, f); }

  private:
    using Blocks = std::function<void(std::span<const std::byte>)>;
    struct Table {
        Index rows, columns;
        std::span<const Index> extents;
        Index (*bytes)(const void*);
        Index (*bytes_as)(DType);
        DType (*matrix_dtype)(const void*);
        void (*allocate)(void*, DType);
        void (*write)(void*, Index, const float*, Index);
        void (*read)(const void*, Index, float*);
        void (*write_bf16)(void*, Index, const bf16*, Index);
        void (*map)(void*, DType, MappedMemory&);
        void (*blocks)(const void*, const Blocks&);
    };
    template <Leaf L>
    static constexpr Table make_table() {
        Table t{L::rows,
                L::columns,
                {},
                [](const void* leaf) { return static_cast<const L*>(leaf)->bytes(); },
                nullptr,
                nullptr,
                [](void* leaf, DType stored) { static_cast<L*>(leaf)->allocate(stored); },
                [](void* leaf, Index first, const float* values, Index count) {
                    static_cast<L*>(leaf)->write(first, values, count);
                },
                [](const void* leaf, Index row, float* out) { static_cast<const L*>(leaf)->read(row, out); },
                nullptr,
                nullptr,
                nullptr};
        if constexpr (requires { L::extents; }) t.extents = L::extents;
        if constexpr (requires { L::bytes_as(DType{}); }) t.bytes_as = [](DType stored) { return L::bytes_as(stored); };
        if constexpr (requires(const L& leaf) { leaf.packed().dtype(); })
            t.matrix_dtype = [](const void* leaf) { return static_cast<const L*>(leaf)->packed().dtype(); };
        if constexpr (requires(L & leaf, const bf16* values) { leaf.write(Index{}, values, Index{}); })
            t.write_bf16 = [](void* leaf, Index first, const bf16* values, Index count) {
                static_cast<L*>(leaf)->write(first, values, count);
            };
        if constexpr (requires(L & leaf, MappedMemory & memory) { leaf.map(DType{}, memory); }) {
            t.map = [](void* leaf, DType stored, MappedMemory& memory) { static_cast<L*>(leaf)->map(stored, memory); };
            t.blocks = [](const void* leaf, const Blocks& f) { static_cast<const L*>(leaf)->for_each_block(f); };
        }
        return t;
    }
    template <Leaf L>
    static constexpr Table table_of = make_table<L>();

    void* leaf_;
    const Table* table_;
};

/// Sets `to` to the numbers of `from`, which has the same extents.
inline void copy_leaf(const LeafRef& to, const LeafRef& from) {
    std::vector<float> row(static_cast<std::size_t>(from.columns()));
    for (Index i = 0; i < from.rows(); ++i) {
        from.read(i, row.data());
        to.write(i, row.data(), 1);
    }
}

struct NamedLeaf {
    std::string path;
    LeafRef leaf;
};

namespace detail {
/// One type for all models, so that the walk over a layer is compiled once however many models have it.
struct LeafCollector {
    std::vector<NamedLeaf>& leaves;

    template <class L>
    void operator()(const std::string& path, L& leaf) const {
        if constexpr (L::rows * L::columns > 0) leaves.push_back({path, LeafRef(leaf)});
    }
};
}  // namespace detail

/// All parameters of `model` that have numbers, in the order in which `visit` names them. Whoever has a const model must not
/// write to them.
template <class Model>
std::vector<NamedLeaf> leaves_of(const Model& model) {
    std::vector<NamedLeaf> out;
    for_each_parameter(const_cast<Model&>(model), detail::LeafCollector{out});
    return out;
}

/// Number of learned numbers.
Index parameter_count(const auto& layer) {
    Index count = 0;
    for (const auto& [path, leaf] : leaves_of(layer)) count += leaf.rows() * leaf.columns();
    return count;
}

/// Bytes the learned numbers take in memory.
Index parameter_bytes(const auto& layer) {
    Index bytes = 0;
    for (const auto& [path, leaf] : leaves_of(layer)) bytes += leaf.bytes();
    return bytes;
}

}  // namespace tessera::inline TESSERA_ISA
