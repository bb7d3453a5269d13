// Python's pickle format as far as files of weights use it. A pickle is a program for a small machine with a stack; here the
// machine only builds tensors' descriptions, dictionaries, lists, numbers and text. It calls nothing: of names of Python
// objects it knows the few below, and any other name or operation is an error.
#pragma once
#include <bit>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tessera/checkpoint/zip.hpp>
#include <tessera/core/dtype.hpp>
#include <utility>
#include <vector>

namespace tessera::inline TESSERA_ISA {

/// A name that a pickle may mention, and what becomes of it.
struct PickleGlobal {
    enum class Role : std::uint8_t {
        dictionary,
        size,
        device,
        tensor,
        tensor_v2,
        tensor_v3,
        parameter,
        storage,
        untyped_storage,
        type
    };
    std::string_view module, name;
    Role role;
    DType type = DType::f32;  // of a storage's elements
};

namespace detail {
inline constexpr PickleGlobal pickle_globals[] = {
    {"collections", "OrderedDict", PickleGlobal::Role::dictionary},
    {"torch", "Size", PickleGlobal::Role::size},
    {"torch", "device", PickleGlobal::Role::device},
    {"torch._utils", "_rebuild_tensor", PickleGlobal::Role::tensor},
    {"torch._utils", "_rebuild_tensor_v2", PickleGlobal::Role::tensor_v2},
    {"torch._utils", "_rebuild_tensor_v3", PickleGlobal::Role::tensor_v3},
    {"torch._utils", "_rebuild_parameter", PickleGlobal::Role::parameter},
    {"torch", "FloatStorage", PickleGlobal::Role::storage, DType::f32},
    {"torch", "HalfStorage", PickleGlobal::Role::storage, DType::f16},
    {"torch", "BFloat16Storage", PickleGlobal::Role::storage, DType::bf16},
    {"torch", "DoubleStorage", PickleGlobal::Role::storage, DType::f64},
    {"torch", "LongStorage", PickleGlobal::Role::storage, DType::i64},
    {"torch", "IntStorage", PickleGlobal::Role::storage, DType::i32},
    {"torch", "ShortStorage", PickleGlobal::Role::storage, DType::i16},
    {"torch", "CharStorage", PickleGlobal::Role::storage, DType::i8},
    {"torch", "ByteStorage", PickleGlobal::Role::storage, DType::u8},
    {"torch", "BoolStorage", PickleGlobal::Role::storage, DType::boolean},
    {"torch", "ComplexFloatStorage", PickleGlobal::Role::storage, DType::c64},
    {"torch", "UntypedStorage", PickleGlobal::Role::untyped_storage, DType::u8},
    {"torch.storage", "UntypedStorage", PickleGlobal::Role::untyped_storage, DType::u8},
    {"torch", "float32", PickleGlobal::Role::type, DType::f32},
    {"torch", "float16", PickleGlobal::Role::type, DType::f16},
    {"torch", "bfloat16", PickleGlobal::Role::type, DType::bf16},
    {"torch", "float64", PickleGlobal::Role::type, DType::f64},
    {"torch", "int64", PickleGlobal::Role::type, DType::i64},
    {"torch", "int32", PickleGlobal::Role::type, DType::i32},
    {"torch", "int16", PickleGlobal::Role::type, DType::i16},
    {"torch", "int8", PickleGlobal::Role::type, DType::i8},
    {"torch", "uint8", PickleGlobal::Role::type, DType::u8},
    {"torch", "uint16", PickleGlobal::Role::type, DType::u16},
    {"torch", "uint32", PickleGlobal::Role::type, DType::u32},
    {"torch", "uint64", PickleGlobal::Role::type, DType::u64},
    {"torch", "bool", PickleGlobal::Role::type, DType::boolean},
    {"torch", "complex64", PickleGlobal::Role::type, DType::c64},
    {"torch", "float8_e4m3fn", PickleGlobal::Role::type, DType::f8_e4m3},
    {"torch", "float8_e5m2", PickleGlobal::Role::type, DType::f8_e5m2},
};
}  // namespace detail

/// A value of a Pickle, which must outlive its use.
struct PickleValue {
    enum class Kind : std::uint8_t {
        none,
        flag,
        whole,
        real,
        text,
        bytes,
        list,
        tuple,
        dictionary,
        global,
        storage,
        tensor
    };
    Kind kind = Kind::none;
    std::uint8_t global = 0;   // which of pickle_globals: itself, or what made a tensor
    std::uint32_t length = 0;  // of text and bytes
    std::int64_t number = 0;   // or the bits of a real one; where text begins; which container

