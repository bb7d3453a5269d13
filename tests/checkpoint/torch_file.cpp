// Files of torch.save: those that PyTorch wrote, and such that it never would.
#include <doctest/doctest.h>

#include <support/damage.hpp>
#include <support/golden.hpp>
#include <support/read_json.hpp>
#include <support/temporary_folder.hpp>
#include <support/torch_files.hpp>
#include <tessera/checkpoint/torch_file.hpp>

namespace checkpoint_torch_file {
using namespace tessera;
using namespace test::pickle;
using test::TemporaryFolder;

namespace {

void check_holds(const std::filesystem::path& path, const Json& expected) {
    CAPTURE(path);
    const TorchFile file(path);
    CHECK(file.tensors().size() == expected.size());
    for (const auto& item : expected.items()) {
        CAPTURE(item.key());
        const StoredTensor& tensor = file.tensor(item.key());
        CHECK(tensor.shape == item.value()["shape"].get<std::vector<Index>>());
        CHECK(tensor.to<double>() == item.value()["values"].get<std::vector<double>>());
    }
}

/// What is said of a file of these bytes, without its path.
std::string refusal(const std::string& bytes) {
    const TemporaryFolder folder;
    const auto path = folder.write("x.pth", bytes);
    try {
        const TorchFile file(path);
    } catch (const Error& error) {
        std::string message = error.what();
        CHECK(error.code == Errc::checkpoint_format);
        const auto at = message.find(path.string());
        REQUIRE(at != message.npos);
        return message.substr(at + path.string().size() + 2);
    }
    return "not refused";
}
/// The same of a file with this pickle, and the twelve numbers of storage 0.
std::string refusal_of_pickle(const std::string& pickle) {
    return refusal(test::torch_file(begin + pickle + end, {{"0", std::string(48, '\0')}}));
}
std::string refusal_of_tensor(const std::string& tensor) { return refusal_of_pickle(dictionary(text("x") + tensor)); }

const std::string numbers = storage("FloatStorage", "0", 12);
const std::string cure =
    "nothing of a file is executed; save the tensors alone, as torch.save(model.state_dict(), file)";

}  // namespace

TEST_CASE("what PyTorch wrote: every type, shared numbers, whatever protocol, in a zip file or as before") {
    const auto folder = test::golden("torch");
    const Json expected = test::read_json(folder / "expected.json");
    for (const auto& [name, tensors] : expected.items()) check_holds(folder / (name + ".pth"), tensors);
    check_holds(folder / "views_protocol_4.pth", expected["views"]);
    check_holds(folder / "views_legacy.pth", expected["views"]);
}

TEST_CASE("types as PyTorch names them") {
    const TorchFile file(test::golden("torch/every_type.pth"));
    const std::pair<const char*, DType> types[] = {
        {"float32", DType::f32}, {"float16", DType::f16},  {"bfloat16", DType::bf16}, {"float64", DType::f64},
        {"int64", DType::i64},   {"int32", DType::i32},    {"int16", DType::i16},     {"int8", DType::i8},
        {"uint8", DType::u8},    {"bool", DType::boolean}, {"uint16", DType::u16},    {"uint32", DType::u32},
        {"uint64", DType::u64}};
    for (const auto& [name, type] : types) CHECK(file.tensor(name).type == type);
}

TEST_CASE("views of a storage lie in it: nothing is copied") {
    const TorchFile file(test::golden("torch/views.pth"));
    const unsigned char* whole = file.tensor("whole").bytes.data();
    CHECK(file.tensor("rows").bytes.data() == whole + 12);
    CHECK(file.tensor("last").bytes.data() == whole + 44);
    CHECK(file.tensor("again").bytes.data() == whole);
    CHECK(file.file().bytes().data() <= whole);
}

TEST_CASE("what PyTorch wrote, but cannot be read as tensors in order") {
    const auto refused = [](const char* name) {
        std::ifstream in(test::golden(name), std::ios::binary);
        return refusal({std::istreambuf_iterator<char>(in), {}});
    };
    CHECK(refused("torch/transposed.pth") ==
          "tensor 'x': its numbers do not lie in the order of its extents: save tensor.contiguous()");
    CHECK(refused("torch/module.pth") ==
          "data.pkl: byte 49 of the pickle: the Python object 'torch.nn.modules.linear.Linear' is not known here: " +
              cure);
}

TEST_CASE("the test's own writer is right") {
    const TemporaryFolder folder;
    const auto path = folder.path() / "x.pth";
    const std::string floats("\0\0\x80\x3f\0\0\0\x40", 8);
    const auto good = dictionary(text("a") + tensor(storage("FloatStorage", "0", 2), 0, {2}, {1}) + text("a.b") +
                                 tensor(storage("FloatStorage", "0", 2), 1, {1, 1}, {7, 7}) + text("n") + whole(3));
    for (const std::string& pickle : {good, dictionary(text("state_dict") + good), dictionary(text("module") + good)}) {
        test::write_bytes(path, test::torch_file(begin + pickle + end, {{"0", floats}}));
        const TorchFile file(path);
        CHECK(file.tensors().size() == 2);
        CHECK(file.tensor("a").to_floats() == std::vector<float>{1, 2});
        CHECK(file.tensor("a.b").to_floats() == std::vector<float>{2});
        CHECK(file.tensor("a.b").shape == std::vector<Index>{1, 1});
    }
}

TEST_CASE("nothing is executed: calls of Python objects and unknown operations are named") {
    CHECK(refusal_of_pickle(global("os", "system") + tuple(text("touch /tmp/owned")) + 'R') ==
          "data.pkl: byte 13 of the pickle: the Python object 'os.system' is not known here: " + cure);
    CHECK(refusal_of_pickle(global("builtins", "eval") + tuple(text("1")) + 'R') ==
          "data.pkl: byte 17 of the pickle: the Python object 'builtins.eval' is not known here: " + cure);
    CHECK(refusal_of_pickle(text("posix") + text("system") + "\x93") ==
          "data.pkl: byte 24 of the pickle: the Python object 'posix.system' is not known here: " + cure);
    CHECK(refusal_of_pickle("(ios\nsystem\n") ==
          "data.pkl: byte 4 of the pickle: the operation INST is not known here: " + cure);
    CHECK(refusal_of_pickle(global("collections", "OrderedDict") + ")\x81") ==
          "data.pkl: byte 29 of the pickle: the operation NEWOBJ is not known here: " + cure);
    CHECK(refusal_of_pickle("\xff") == "data.pkl: byte 3 of the pickle: the operation 255 is not known here: " + cure);
    CHECK(refusal_of_pickle(global("torch", "FloatStorage") + tuple(whole(1000000000)) + 'R') ==
          "data.pkl: byte 35 of the pickle: a call of 'torch.FloatStorage' with 1 arguments is not known here");
    CHECK(refusal_of_pickle(text("x") + tuple("") + 'R') ==
          "data.pkl: byte 11 of the pickle: expected a known Python object to call");
    CHECK(refusal_of_pickle(text("x") + dictionary("") + 'b') ==
          "data.pkl: byte 12 of the pickle: BUILD: expected a dictionary, found something else");
    CHECK(refusal_of_pickle(global(std::string(2000, 'a'), "b")) ==
          "data.pkl: byte 3 of the pickle: expected the name of a Python object on a line, found no end of it");
}

TEST_CASE("pickles that contradict themselves") {
    const std::string at = "data.pkl: byte ";
    CHECK(refusal(test::torch_file("\x80\x06.", {})) == at + "2 of the pickle: expected protocol 2 to 5, found 6");
    CHECK(refusal(test::torch_file(begin, {})) == at + "2 of the pickle: expected 1 more bytes, found the end after 0");
    CHECK(refusal_of_pickle("X" + test::little(0xfffffff0, 4) + "x") ==
          at + "7 of the pickle: expected 4294967280 more bytes, found the end after 2");
    CHECK(refusal_of_pickle("\x8d" + test::little(~std::uint64_t{0}, 8) + "x") ==
          at + "11 of the pickle: expected 18446744073709551615 more bytes, found the end after 2");
    CHECK(refusal_of_pickle("a") ==
          at + "3 of the pickle: expected a list for the 1 values above it on the stack, found none");
    CHECK(refusal_of_pickle("](K\x01u") ==
          at + "7 of the pickle: expected a dictionary for the 1 values above it on the stack, found none");
    CHECK(refusal_of_pickle("}(K\x01u") == at + "7 of the pickle: expected keys and values by turns, found 1 of them");
    CHECK(refusal_of_pickle("t") == at + "3 of the pickle: expected a mark on the stack, found none");
    CHECK(refusal_of_pickle("\x87") == at + "3 of the pickle: expected 3 values on the stack, found 0");
    CHECK(refusal_of_pickle("") == at + "3 of the pickle: expected a value on the stack, found none");
    CHECK(refusal_of_pickle("}h\x07") == at + "5 of the pickle: expected one of 0 remembered values, found number 7");
    CHECK(refusal_of_pickle("}r" + test::little(0xffffffff, 4)) ==
          at + "8 of the pickle: expected at most 0 as the number of what is remembered, found 4294967295");
    const std::string none =
        "expected a dictionary of tensors, or one under 'model', 'state_dict', 'module' or 'model_state_dict', found "
        "none";
    CHECK(refusal_of_pickle("N") == none);
    CHECK(refusal_of_pickle(dictionary(text("epoch") + whole(3))) == none);
    CHECK(refusal_of_pickle(std::string(200'000, ']') + std::string(199'999, 'a')) == none);  // nested, never unfolded
    CHECK(refusal_of_pickle(dictionary("") + "q\x01h\x01h\x01h\x01s") ==
          at + "7 of the pickle: expected at most 0 as the number of what is remembered, found 1");
    CHECK(refusal_of_pickle(dictionary("") + std::string("q\0h\0h\0s", 7)) == none);  // a dictionary in itself
}

