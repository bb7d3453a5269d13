// JPEG: baseline and progressive, with the bytes that libjpeg gives (and so Pillow). A file that is cut or broken is an
// error: nothing is filled up with gray.
#pragma once
#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <tessera/image/bytes.hpp>
#include <tessera/image/image.hpp>
#include <tessera/image/jpeg/colour.hpp>
#include <tessera/image/jpeg/frame.hpp>
#include <tessera/image/jpeg/huffman.hpp>
#include <tessera/image/jpeg/idct.hpp>
#include <tessera/image/jpeg/scan.hpp>
#include <tessera/image/orientation.hpp>
#include <tessera/image/read_options.hpp>

namespace tessera {

inline bool is_jpeg(Bytes file) { return file.size() >= 3 && file[0] == 0xff && file[1] == 0xd8 && file[2] == 0xff; }

/// Reads one JPEG file, marker by marker.
class JpegReader {
  public:
    JpegReader(Bytes file, std::string_view where, const ReadOptions& options)
        : file_(file), where_(where), options_(options) {}

    Image read() {
        std::size_t at = 2;
        while (true) {
            at = JpegBits(file_, at).skip_to_marker();
            at = JpegScan::marker_end(file_, at);
            if (at == file_.size()) fail("the file ends after ", file_.size(), " bytes, without an EOI marker");
            const int marker = file_[at++];
            if (marker == end_of_image) break;
            if (marker >= 0xd0 && marker <= 0xd7) fail("there is a restart marker outside a scan");
            if (file_.size() - at < 2) fail("the file ends inside a marker");
            const std::size_t length = big16(file_, at);
            if (length < 2 || length > file_.size() - at)
                fail("a marker claims ", length, " bytes, the file has ", file_.size() - at, " left");
            const Bytes content = file_.subspan(at + 2, length - 2);
            at += length;
            if (marker == start_of_scan) {
                at = read_scan(content, at);
            } else {
                read_segment(marker, content);
            }
        }
        return picture();
    }

  private:
    static constexpr int start_of_scan = 0xda, end_of_image = 0xd9;

    template <class... Parts>
    [[noreturn]] void fail(const Parts&... parts) const {
        throw Error(Errc::image_decode, where_, ": JPEG: ", parts...);
    }

    void read_segment(int marker, Bytes content) {
        const auto begins = [&](std::string_view text, std::size_t least) {
            return content.size() >= least && std::equal(text.begin(), text.end(), content.begin());
        };
        using namespace std::string_view_literals;
        if (marker >= 0xc0 && marker <= 0xc2) {
            read_frame(content, marker == 0xc2);
        } else if (marker == 0xc4) {
            read_codes(content);
        } else if (marker == 0xdb) {
            read_quantisation(content);
        } else if (marker == 0xdd) {
            if (content.size() != 2) fail("expected a restart interval of 2 bytes, found ", content.size());
            restart_interval_ = big16(content, 0);
        } else if (marker == 0xe0 && begins("JFIF\0"sv, 14)) {
            jfif_ = true;
        } else if (marker == 0xe1 && begins("Exif\0\0"sv, 6)) {
            if (!orientation_) orientation_ = exif_orientation(content.subspan(6));
        } else if (marker == 0xee && begins("Adobe"sv, 12)) {
            adobe_transform_ = content[11];
        } else if ((marker > 0xc2 && marker <= 0xcf) || marker == 0xde || marker == 0xdf) {
            fail("lossless, hierarchical and arithmetically coded pictures are not supported (marker ", marker, ")");
        }
    }

