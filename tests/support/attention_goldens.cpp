#include "support/attention_goldens.hpp"

#include <cstdlib>
#include <list>
#include <tessera/checkpoint/safetensors.hpp>
#include <tessera/core/json.hpp>
#include <tessera/mask/catalog.hpp>

#include "support/golden_numbers.hpp"
#include "support/read_json.hpp"

namespace tessera::test {

namespace {

/// A case as its file has it, and what its mask borrows.
class Reading : public AttentionGolden {
  public:
    Reading(std::string title, const Json& about, const Safetensors& file, const std::string& label)
        : batch_(about["batch"]) {
        name = std::move(title), heads = about["heads"], queries = about["q_len"], keys = about["k_len"];
        dim = about["head_dim"], scale = about["scale"];
        for (Index i = 0; i <= batch_; ++i) query_starts_.push_back(i * queries), key_starts_.push_back(i * keys);
        const auto rows = [&](const char* what, Index length) {
            return laid_out(golden_numbers(file, label + "." + what), length);
        };
        q = rows("q", queries), d_out = rows("d_out", queries), out = rows("out", queries), dq = rows("dq", queries);
        k = rows("k", keys), v = rows("v", keys), dk = rows("dk", keys), dv = rows("dv", keys);
        const auto sums = file.tensor(label + ".lse").to_floats();
        lse = Numbers({heads, batch_ * queries});
        for (Index b = 0; b < batch_; ++b)
            for (Index h = 0; h < heads; ++h)
                std::copy_n(sums.data() + (b * heads + h) * queries, queries, &lse(h, b * queries));
        mask = mask_of(about["mask"]) & Packed{span(query_starts_), span(key_starts_), Full{}};
        if (about.contains("alibi")) {
            const Index shift = about["alibi"]["offset"];
            bias = alibi(heads, queries + shift, keys).after(shift);
        }
        if (about.contains("t5")) {
            const Json& t5 = about["t5"];
            past = t5["offset"];
            buckets = {t5["bidirectional"], t5["buckets"], t5["max_distance"]};
            const auto table = [&](const char* what) {
                Numbers x({buckets.buckets, heads});
                const auto all = file.tensor(label + "." + what).to_floats();
                std::copy(all.begin(), all.end(), x.data());
                return x;
            };
            bias_table = table("bias_table"), d_bias_table = table("dbias_table");
            bias = relative_bias(bias_table.view(), buckets, queries + past, keys).after(past);
        }
        check_mask(about, file.find(label + ".mask"), file.find(label + ".bucket"));
        queries *= batch_, keys *= batch_;
    }
    Reading(const Reading&) = delete;

  private:
    static std::span<const Index> span(const std::vector<Index>& x) { return x; }

    /// [B, H, length, d] → [B · length, H · d]
    Numbers laid_out(const std::vector<float>& from, Index length) const {
        Numbers to({batch_ * length, heads * dim});
        for (Index b = 0; b < batch_; ++b)
            for (Index h = 0; h < heads; ++h)
                for (Index i = 0; i < length; ++i)
                    std::copy_n(from.data() + ((b * heads + h) * length + i) * dim, dim,
                                to.data() + (b * length + i) * heads * dim + h * dim);
        return to;
    }