TEST_CASE("tensors that do not fit what lies in the file") {
    CHECK(refusal_of_tensor(tensor(numbers, 0, {12}, {1})) == "not refused");
    CHECK(refusal_of_tensor(tensor(numbers, 1, {12}, {1})) ==
          "tensor 'x': shape [12] from number 1 on: expected at most the 12 numbers of storage '0'");
    CHECK(refusal_of_tensor(tensor(numbers, -1, {2}, {1})) ==
          "tensor 'x': shape [2] from number -1 on: expected at most the 12 numbers of storage '0'");
    CHECK(refusal_of_tensor(tensor(numbers, 0, {Index{1} << 40, Index{1} << 40}, {1, 1})) ==
          "tensor 'x': size: expected whole numbers, and not more elements than any file could hold");
    CHECK(refusal_of_tensor(tensor(numbers, 0, {-1}, {1})) ==
          "tensor 'x': size: expected whole numbers, and not more elements than any file could hold");
    CHECK(refusal_of_tensor(tensor(numbers, 0, {1000000, 1000000}, {0, 0})) ==
          "tensor 'x': its numbers do not lie in the order of its extents: save tensor.contiguous()");
    CHECK(refusal_of_tensor(tensor(numbers, 0, std::vector<Index>(65, 1), std::vector<Index>(65, 1))) ==
          "tensor 'x': expected a stride for each of at most 64 extents, found 65 extents and 65 strides");
    CHECK(refusal_of_tensor(tensor(storage("FloatStorage", "0", 13), 0, {13}, {1})) ==
          "tensor 'x': expected 13 numbers of F32 in storage '0', found 48 bytes");
    CHECK(refusal_of_tensor(tensor(storage("DoubleStorage", "0", Index{1} << 62), 0, {1}, {1})) ==
          "tensor 'x': expected 4611686018427387904 numbers of F64 in storage '0', found 48 bytes");
    CHECK(refusal_of_tensor(tensor(storage("FloatStorage", "1", 12), 0, {12}, {1})) ==
          "tensor 'x': its storage '1' is not in the file");
    CHECK(refusal_of_tensor(tensor(storage("FloatStorage", "../data.pkl", 1), 0, {1}, {1})) ==
          "tensor 'x': its storage '../data.pkl' is not in the file");
    CHECK(refusal_of_tensor(tensor(tuple(text("storage")) + 'Q', 0, {1}, {1})) ==
          "a storage: expected its type, key, place and size, found something else");
    CHECK(refusal_of_tensor(tensor(text("storage"), 0, {1}, {1})) ==
          "tensor 'x': expected a storage, an offset, a size and a stride, found something else");
    CHECK(refusal_of_pickle(dictionary(text("\xff") + tensor(numbers, 0, {1}, {1}))) ==
          "tensor '\\xff': its name is not UTF-8");
}

