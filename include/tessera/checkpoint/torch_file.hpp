// What torch.save writes (`.bin`, `.pth`, `.pt`): a pickle that describes tensors, and their numbers beside it, in a zip file
// or, before PyTorch 1.6, one after another.
#pragma once
#include <optional>
#include <tessera/checkpoint/pickle.hpp>
#include <tessera/checkpoint/weight_file.hpp>
#include <tessera/checkpoint/zip.hpp>
#include <tessera/core/utf8.hpp>

namespace tessera::inline TESSERA_ISA {

/// An open file of torch.save: the tensors of the dictionary that it holds, or of the first of `model`, `state_dict`, `module`
/// and `model_state_dict` in it that has some. All else is left alone: optimizers, settings, numbers of epochs. Tensors may
/// share numbers.
/// errors  Errc::file_open; Errc::checkpoint_format names the file, the tensor and what is wrong with it, and every Python object
///         and operation that is not needed for tensors: nothing is executed
/// cost    memory for the description only, in proportion to its size
/// source  torch/serialization.py, torch/_utils.py
class TorchFile : public WeightFile {
  public:
    explicit TorchFile(const std::filesystem::path& path) : WeightFile(path) {
        if (is_zip(file_.bytes()))
            read_zip_file();
        else if (is_legacy(file_.bytes()))
            read_legacy_file();
        else
            fail("expected a file that torch.save wrote, found ", file_.bytes().size(), " bytes that begin with ",
                 in_quotes(file_.text().substr(0, 16)));
        sort();
    }

    /// Whether the first bytes are those of such a file.
    static bool is_one(const std::filesystem::path& path) {
        const MappedFile file(path);
        return is_zip(file.bytes()) || is_legacy(file.bytes());
    }

  private:
    using Kind = PickleValue::Kind;
    using Role = PickleGlobal::Role;
    /// Where the numbers of each storage lie, in the order of their keys.
    struct Storage {
        std::string_view key;
        std::span<const unsigned char> bytes;
    };

    static bool is_zip(std::span<const unsigned char> bytes) { return begins(bytes, 0, "PK\x03\x04"); }
    static bool is_legacy(std::span<const unsigned char> bytes) {
        return begins(bytes, 2, "\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.");  // LONG1: the number torch chose
    }
    static bool begins(std::span<const unsigned char> bytes, std::size_t at, std::string_view text) {
        return bytes.size() >= at + text.size() && std::memcmp(bytes.data() + at, text.data(), text.size()) == 0;
    }

    // ARCHIVE/data.pkl, ARCHIVE/byteorder, ARCHIVE/data/0, …
    void read_zip_file() {
        const std::vector<ZipEntry> entries = read_zip(file_.bytes(), path_.string());
        constexpr std::string_view pickle_name = "/data.pkl";
        const auto is_pickle = [&](const ZipEntry& entry) {
            return entry.name.ends_with(pickle_name) && entry.name.find('/') == entry.name.size() - pickle_name.size();
        };
        const auto found = std::ranges::find_if(entries, is_pickle);
        if (found == entries.end()) fail("expected an entry 'NAME/data.pkl', as torch.save writes it, found none");
        const std::string folder(found->name.substr(0, found->name.find('/') + 1));
        std::vector<Storage> storages;
        for (const ZipEntry& entry : entries) {
            if (!entry.name.starts_with(folder)) continue;
            const std::string_view name = entry.name.substr(folder.size());
            if (name.starts_with("data/")) storages.push_back({name.substr(5), entry.bytes});
            if (name == "byteorder" && !begins(entry.bytes, 0, "little"))
                fail("expected numbers with the lowest byte first, found those of another kind of machine");
        }
        Pickle pickle(found->bytes, path_.string() + ": data.pkl");
        std::size_t at = 0;
        const PickleValue root = pickle.read(at);
        collect(pickle, root, storages);
    }