    bool is(Kind wanted) const { return kind == wanted; }
    const PickleGlobal& about() const { return detail::pickle_globals[global]; }
    bool is_global(PickleGlobal::Role role) const { return kind == Kind::global && about().role == role; }
};

/// Reads pickles of protocols 2 to 5.
/// errors  Errc::checkpoint_format, beginning with `place`, at which byte: an operation or a name that is not known, a call of
///         anything, a pickle that is cut off or contradicts itself
/// cost    memory in proportion: no block of more than 64 bytes for each byte that is read; no recursion, whatever is nested
/// source  the comments of Python's pickletools.py
class Pickle {
  public:
    using Kind = PickleValue::Kind;
    using Role = PickleGlobal::Role;

    Pickle(std::span<const unsigned char> bytes, std::string place) : bytes_(bytes), place_(std::move(place)) {}

    /// Reads one pickle from byte `at` on, which becomes the byte after it. Values of earlier ones stay valid.
    PickleValue read(std::size_t& at) {
        begin_ = at_ = at;
        stack_.clear(), marks_.clear(), memo_.clear();
        while (step()) continue;
        at = at_;
        return pop();
    }

    /// The elements of a list or tuple, keys and values of a dictionary by turns, or what a storage or tensor was made of.
    std::span<const PickleValue> items(const PickleValue& of) const {
        return containers_[static_cast<std::size_t>(of.number)];
    }
    std::string_view text(const PickleValue& of) const {
        return {reinterpret_cast<const char*>(bytes_.data()) + of.number, of.length};
    }
    /// The storages that were mentioned, in order.
    std::span<const PickleValue> storages() const { return storages_; }

  private:
    static constexpr std::size_t longest = 100'000'000;  // far more than a description of tensors needs

    template <class... Parts>
    [[noreturn]] void fail(const Parts&... parts) const {
        throw Error(Errc::checkpoint_format, place_, ": byte ", at_ - begin_, " of the pickle: ", parts...);
    }

    std::size_t skip(std::uint64_t count) {
        if (count > bytes_.size() - at_)
            fail("expected ", count, " more bytes, found the end after ", bytes_.size() - at_);
        if (at_ + count - begin_ > longest) fail("expected at most ", longest, " bytes, found more");
        return std::exchange(at_, at_ + static_cast<std::size_t>(count));
    }
    std::uint64_t number(std::size_t size) {
        const std::size_t from = skip(size);
        return detail::little_endian(bytes_, from, size);
    }

    void push(const PickleValue& value) { stack_.push_back(value); }
    void push(Kind kind, std::int64_t number = 0) { push(PickleValue{.kind = kind, .number = number}); }
    void push_text(Kind kind, std::uint64_t length) {
        const std::size_t from = skip(length);
        push({kind, 0, static_cast<std::uint32_t>(length), static_cast<std::int64_t>(from)});
    }
    void push_container(Kind kind, std::size_t elements) {
        if (elements > stack_.size()) fail("expected ", elements, " values on the stack, found ", stack_.size());
        const auto first = stack_.end() - static_cast<std::ptrdiff_t>(elements);
        containers_.emplace_back(first, stack_.end());
        stack_.erase(first, stack_.end());
        push(kind, static_cast<std::int64_t>(containers_.size() - 1));
    }
    PickleValue pop() {
        if (stack_.empty()) fail("expected a value on the stack, found none");
        const PickleValue value = stack_.back();
        stack_.pop_back();
        return value;
    }
    PickleValue pop(Kind wanted, std::string_view what) {
        const PickleValue value = pop();
        if (value.kind != wanted) fail("expected ", what);
        return value;
    }
    /// How many values lie above the last mark, which is taken away.
    std::size_t above_mark() {
        if (marks_.empty() || marks_.back() > stack_.size()) fail("expected a mark on the stack, found none");
        const std::size_t mark = marks_.back();
        marks_.pop_back();
        return stack_.size() - mark;
    }