    AnyMask mask_of(const Json& policy) {
        const auto kind = policy["policy"].get<std::string>();
        const auto number = [&](const char* what) { return policy[what].get<Index>(); };
        const auto in_each = [&](AnyMask one) { return Packed{span(query_starts_), span(key_starts_), one}; };
        if (kind == "and" || kind == "or") {
            AnyMask all = mask_of(policy["of"][0]);
            for (std::size_t i = 1; i < policy["of"].size(); ++i) {
                const AnyMask next = mask_of(policy["of"][i]);
                all = kind == "and" ? AnyMask(all & next) : AnyMask(all | next);
            }
            return all;
        }
        if (kind == "not") return ~mask_of(policy["of"]);
        if (kind == "padding" || kind == "padding_left") {
            const auto& lengths = lengths_.emplace_back(policy["lengths"].get<std::vector<Index>>());
            return Padded{span(lengths), queries, keys, kind == "padding" ? Padded::Side::right : Padded::Side::left};
        }
        if (kind == "bidirectional") return in_each(masks::bidirectional());
        if (kind == "causal") return in_each(Causal{number("offset")});
        if (kind == "unimodal") return in_each(masks::uni_modal(number("queries")));
        if (kind == "multimodal_causal") return in_each(masks::multimodal_causal(number("queries")));
        if (kind == "prefix_lm") return in_each(masks::prefix_lm(number("prefix"), Causal{number("offset")}));
        if (kind == "sliding_window") return in_each(Window{number("left"), number("right"), number("offset")});
        REQUIRE(kind == "block_sparse");
        const auto table = policy["blocks"].get<std::vector<std::vector<std::uint8_t>>>();
        auto& blocks = blocks_.emplace_back(
            std::array<Index, 2>{static_cast<Index>(table.size()), static_cast<Index>(table[0].size())});
        for (std::size_t i = 0; i < table.size(); ++i)
            std::copy(table[i].begin(), table[i].end(), &blocks(static_cast<Index>(i), 0));
        return in_each(BlockSparse{blocks.view(), number("rows"), number("columns")});
    }

    /// The mask shows what the stored table shows and as much as is said of it; T5's buckets are the stored ones.
    void check_mask(const Json& about, const StoredTensor* table, const StoredTensor* bucket) const {
        Index allowed = 0, empty = 0, different = 0;
        const auto seen = table == nullptr ? std::vector<std::uint8_t>() : table->to<std::uint8_t>();
        const bool shared = table != nullptr && table->shape[0] == 1;
        for (Index b = 0; b < batch_; ++b)
            for (Index i = 0; i < queries; ++i) {
                Index in_row = 0;
                for (Index j = 0; j < batch_ * keys; ++j) {
                    const bool shown = mask->allows({0, b * queries + i, j}), own = j / keys == b;
                    in_row += shown;
                    const Index at = ((shared ? 0 : b) * queries + i) * keys + j - b * keys;
                    const bool want = own && table != nullptr ? seen[static_cast<std::size_t>(at)] != 0 : own && shown;
                    different += shown != want;
                }
                allowed += in_row, empty += in_row == 0;
            }
        INFO(name);
        CHECK(different == 0);
        // What is said counts a table that all sequences share once.
        const Index times = (table != nullptr ? shared : about["mask"]["policy"] != "padding") ? batch_ : 1;
        CHECK(allowed == times * about["allowed"].get<Index>());
        CHECK(empty == times * about["rows_that_see_nothing"].get<Index>());
        if (bucket == nullptr) return;
        const auto stored = bucket->to<std::uint8_t>();
        Index wrong = 0;
        for (Index i = 0; i < queries; ++i)
            for (Index j = 0; j < keys; ++j)
                wrong += buckets(j - i - past) != stored[static_cast<std::size_t>(i * keys + j)];
        CHECK(wrong == 0);
    }

    Index batch_;
    std::vector<Index> query_starts_, key_starts_;
    std::list<std::vector<Index>> lengths_;
    std::list<Tensor<std::uint8_t, dyn, dyn>> blocks_;
};

}  // namespace

int for_each_attention_golden(const std::function<void(const AttentionGolden&)>& f) {
    const char* const given = std::getenv("TESSERA_GOLDEN_ATTENTION");
    const std::filesystem::path folder = given == nullptr ? golden("attention") : std::filesystem::path(given);
    int count = 0;
    const Json index = test::read_json(folder / "index.json");
    for (const auto& [policy, cases] : index["cases"].items()) {
        const Safetensors file(folder / (policy + ".safetensors"));
        for (const auto& [label, about] : cases.items()) {
            const Reading one(policy + "." + label, about, file, label);
            INFO(one.name);
            f(one);
            ++count;
        }
    }
    return count;
}

}  // namespace tessera::test