    // A pickled magic number, version and description of the machine, the pickle, the list of storages, their numbers.
    void read_legacy_file() {
        const std::span<const unsigned char> bytes = file_.bytes();
        Pickle pickle(bytes, path_.string());
        std::size_t at = 0;
        pickle.read(at);
        if (const PickleValue version = pickle.read(at); !version.is(Kind::whole) || version.number != 1001)
            fail("expected version 1001 of the format, found another");
        const PickleValue machine = pickle.read(at);
        if (const auto order = member(pickle, machine, "little_endian"); !order || order->number != 1)
            fail("expected numbers with the lowest byte first, found those of another kind of machine");
        const PickleValue root = pickle.read(at);
        std::vector<PickleValue> mentioned(pickle.storages().begin(), pickle.storages().end());
        const auto key_of = [&](const PickleValue& storage) { return description(pickle, storage).key; };
        std::ranges::stable_sort(mentioned, {}, key_of);
        const PickleValue keys = pickle.read(at);
        if (!keys.is(Kind::list)) fail("expected a list of storages after the pickle, found something else");
        std::vector<Storage> storages;
        for (const PickleValue& key : pickle.items(keys)) {
            const std::string_view text = key.is(Kind::text) ? pickle.text(key) : std::string_view();
            const auto about = std::ranges::lower_bound(mentioned, text, {}, key_of);
            if (about == mentioned.end() || key_of(*about) != text)
                fail("storage ", quoted(text), ": no tensor has it");
            if (bytes.size() - at < 8) fail("storage ", quoted(text), ": expected its size, found the end of the file");
            const std::uint64_t count = detail::little_endian(bytes, at, 8);
            at += 8;
            const auto width = static_cast<std::uint64_t>(bits(description(pickle, *about).type) / 8);
            if (count > (bytes.size() - at) / width)
                fail("storage ", quoted(text), ": expected ", count, " numbers of ", width, " bytes, found ",
                     bytes.size() - at, " bytes to the end of the file");
            storages.push_back({text, bytes.subspan(at, static_cast<std::size_t>(count * width))});
            at += static_cast<std::size_t>(count * width);
        }
        std::ranges::sort(storages, {}, &Storage::key);
        collect(pickle, root, storages);
    }

    static std::optional<PickleValue> member(const Pickle& pickle, const PickleValue& of, std::string_view key) {
        if (!of.is(Kind::dictionary)) return {};
        std::optional<PickleValue> found;
        const auto items = pickle.items(of);
        for (std::size_t i = 0; i < items.size(); i += 2)
            if (items[i].is(Kind::text) && pickle.text(items[i]) == key) found = items[i + 1];
        return found;
    }
    static bool has_tensors(const Pickle& pickle, const PickleValue& value) {
        if (!value.is(Kind::dictionary)) return false;
        const auto items = pickle.items(value);
        for (std::size_t i = 0; i < items.size(); i += 2)
            if (items[i].is(Kind::text) && items[i + 1].is(Kind::tensor)) return true;
        return false;
    }

    void collect(const Pickle& pickle, const PickleValue& root, std::span<const Storage> storages) {
        std::optional<PickleValue> tensors = root;
        for (const char* key : {"model", "state_dict", "module", "model_state_dict"})
            if (!tensors || !has_tensors(pickle, *tensors)) tensors = member(pickle, root, key);
        if (!tensors || !has_tensors(pickle, *tensors))
            fail(
                "expected a dictionary of tensors, or one under 'model', 'state_dict', 'module' or 'model_state_dict', "
                "found "
                "none");
        struct Item {
            std::string_view name;
            const PickleValue* value;
        };
        std::vector<Item> named;
        const auto items = pickle.items(*tensors);
        for (std::size_t i = 0; i < items.size(); i += 2)
            if (items[i].is(Kind::text)) named.push_back({pickle.text(items[i]), &items[i + 1]});
        std::ranges::stable_sort(named, {}, &Item::name);
        for (std::size_t i = 0; i < named.size(); ++i) {
            const bool replaced = i + 1 < named.size() && named[i + 1].name == named[i].name;
            if (!replaced && named[i].value->is(Kind::tensor))
                tensors_.push_back(read_tensor(pickle, named[i].name, *named[i].value, storages));
        }
    }

