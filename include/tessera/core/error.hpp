// Errors of the world outside (files, pictures, text, options) and checks of what a caller promised.
#pragma once
#include <cassert>
#include <concepts>
#include <cstdio>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tessera/core/compiler.hpp>

/// Checks a promise of the caller in debug builds; costs nothing with NDEBUG.
#define TESSERA_EXPECTS(condition) assert(condition)

namespace tessera::inline TESSERA_ISA {

/// What kind of thing went wrong; `name(Errc)` is the word in brackets at the head of an Error's message.
enum class Errc {
    file_open,     // a file is missing or cannot be read
    file_format,   // a file is not of the format it should be
    image_decode,  // a picture is broken
    image_size,    // a picture is empty, or larger than is allowed
    config_value,  // a setting of config.json or preprocessor_config.json is missing, of the wrong type or out of range
    config_unsupported,     // a model that this library or this program does not know
    checkpoint_format,      // a safetensors file or its index contradicts itself
    checkpoint_missing,     // a tensor of the model is not in the checkpoint
    checkpoint_unexpected,  // the checkpoint holds a tensor that the model has not
    checkpoint_shape,       // a tensor has other extents than the model's
    checkpoint_type,        // a tensor's element type cannot be weights
    checkpoint_value,       // a weight is NaN or infinite
    tokenizer_format,       // a tokenizer file contradicts itself
    text_encoding,          // text is not UTF-8
    token_id,               // an id lies outside the vocabulary
    option_value,           // an option is out of range, or two options contradict each other
    sequence_length,        // more positions than the model has
    weight_unset,           // a layer was called before it had its weights
    rows_mismatch,          // an output or a residual has another number of rows than the input
    scratch_frame,          // a Scratch is used without frames, so that it only grows
    tape_memory,            // a gradient would pass through rows that the tape does not have
    training_value,         // a loss, a gradient or a learning rate is NaN or infinite
};

/// `checkpoint.shape` for Errc::checkpoint_shape, and so on.
constexpr std::string_view name(Errc code) {
    switch (code) {
        case Errc::file_open:
            return "file.open";
        case Errc::file_format:
            return "file.format";
        case Errc::image_decode:
            return "image.decode";
        case Errc::image_size:
            return "image.size";
        case Errc::config_value:
            return "config.value";
        case Errc::config_unsupported:
            return "config.unsupported";
        case Errc::checkpoint_format:
            return "checkpoint.format";
        case Errc::checkpoint_missing:
            return "checkpoint.missing";
        case Errc::checkpoint_unexpected:
            return "checkpoint.unexpected";
        case Errc::checkpoint_shape:
            return "checkpoint.shape";
        case Errc::checkpoint_type:
            return "checkpoint.type";
        case Errc::checkpoint_value:
            return "checkpoint.value";
        case Errc::tokenizer_format:
            return "tokenizer.format";
        case Errc::text_encoding:
            return "text.encoding";
        case Errc::token_id:
            return "token.id";
        case Errc::option_value:
            return "option.value";
        case Errc::sequence_length:
            return "sequence.length";
        case Errc::weight_unset:
            return "weight.unset";
        case Errc::rows_mismatch:
            return "rows.mismatch";
        case Errc::scratch_frame:
            return "scratch.frame";
        case Errc::tape_memory:
            return "tape.memory";
        case Errc::training_value:
            return "training.value";
    }
    return "unknown";
}

/// Text or a number in a sentence. (Not written to a stream: <sstream> is a third of what it costs to include this file.)
class ErrorPart {
  public:
    explicit ErrorPart(std::string_view text) : text_(text) {}
    explicit ErrorPart(char letter) : text_(digits_, 1), digits_{letter} {}
    explicit ErrorPart(std::signed_integral auto number) { print("%lld", static_cast<long long>(number)); }
    explicit ErrorPart(std::unsigned_integral auto number) { print("%llu", static_cast<unsigned long long>(number)); }
    explicit ErrorPart(std::floating_point auto number) { print("%g", static_cast<double>(number)); }
    ErrorPart(const ErrorPart&) = delete;  // text_ may point into digits_
    std::string_view text() const { return text_; }

  private:
    void print(const char* format, auto number) {
        const int size = std::snprintf(digits_, sizeof(digits_), format, number);
        text_ = {digits_, static_cast<std::size_t>(size)};
    }
    std::string_view text_;
    char digits_[32];
};

/// One sentence that says what is wrong, where, what was expected and what was found.
struct Error : std::runtime_error {
    Errc code;

    /// Joins `parts` after the bracketed name of `code`: Error(Errc::image_size, path, ": expected …, found ", n).
    template <class... Parts>
    explicit Error(Errc what, const Parts&... parts)
        : std::runtime_error(sentence(what, {ErrorPart(parts)...})), code(what) {}

  private:
    static std::string sentence(Errc what, std::initializer_list<ErrorPart> parts) {
        std::string out = "[";
        (out += name(what)) += "] ";
        for (const ErrorPart& part : parts) out += part.text();
        return out;
    }
};

}  // namespace tessera::inline TESSERA_ISA