    /// Does one operation; false after the last.
    bool step() {
        const auto operation = static_cast<unsigned char>(number(1));
        switch (operation) {
            case 0x80:  // PROTO
                if (const auto version = number(1); version < 2 || version > 5)
                    fail("expected protocol 2 to 5, found ", version);
                break;
            case 0x95:  // FRAME: how much follows in one piece
                number(8);
                break;
            case '.':  // STOP
                return false;
            case '(':  // MARK
                marks_.push_back(stack_.size());
                break;
            case 'N':  // NONE
                push(Kind::none);
                break;
            case 0x88:  // NEWTRUE
            case 0x89:  // NEWFALSE
                push(Kind::flag, operation == 0x88);
                break;
            case 'J':  // BININT
                push(Kind::whole, static_cast<std::int32_t>(number(4)));
                break;
            case 'K':  // BININT1
                push(Kind::whole, static_cast<std::int64_t>(number(1)));
                break;
            case 'M':  // BININT2
                push(Kind::whole, static_cast<std::int64_t>(number(2)));
                break;
            case 0x8a:  // LONG1
                push_long(number(1));
                break;
            case 0x8b:  // LONG4
                push_long(number(4));
                break;
            case 'G': {  // BINFLOAT, highest byte first
                std::uint64_t bits = 0;
                for (const std::size_t from = skip(8), end = from + 8;
                     const unsigned char byte : bytes_.subspan(from, end - from))
                    bits = bits << 8 | byte;
                push(Kind::real, static_cast<std::int64_t>(bits));
                break;
            }
            case 0x8c:  // SHORT_BINUNICODE
            case 'U':   // SHORT_BINSTRING: text of Python 2
                push_text(Kind::text, number(1));
                break;
            case 'X':  // BINUNICODE
            case 'T':  // BINSTRING
                push_text(Kind::text, number(4));
                break;
            case 0x8d:  // BINUNICODE8
                push_text(Kind::text, number(8));
                break;
            case 'C':  // SHORT_BINBYTES
                push_text(Kind::bytes, number(1));
                break;
            case 'B':  // BINBYTES
                push_text(Kind::bytes, number(4));
                break;
            case 0x8e:  // BINBYTES8
                push_text(Kind::bytes, number(8));
                break;
            case ']':  // EMPTY_LIST
                push_container(Kind::list, 0);
                break;
            case '}':  // EMPTY_DICT
                push_container(Kind::dictionary, 0);
                break;
            case ')':  // EMPTY_TUPLE
                push_container(Kind::tuple, 0);
                break;
            case 0x85:  // TUPLE1
            case 0x86:  // TUPLE2
            case 0x87:  // TUPLE3
                push_container(Kind::tuple, operation - std::size_t{0x84});
                break;
            case 't':  // TUPLE
                push_container(Kind::tuple, above_mark());
                break;
            case 'a':  // APPEND
                extend(Kind::list, "a list", 1);
                break;
            case 'e':  // APPENDS
                extend(Kind::list, "a list", above_mark());
                break;
            case 's':  // SETITEM
                extend(Kind::dictionary, "a dictionary", 2);
                break;
            case 'u':  // SETITEMS
                extend(Kind::dictionary, "a dictionary", above_mark());
                break;
            case 'b':  // BUILD: attributes, which no dictionary needs
                pop();
                if (stack_.empty() || !stack_.back().is(Kind::dictionary))
                    fail("BUILD: expected a dictionary, found something else");
                break;
            case 'q':  // BINPUT
                remember(number(1));
                break;
            case 'r':  // LONG_BINPUT
                remember(number(4));
                break;
            case 0x94:  // MEMOIZE
                remember(memo_.size());
                break;
            case 'h':  // BINGET
                recall(number(1));
                break;
            case 'j':  // LONG_BINGET
                recall(number(4));
                break;
            case 'c': {  // GLOBAL
                const std::string_view module = line();
                push_global(module, line());
                break;
            }
            case 0x93: {  // STACK_GLOBAL
                const PickleValue name = pop(Kind::text, "the name of a Python object");
                push_global(text(pop(Kind::text, "the module of a Python object")), text(name));
                break;
            }
            case 'R':  // REDUCE
                reduce();
                break;
            case 'Q': {  // BINPERSID
                PickleValue storage = pop(Kind::tuple, "the description of a storage");
                storage.kind = Kind::storage;
                storages_.push_back(storage);
                push(storage);
                break;
            }
            default:
                refuse(operation);
        }
        return true;
    }

    [[noreturn]] void refuse(unsigned char operation) const {
        struct Refused {
            unsigned char operation;
            const char* name;
        };
        constexpr Refused known[] = {
            {'0', "POP"},       {'1', "POP_MARK"},   {'2', "DUP"},        {'F', "FLOAT"},       {'I', "INT"},
            {'L', "LONG"},      {'P', "PERSID"},     {'S', "STRING"},     {'V', "UNICODE"},     {'d', "DICT"},
            {'g', "GET"},       {'i', "INST"},       {'l', "LIST"},       {'o', "OBJ"},         {'p', "PUT"},
            {0x81, "NEWOBJ"},   {0x82, "EXT1"},      {0x83, "EXT2"},      {0x84, "EXT4"},       {0x8f, "EMPTY_SET"},
            {0x90, "ADDITEMS"}, {0x91, "FROZENSET"}, {0x92, "NEWOBJ_EX"}, {0x96, "BYTEARRAY8"}, {0x97, "NEXT_BUFFER"}};
        for (const Refused& each : known)
            if (each.operation == operation) fail("the operation ", each.name, " is not known here: ", cure);
        fail("the operation ", int{operation}, " is not known here: ", cure);
    }