    struct Description {
        std::string_view key;
        DType type = DType::u8;
        Index count = 0;
    };
    /// `('storage', torch.FloatStorage, '0', 'cpu', 6)`; in old files a view of another storage may follow.
    Description description(const Pickle& pickle, const PickleValue& storage) const {
        const auto items = pickle.items(storage);
        const bool right = (items.size() == 5 || (items.size() == 6 && items[5].is(Kind::none))) &&
                           items[0].is(Kind::text) && pickle.text(items[0]) == "storage" &&
                           (items[1].is_global(Role::storage) || items[1].is_global(Role::untyped_storage)) &&
                           items[2].is(Kind::text) && items[4].is(Kind::whole) && items[4].number >= 0;
        if (!right) fail("a storage: expected its type, key, place and size, found something else");
        return {pickle.text(items[2]), items[1].about().type, items[4].number};
    }

    /// `_rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks)`; the first version ends after the stride, the
    /// third has the type after the hooks.
    StoredTensor read_tensor(const Pickle& pickle, std::string_view name, const PickleValue& value,
                             std::span<const Storage> storages) const {
        const auto wrong = [&](const auto&... parts) { fail("tensor ", in_quotes(name), ": ", parts...); };
        if (find_invalid_utf8(name) != name.npos) wrong("its name is not UTF-8");
        const auto items = pickle.items(value);
        const Role role = value.about().role;
        const std::size_t least = role == Role::tensor ? 4 : role == Role::tensor_v2 ? 6 : 7;
        if (items.size() < least || !items[0].is(Kind::storage) || !items[1].is(Kind::whole) ||
            !items[2].is(Kind::tuple) || !items[3].is(Kind::tuple))
            wrong("expected a storage, an offset, a size and a stride, found something else");
        if (items.size() > least && items[least].is(Kind::dictionary) && !pickle.items(items[least]).empty())
            wrong("its numbers are marked as conjugated or negated: save a copy of it");

        const Description about = description(pickle, items[0]);
        StoredTensor tensor;
        tensor.name = name;
        tensor.type = about.type;
        if (role == Role::tensor_v3) {
            if (!items[6].is_global(Role::type)) wrong("expected its type, found something else");
            tensor.type = items[6].about().type;
        }
        const auto extents = pickle.items(items[2]), strides = pickle.items(items[3]);
        constexpr std::size_t most_extents = 64;
        if (extents.size() != strides.size() || extents.size() > most_extents)
            wrong("expected a stride for each of at most ", most_extents, " extents, found ", extents.size(),
                  " extents and ", strides.size(), " strides");
        for (const PickleValue& extent : extents)
            if (!extent.is(Kind::whole) || extent.number < 0 || !add_extent(tensor, extent.number))
                wrong("size: expected whole numbers, and not more elements than any file could hold");
        Index stride = 1;
        for (std::size_t i = extents.size(); i-- > 0 && tensor.size > 0;) {
            if (extents[i].number > 1 && (!strides[i].is(Kind::whole) || strides[i].number != stride))
                wrong("its numbers do not lie in the order of its extents: save tensor.contiguous()");
            stride *= extents[i].number;
        }

        const auto storage = std::ranges::lower_bound(storages, about.key, {}, &Storage::key);
        if (storage == storages.end() || storage->key != about.key)
            wrong("its storage ", quoted(about.key), " is not in the file");
        const Index stored_width = bits(about.type) / 8, width = bits(tensor.type) / 8;
        const auto found = static_cast<Index>(storage->bytes.size());
        if (about.count > found / stored_width)
            wrong("expected ", about.count, " numbers of ", tessera::name(about.type), " in storage ",
                  quoted(about.key), ", found ", found, " bytes");
        const Index offset = items[1].number, room = about.count * stored_width / width;
        if (offset < 0 || offset > room || tensor.size > room - offset)
            wrong("shape ", shape_text(tensor.shape), " from number ", offset, " on: expected at most the ", room,
                  " numbers of storage ", quoted(about.key));
        tensor.bytes = storage->bytes.subspan(static_cast<std::size_t>(offset * width),
                                              static_cast<std::size_t>(tensor.size * width));
        return tensor;
    }
    static std::string quoted(std::string_view key) { return '\'' + printable(key, 40) + '\''; }
};

}  // namespace tessera::inline TESSERA_ISA
