// PNG through libpng: all depths and colour types as 8-bit RGB, with the bytes that Pillow gives. Its simplified interface
// would correct colours by gamma, which Pillow does not.
#pragma once
#include <png.h>

#include <algorithm>
#include <csetjmp>
#include <cstdio>
#include <cstring>
#include <new>
#include <string_view>
#include <tessera/image/bytes.hpp>
#include <tessera/image/image.hpp>
#include <tessera/image/orientation.hpp>
#include <tessera/image/read_options.hpp>

namespace tessera::inline TESSERA_ISA {

inline bool is_png(Bytes file) { return file.size() >= 8 && png_sig_cmp(file.data(), 0, 8) == 0; }

namespace detail {

/// One PNG file on its way through libpng.
class PngReader {
  public:
    PngReader(Bytes file, std::string_view where, const ReadOptions& options)
        : file_(file), where_(where), options_(options) {
        png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, &on_error, &on_warning);
        if (png_ != nullptr) info_ = png_create_info_struct(png_);
        if (info_ == nullptr) {
            png_destroy_read_struct(&png_, nullptr, nullptr);
            throw std::bad_alloc();
        }
    }
    PngReader(const PngReader&) = delete;
    PngReader& operator=(const PngReader&) = delete;
    ~PngReader() { png_destroy_read_struct(&png_, &info_, nullptr); }

    Image read() {
        read_header();
        const Index width = png_get_image_width(png_, info_), height = png_get_image_height(png_, info_);
        // Pillow clips 16 bits of gray at 255, so both their bytes have to arrive here. Of colours it takes the upper one.
        const bool deep_gray = png_get_color_type(png_, info_) == PNG_COLOR_TYPE_GRAY &&
                               png_get_bit_depth(png_, info_) == 16 && options_.deep_gray == DeepGray::saturated;
        int passes = 1;
        run([&] {
            png_set_expand(png_);
            if (!deep_gray) {
                png_set_strip_16(png_);
                png_set_gray_to_rgb(png_);
            }
            png_set_add_alpha(png_, 0xffff, PNG_FILLER_AFTER);
            passes = png_set_interlace_handling(png_);
            png_read_update_info(png_, info_);
        });
        const Index stride = 4 * width;  // red, green, blue, alpha, or two bytes of gray and two of alpha
        TESSERA_EXPECTS(png_get_rowbytes(png_, info_) == static_cast<std::size_t>(stride));
        Buffer<unsigned char> rows(passes == 1 ? stride
                                               : stride * height);  // each pass adds to the rows of those before
        Image out(height, width);
        run([&] {
            for (int pass = 1; pass <= passes; ++pass)
                for (Index y = 0; y < height; ++y) {
                    unsigned char* row = rows.data() + (passes == 1 ? 0 : y * stride);
                    png_read_row(png_, row, nullptr);
                    if (pass == passes) show(row, width, deep_gray, out.row(y));
                }
            png_read_end(png_, info_);
        });
        png_uint_32 size = 0;
        png_byte* exif = nullptr;
        if (!options_.turn_upright || png_get_eXIf_1(png_, info_, &size, &exif) == 0) return out;
        return turn_upright(std::move(out), exif_orientation({exif, size}));
    }

  private:
    template <class... Parts>
    [[noreturn]] void fail(const Parts&... parts) const {
        throw Error(Errc::image_decode, where_, ": PNG: ", parts...);
    }

    /// libpng leaves `steps` by longjmp when something is wrong, so nothing in them may need a destructor.
    template <class Steps>
    void run(const Steps& steps) {
        if (setjmp(png_jmpbuf(png_)) != 0) fail(message_, ", at byte ", at_, " of ", file_.size());
        steps();
    }

    /// Everything in front of the pixels.
    void read_header() {
        if (file_.size() >= 24 && std::memcmp(file_.data() + 12, "IHDR", 4) == 0)
            check_picture_size(big32(file_, 16), big32(file_, 20), options_, where_);
        run([&] {
            png_set_read_fn(png_, this, &on_read);
            png_set_user_limits(png_, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
            png_set_crc_action(png_, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
            // Text and colour profiles would only cost time and memory.
            png_set_keep_unknown_chunks(png_, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);
            png_set_keep_unknown_chunks(png_, PNG_HANDLE_CHUNK_AS_DEFAULT,
                                        reinterpret_cast<const unsigned char*>("eXIf"), 1);
            png_read_info(png_, info_);
        });
        constexpr std::size_t densest = 1032;  // deflate spends at least two bits on 258 bytes
        const std::size_t height = png_get_image_height(png_, info_);
        if (png_get_rowbytes(png_, info_) * height / densest > file_.size())
            fail("the header claims ", png_get_image_width(png_, info_), "×", height, " pixels, ", file_.size(),
                 " bytes cannot hold them");
    }

    /// One row without its alpha.
    /// shape   row [width, 4] → out [width, 3]
    void show(const unsigned char* row, Index width, bool deep_gray, unsigned char* out) const {
        for (const unsigned char* end = row + 4 * width; row != end; row += 4, out += 3) {
            const unsigned char gray = row[0] > 0 ? 255 : row[1];
            for (Index c = 0; c < 3; ++c)
                out[c] = seen(deep_gray ? gray : row[c], deep_gray ? row[2] : row[3], options_.transparency);
        }
    }

    [[noreturn]] static void on_error(png_struct* png, const char* message) {
        char(&kept)[128] = static_cast<PngReader*>(png_get_error_ptr(png))->message_;
        std::snprintf(kept, sizeof kept, "%s", message);
        png_longjmp(png, 1);
    }
    /// What decides about colours must be right; other chunks that are out of order say nothing about the pixels.
    static void on_warning(png_struct* png, const char* message) {
        if (std::strncmp(message, "tRNS", 4) == 0 || std::strncmp(message, "PLTE", 4) == 0) png_error(png, message);
    }
    static void on_read(png_struct* png, unsigned char* out, std::size_t size) {
        PngReader& self = *static_cast<PngReader*>(png_get_io_ptr(png));
        if (size > self.file_.size() - self.at_) png_error(png, "the file is cut");
        std::copy_n(self.file_.data() + self.at_, size, out);
        self.at_ += size;
    }

    Bytes file_;
    std::string_view where_;
    const ReadOptions& options_;
    std::size_t at_ = 0;
    png_struct* png_ = nullptr;
    png_info* info_ = nullptr;
    char message_[128] = "";
};

}  // namespace detail

/// Reads a PNG file of any depth and colour type.
/// shape   → [height, width, 3]
/// errors  Errc::image_decode, Errc::image_size name `where` and what is wrong
/// cost    memory for the picture; interlaced files as much again for their pixels with alpha
inline Image read_png(Bytes file, std::string_view where, const ReadOptions& options) {
    return detail::PngReader(file, where, options).read();
}

}  // namespace tessera::inline TESSERA_ISA
