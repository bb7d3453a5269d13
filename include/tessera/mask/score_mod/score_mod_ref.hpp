// A score modifier of any kind as two words: what kernels take, so that each is compiled once and not once for each of them.
#pragma once
#include <cstdint>
#include <new>
#include <tessera/mask/score_mod/soft_cap.hpp>

namespace tessera::inline TESSERA_ISA {

namespace detail {
template <class S>
inline constexpr bool is_composed = false;
template <class A, class B>
inline constexpr bool is_composed<Composed<A, B>> = true;
}  // namespace detail

/// Points to a score modifier and to a table of what it can do. A modifier without whole rows, columns or a cap is called
/// for each visible score, a row of lanes at a time.
/// cost    two words, no allocation; the modifier has to outlive it
class ScoreModRef {
  public:
    /// How a kernel gets at what it does.
    enum class Kind : char { none, soft_cap, columns, rows, scores, composed };

    constexpr ScoreModRef() = default;
    template <class S>
        requires(!std::same_as<S, ScoreModRef> && ScoreMod<S>)
    constexpr ScoreModRef(const S& mod) : mod_(&mod), table_(&table_of<S>) {}

    Kind kind() const { return table_->kind; }
    /// Whether it only adds, so that its derivative is 1.
    bool adds() const { return table_->adds; }
    /// Whether what it does to a score last, or first, is to add.
    bool adds_last() const { return adds() || (kind() == Kind::composed && second().adds_last()); }
    bool adds_first() const { return adds() || (kind() == Kind::composed && first().adds_first()); }

    /// Of Kind::soft_cap.
    float limit() const { return static_cast<const SoftCap*>(mod_)->limit; }
    /// Where neighbouring numbers of a bias lie side by side: p, so that p[query] is that of each query and this key, or p[key]
    /// that of this query and each key; null where they do not.
    const float* column(Index head, Index key) const { return table_->column(mod_, head, key); }
    const float* row(Index head, Index query) const { return table_->row(mod_, head, query); }
    /// Of Kind::composed.
    ScoreModRef first() const { return table_->parts(mod_, false); }
    ScoreModRef second() const { return table_->parts(mod_, true); }

    /// The score that it makes of one, and the derivative by that: it is a score modifier itself.
    float operator()(float score, Site at) const {
        apply(&score, nullptr, {at.head, {at.query, at.query + 1}, {at.key, at.key + 1}}, 1, 1.0f, 1.0f);
        return score;
    }
    float derivative(float score, Site at) const {
        float slope = 0;
        apply(&score, &slope, {at.head, {at.query, at.query + 1}, {at.key, at.key + 1}}, 1, 1.0f, 1.0f);
        return slope;
    }
    /// Scores of one key and at most 32 queries, where `seen` has a bit for each that is visible: score becomes
    /// out · mod(in · score); what only adds leaves score as it is and adds out · bias. Derivatives by in · score go to
    /// `derivatives`, if it is not null.
    void apply(float* scores, float* derivatives, Tile lanes, std::uint32_t seen, float in, float out) const {
        table_->apply(mod_, scores, derivatives, lanes, seen, in, out);
    }

    /// What a copy of it takes, for whoever has to keep it longer than its owner does.
    std::size_t size() const { return table_->size; }
    std::size_t align() const { return table_->align; }
    /// A reference to a copy of it in `memory`, which `destroy` ends.
    ScoreModRef copy_to(void* memory) const {
        table_->copy(memory, mod_);
        return ScoreModRef(memory, table_);
    }
    void destroy() const { table_->destroy(const_cast<void*>(mod_)); }

  private:
    struct Table {
        Kind kind;
        bool adds;
        const float* (*column)(const void*, Index, Index);
        const float* (*row)(const void*, Index, Index);
        ScoreModRef (*parts)(const void*, bool);
        void (*apply)(const void*, float*, float*, Tile, std::uint32_t, float, float);
        std::size_t size, align;
        void (*copy)(void*, const void*);
        void (*destroy)(void*);
    };
    constexpr ScoreModRef(const void* mod, const Table* table) : mod_(mod), table_(table) {}

    template <class S>
    static const float* column_of([[maybe_unused]] const void* mod, [[maybe_unused]] Index head,
                                  [[maybe_unused]] Index key) {
        if constexpr (ColumnBias<S>)
            return static_cast<const S*>(mod)->column(head, key);
        else
            return nullptr;
    }
    template <class S>
    static const float* row_of([[maybe_unused]] const void* mod, [[maybe_unused]] Index head,
                               [[maybe_unused]] Index query) {
        if constexpr (RowBias<S>)
            return static_cast<const S*>(mod)->row(head, query);
        else
            return nullptr;
    }
    template <class S>
    static ScoreModRef parts_of([[maybe_unused]] const void* mod, [[maybe_unused]] bool second) {
        if constexpr (detail::is_composed<S>)
            return second ? ScoreModRef(static_cast<const S*>(mod)->b) : ScoreModRef(static_cast<const S*>(mod)->a);
        else
            return {};
    }
    template <class S>
    static void apply_of(const void* mod, float* scores, float* derivatives, Tile lanes, std::uint32_t seen, float in,
                         float out) {
        const S& s = *static_cast<const S*>(mod);
        for (Index lane = 0; lane < lanes.queries.size(); ++lane) {
            if ((seen >> lane & 1u) == 0) continue;
            const Site at{lanes.head, lanes.queries.begin + lane, lanes.keys.begin};
            if constexpr (Bias<S>) {
                scores[lane] += static_cast<float>(s(at)) * out;
                if (derivatives != nullptr) derivatives[lane] = 1.0f;
            } else {
                const float score = scores[lane] * in;
                if (derivatives != nullptr) derivatives[lane] = score_mods::derivative(s, score, at);
                scores[lane] = score_mods::apply(s, score, at) * out;
            }
        }
    }

    template <class S>
    static constexpr Table table_of{std::same_as<S, NoBias>    ? Kind::none
                                    : detail::is_composed<S>   ? Kind::composed
                                    : std::same_as<S, SoftCap> ? Kind::soft_cap
                                    : ColumnBias<S>            ? Kind::columns
                                    : RowBias<S>               ? Kind::rows
                                                               : Kind::scores,
                                    Bias<S>,
                                    &column_of<S>,
                                    &row_of<S>,
                                    &parts_of<S>,
                                    &apply_of<S>,
                                    sizeof(S),
                                    alignof(S),
                                    [](void* to, const void* from) { ::new (to) S(*static_cast<const S*>(from)); },
                                    [](void* mod) { static_cast<S*>(mod)->~S(); }};

    const void* mod_ = nullptr;
    const Table* table_ = &table_of<NoBias>;
};

}  // namespace tessera::inline TESSERA_ISA