TEST_CASE("other files, and files that are cut off anywhere") {
    CHECK(refusal("") == "expected a file that torch.save wrote, found 0 bytes that begin with ''");
    CHECK(refusal("version https://git-lfs.github.com/spec/v1\n") ==
          "expected a file that torch.save wrote, found 43 bytes that begin with 'version https://'");
    test::ZipFile zip;
    zip.entries.push_back({"archive/version", "3\n"});
    CHECK(refusal(zip.bytes()) == "expected an entry 'NAME/data.pkl', as torch.save writes it, found none");
    zip.entries.push_back({"archive/data.pkl", begin + "}" + end});
    zip.entries.push_back({"archive/byteorder", "big"});
    CHECK(refusal(zip.bytes()) ==
          "expected numbers with the lowest byte first, found those of another kind of machine");
    for (const char* name : {"torch/views.pth", "torch/views_legacy.pth"}) {
        std::ifstream in(test::golden(name), std::ios::binary);
        const std::string whole{std::istreambuf_iterator<char>(in), {}};
        for (std::size_t size = 0; size < whole.size(); size += 3)
            CHECK(refusal(whole.substr(0, size)) != "not refused");
    }
}

TEST_CASE("damaged files are read or refused in a sentence") {
    const TemporaryFolder folder;
    for (const char* name : {"torch/lavis.pth", "torch/views_legacy.pth"}) {
        std::ifstream in(test::golden(name), std::ios::binary);
        const std::vector<unsigned char> whole{std::istreambuf_iterator<char>(in), {}};
        int refused = 0;
        for (std::uint32_t seed = 0; seed < 300; ++seed) {
            const auto bytes = test::Damage(seed)(whole);
            const auto path = folder.write("x.pth", {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
            try {
                const TorchFile file(path);
                for (const StoredTensor& tensor : file.tensors())
                    if (is_weight(tensor.type)) tensor.to_floats();
            } catch (const Error& error) {
                CHECK(std::string_view(error.what()).find(path.string()) != std::string_view::npos);
                ++refused;
            }
        }
        CHECK(refused > 50);
    }
}

}  // namespace checkpoint_torch_file