    void read_frame(Bytes content, bool progressive) {
        if (!frame_.components.empty()) fail("there are two frames");
        if (content.size() < 6) fail("the frame header has ", content.size(), " bytes");
        const std::size_t components = content[5];
        if (content[0] != 8) fail("expected samples of 8 bits, found ", int{content[0]});
        frame_.height = big16(content, 1);
        frame_.width = big16(content, 3);
        frame_.progressive = progressive;
        check_picture_size(frame_.width, frame_.height, options_, where_);
        if (components != 1 && components != 3 && components != 4)
            fail("expected 1, 3 or 4 components, found ", components);
        if (content.size() != 6 + 3 * components) fail("the frame header has ", content.size(), " bytes");
        std::array<Index, 4> across{}, down{};
        for (std::size_t i = 0; i < components; ++i) {
            across[i] = content[7 + 3 * i] >> 4;
            down[i] = content[7 + 3 * i] & 15;
            if (across[i] < 1 || across[i] > 4 || down[i] < 1 || down[i] > 4)
                fail("a sampling factor of ", across[i], "×", down[i], " does not exist");
            frame_.most_across = std::max(frame_.most_across, across[i]);
            frame_.most_down = std::max(frame_.most_down, down[i]);
        }
        if (components == 1) {  // nothing to be coarser than
            frame_.most_across = across[0] = 1;
            frame_.most_down = down[0] = 1;
        }
        for (std::size_t i = 0; i < components; ++i) {
            if (frame_.most_across % across[i] != 0 || frame_.most_down % down[i] != 0)
                fail("sampling factors of ", across[i], "×", down[i], " among ", frame_.most_across, "×",
                     frame_.most_down, " are not supported");
            JpegComponent& component = frame_.components.emplace_back();
            component.id = content[6 + 3 * i];
            component.quantisation = content[8 + 3 * i];
            if (component.quantisation > 3) fail("there is no quantisation table ", component.quantisation);
            component.across = frame_.most_across / across[i];
            component.down = frame_.most_down / down[i];
            component.width = (frame_.width + component.across - 1) / component.across;
            component.height = (frame_.height + component.down - 1) / component.down;
            component.columns = frame_.mcu_columns() * across[i];
            component.rows = frame_.mcu_rows() * down[i];
        }
        // Each block that is shown has a code for its mean at least, of one bit at least.
        Index shown = 0;
        for (const JpegComponent& c : frame_.components) shown += ((c.width + 7) / 8) * ((c.height + 7) / 8);
        if (shown > 8 * static_cast<Index>(file_.size()))
            fail("the header claims ", frame_.width, "×", frame_.height, " pixels, ", file_.size(),
                 " bytes cannot hold them");
        for (JpegComponent& component : frame_.components) {
            const Index blocks = component.rows * component.columns;
            component.samples = Buffer<unsigned char>(64 * blocks);
            if (!progressive) continue;
            component.coefficients = Buffer<JpegBlock>(blocks);
            std::fill_n(component.coefficients.data(), blocks, JpegBlock{});
        }
    }

    void read_codes(Bytes content) {
        while (!content.empty()) {
            if (content.size() < 17) fail("a table of codes is cut");
            const std::size_t kind = content[0] >> 4, number = content[0] & 15;
            std::size_t symbols = 0;
            for (std::size_t i = 1; i <= 16; ++i) symbols += content[i];
            if (kind > 1 || number > 3) fail("there is no table of codes ", int{content[0]});
            if (symbols > 256 || content.size() < 17 + symbols) fail("a table of ", symbols, " codes does not fit");
            if (!codes_[kind][number].build(content.subspan(1, 16), content.subspan(17, symbols)))
                fail("the lengths of codes contradict each other");
            content = content.subspan(17 + symbols);
        }
    }

    void read_quantisation(Bytes content) {
        while (!content.empty()) {
            const std::size_t bytes = (content[0] >> 4) + 1u, number = content[0] & 15;
            if (bytes > 2 || number > 3) fail("there is no quantisation table ", int{content[0]});
            if (content.size() < 1 + 64 * bytes) fail("a quantisation table is cut");
            auto& table = quantisation_[number].emplace();
            for (std::size_t i = 0; i < 64; ++i)
                table[jpeg_zigzag[i]] =
                    static_cast<std::uint16_t>(bytes == 2 ? big16(content, 1 + 2 * i) : content[1 + i]);
            content = content.subspan(1 + 64 * bytes);
        }
    }