    void push_long(std::uint64_t size) {
        const std::size_t from = skip(size);
        if (size > 8) return push({Kind::bytes, 0, static_cast<std::uint32_t>(size), static_cast<std::int64_t>(from)});
        std::uint64_t bits = detail::little_endian(bytes_, from, static_cast<std::size_t>(size));
        if (size > 0 && size < 8 && (bits >> (8 * size - 1) & 1) != 0) bits |= ~std::uint64_t{0} << 8 * size;
        push(Kind::whole, static_cast<std::int64_t>(bits));
    }

    void extend(Kind kind, std::string_view what, std::size_t count) {
        if (count >= stack_.size() || !stack_[stack_.size() - count - 1].is(kind))
            fail("expected ", what, " for the ", count, " values above it on the stack, found none");
        if (kind == Kind::dictionary && count % 2 != 0)
            fail("expected keys and values by turns, found ", count, " of them");
        const auto first = stack_.end() - static_cast<std::ptrdiff_t>(count);
        auto& container = containers_[static_cast<std::size_t>(first[-1].number)];
        container.insert(container.end(), first, stack_.end());
        stack_.erase(first, stack_.end());
    }

    /// Pickles number what they remember one after another.
    void remember(std::uint64_t at) {
        if (stack_.empty()) fail("expected a value on the stack, found none");
        if (at > memo_.size())
            fail("expected at most ", memo_.size(), " as the number of what is remembered, found ", at);
        if (at == memo_.size()) memo_.emplace_back();
        memo_[static_cast<std::size_t>(at)] = stack_.back();
    }
    void recall(std::uint64_t at) {
        if (at >= memo_.size()) fail("expected one of ", memo_.size(), " remembered values, found number ", at);
        push(memo_[static_cast<std::size_t>(at)]);
    }

    std::string_view line() {
        const std::string_view left(reinterpret_cast<const char*>(bytes_.data()) + at_, bytes_.size() - at_);
        constexpr std::size_t longest_name = 1000;
        const std::size_t length = left.substr(0, longest_name).find('\n');
        if (length == left.npos) fail("expected the name of a Python object on a line, found no end of it");
        skip(length + 1);
        return left.substr(0, length);
    }
    void push_global(std::string_view module, std::string_view name) {
        for (std::size_t i = 0; i < std::size(detail::pickle_globals); ++i)
            if (detail::pickle_globals[i].module == module && detail::pickle_globals[i].name == name)
                return push({Kind::global, static_cast<std::uint8_t>(i), 0, 0});
        fail("the Python object '", printable(module, 80), '.', printable(name, 80), "' is not known here: ", cure);
    }

    /// What a call would give, for those few that only describe something.
    void reduce() {
        const PickleValue arguments = pop(Kind::tuple, "a tuple of arguments");
        const PickleValue function = pop(Kind::global, "a known Python object to call");
        const std::span<const PickleValue> given = items(arguments);
        switch (function.about().role) {
            case Role::dictionary:
                if (!given.empty()) break;
                return push_container(Kind::dictionary, 0);
            case Role::size:
                if (given.size() != 1 || !given[0].is(Kind::tuple)) break;
                return push(given[0]);
            case Role::device:
                return push(Kind::none);
            case Role::tensor:
            case Role::tensor_v2:
            case Role::tensor_v3:
                return push({Kind::tensor, function.global, 0, arguments.number});
            case Role::parameter:
                if (given.empty() || !given[0].is(Kind::tensor)) break;
                return push(given[0]);
            default:
                break;
        }
        fail("a call of '", function.about().module, '.', function.about().name, "' with ", given.size(),
             " arguments is not known here");
    }

    static constexpr const char* cure =
        "nothing of a file is executed; save the tensors alone, as torch.save(model.state_dict(), file)";

    std::span<const unsigned char> bytes_;
    std::string place_;
    std::size_t begin_ = 0, at_ = 0;
    std::vector<PickleValue> stack_, memo_, storages_;
    std::vector<std::size_t> marks_;
    std::vector<std::vector<PickleValue>> containers_;
};

}  // namespace tessera::inline TESSERA_ISA