    std::size_t read_scan(Bytes content, std::size_t at) {
        constexpr int most_scans = 1000;  // a progressive file needs about ten; each costs time for the whole picture
        if (frame_.components.empty()) fail("there is a scan before the frame");
        if (++scans_ > most_scans) fail("there are more than ", most_scans, " scans");
        const std::size_t count = content.empty() ? 0 : content[0];
        if (count < 1 || count > frame_.components.size() || content.size() != 4 + 2 * count)
            fail("a scan of ", count, " components does not fit");
        JpegScan scan;
        const Bytes range = content.subspan(1 + 2 * count);
        const int high = range[2] >> 4;
        scan.first = frame_.progressive ? range[0] : 0;
        scan.last = frame_.progressive ? range[1] : 63;
        scan.shift = frame_.progressive ? range[2] & 15 : 0;
        scan.refines = frame_.progressive && high != 0;
        if (frame_.progressive) {
            const bool dc = scan.first == 0 && scan.last == 0;
            const bool ac = scan.first > 0 && scan.first <= scan.last && scan.last <= 63 && count == 1;
            if ((!dc && !ac) || scan.shift > 13 || (scan.refines && high != scan.shift + 1))
                fail("there is no scan of coefficients ", scan.first, " to ", scan.last, ", bits ", high, " to ",
                     scan.shift);
        }
        for (std::size_t i = 0; i < count; ++i) {
            const int id = content[1 + 2 * i];
            const std::size_t dc = content[2 + 2 * i] >> 4, ac = content[2 + 2 * i] & 15;
            const auto component = std::find_if(frame_.components.begin(), frame_.components.end(),
                                                [&](const JpegComponent& c) { return c.id == id; });
            if (component == frame_.components.end()) fail("a scan names component ", id, ", which does not exist");
            for (const JpegScanComponent& other : scan.components)
                if (other.component == &*component) fail("a scan names component ", id, " twice");
            if (dc > 3 || ac > 3) fail("there is no table of codes ", std::max(dc, ac));
            const bool needs_dc = scan.first == 0 && !scan.refines, needs_ac = scan.last > 0;
            if ((needs_dc && !codes_[0][dc].defined()) || (needs_ac && !codes_[1][ac].defined()))
                fail("a table of codes is missing");
            if (!component->begun) {
                const auto& table = quantisation_[static_cast<std::size_t>(component->quantisation)];
                if (!table) fail("the quantisation table ", component->quantisation, " is missing");
                component->steps = *table;
                component->begun = true;
                if (!needs_dc) fail("component ", id, " begins with something else than its means");
            }
            scan.components.push_back({&*component, &codes_[0][dc], &codes_[1][ac]});
        }
        return scan.decode(file_, at, frame_, restart_interval_, [&](const auto&... parts) { fail(parts...); });
    }

    Image picture() {
        if (frame_.components.empty()) fail("there is no picture");
        for (JpegComponent& component : frame_.components) {
            if (!component.begun) fail("component ", component.id, " is missing");
            if (!frame_.progressive) continue;
            for (Index y = 0; y < component.rows; ++y)
                for (Index x = 0; x < component.columns; ++x)
                    jpeg_samples(component.coefficients[y * component.columns + x], component.steps,
                                 component.samples.data() + y * 8 * component.stride() + x * 8, component.stride());
        }
        Image out = jpeg_picture(frame_, colours());
        const Orientation orientation = orientation_.value_or(Orientation::top_left);
        return options_.turn_upright ? turn_upright(std::move(out), orientation) : out;
    }

    /// JPEG does not say what its components mean; this is how libjpeg guesses.
    JpegColours colours() const {
        const auto& c = frame_.components;
        if (c.size() == 1) return JpegColours::gray;
        if (c.size() == 4) return adobe_transform_.value_or(0) == 0 ? JpegColours::cmyk : JpegColours::ycck;
        if (jfif_) return JpegColours::ycc;
        if (adobe_transform_) return *adobe_transform_ == 0 ? JpegColours::rgb : JpegColours::ycc;
        return c[0].id == 'R' && c[1].id == 'G' && c[2].id == 'B' ? JpegColours::rgb : JpegColours::ycc;
    }

    Bytes file_;
    std::string_view where_;
    const ReadOptions& options_;
    JpegFrame frame_;
    std::array<std::array<JpegHuffman, 4>, 2> codes_;  // for means, for the rest
    std::array<std::optional<std::array<std::uint16_t, 64>>, 4> quantisation_;
    Index restart_interval_ = 0;
    int scans_ = 0;
    bool jfif_ = false;
    std::optional<int> adobe_transform_;
    std::optional<Orientation> orientation_;
};

/// Reads a baseline or progressive JPEG file of 8 bits a sample: gray, colour or CMYK.
/// shape   → [height, width, 3]
/// errors  Errc::image_decode, Errc::image_size name `where` and what is wrong
/// cost    memory for the samples and the picture; progressive files twice the samples more
/// source  ITU T.81, JFIF 1.02; libjpeg-turbo 3 for rounding
inline Image read_jpeg(Bytes file, std::string_view where, const ReadOptions& options) {
    return JpegReader(file, where, options).read();
}

}  // namespace tessera
