// JPEG: the segments are checked here, and stb_image decodes those that pixels are made of. decode_exact.hpp takes the same
// segments to libjpeg-turbo.
#pragma once
#include <algorithm>
#include <array>
#include <initializer_list>
#include <optional>
#include <string_view>
#include <tessera/image/bytes.hpp>
#include <tessera/image/decode_options.hpp>
#include <tessera/image/image.hpp>
#include <tessera/image/orientation.hpp>
#include <tessera/image/stb_image.hpp>
#include <vector>

namespace tessera::inline TESSERA_ISA::detail {

inline bool is_jpeg(Bytes file) { return has(file, 0, "\xff\xd8\xff"); }

/// A JPEG file taken apart, and what a decoder needs of it put together again. Left out are descriptions, and what decoders
/// stumble over though all pixels are there: stray bytes between segments, which ordinary editors and cameras leave, and
/// numbers that nobody heeds.
/// source  ITU-T T.81, annex B
class JpegFile {
  public:
    Index width = 0, height = 0;
    bool arithmetic = false;      // coded in a way that stb_image does not know
    bool tables_complete = true;  // each scan has the tables it names
    Orientation orientation = Orientation::top_left;
    std::vector<unsigned char> essence;

    bool has_inks() const { return components_.size() == 4; }

    /// errors  Errc::image_decode, Errc::image_size where a segment is cut or contradicts another, where there is no end
    ///         marker, and where there are more than 500 scans: each costs time for the whole picture
    JpegFile(Bytes file, std::string_view where, const DecodeOptions& options) : file_(file), fail_{where, "JPEG"} {
        std::optional<Orientation> exif, xmp;
        std::optional<unsigned char> adobe;
        bool jfif = false;
        for (int marker = next_marker(); marker != 0xd9; marker = next_marker()) {
            if ((marker >= 0xd0 && marker <= 0xd7) || marker == 0x01) continue;  // a marker alone
            if (marker == 0xd8) fail_("there are two start markers");
            expect(2);
            const std::size_t length = big16(file_, at_);
            if (length < 2) fail_("the segment at byte ", at_ - 2, " has a length of ", length);
            expect(length);
            const Bytes content = file_.subspan(at_ + 2, length - 2);
            at_ += length;
            constexpr std::string_view xmp_name("http://ns.adobe.com/xap/1.0/\0", 29);
            switch (marker) {
                case 0xe0:
                    jfif = jfif || (content.size() >= 14 && has(content, 0, std::string_view("JFIF\0", 5)));
                    break;
                case 0xe1:
                    if (!exif && has(content, 0, std::string_view("Exif\0\0", 6))) exif = exif_orientation(content);
                    if (has(content, 0, xmp_name)) xmp = xmp_orientation(text_of(content).substr(xmp_name.size()));
                    break;
                case 0xee:
                    if (content.size() >= 12 && has(content, 0, "Adobe")) adobe = content[11];
                    break;
                case 0xc4:
                    read_huffman_tables(content);
                    keep(marker, content);
                    break;
                case 0xdb:
                    read_quantisation_tables(content);
                    keep(marker, content);
                    break;
                case 0xcc:  // of arithmetic coding
                case 0xdd:  // the interval of restarts
                    keep(marker, content);
                    break;
                case 0xda:
                    read_scan(content);
                    break;
                default:
                    if (marker >= 0xc0 && marker <= 0xcf && marker != 0xc8) {
                        read_frame(marker, content, options);
                        keep(marker, content);
                    }
            }
        }
        if (scans_ == 0) fail_("there is no picture");
        for (const Component& c : components_)
            if (!c.coded) fail_("there is no data for component ", int{c.id});
        finish(jfif, adobe);
        orientation = exif ? *exif : xmp.value_or(Orientation::top_left);
    }

  private:
    struct Component {
        unsigned char id, quantisation;
        bool coded = false;
    };

    void expect(std::size_t bytes) const {
        if (file_.size() - at_ < bytes) fail_("the file is cut in the segment at byte ", at_ - 2, " of ", file_.size());
    }

    /// Whether a marker lies at `at`: 0xff and what is neither a byte of data nor one to fill up.
    bool is_marker(std::size_t at) const { return file_[at] == 0xff && file_[at + 1] != 0 && file_[at + 1] != 0xff; }

    int next_marker() {
        while (at_ + 1 < file_.size() && !is_marker(at_)) ++at_;
        if (at_ + 1 >= file_.size()) fail_("the file is cut: there is no end marker in ", file_.size(), " bytes");
        at_ += 2;
        return file_[at_ - 1];
    }

    void keep(int marker, Bytes content) {
        const std::size_t length = content.size() + 2;
        for (const std::size_t byte : {std::size_t{0xff}, static_cast<std::size_t>(marker), length >> 8, length})
            essence.push_back(static_cast<unsigned char>(byte));
        essence.insert(essence.end(), content.begin(), content.end());
    }

    void read_huffman_tables(Bytes content) {
        while (!content.empty()) {
            std::size_t codes = 0;
            for (std::size_t i = 1; i < std::min<std::size_t>(17, content.size()); ++i) codes += content[i];
            const std::size_t which = content[0] & 0x0f, kind = content[0] >> 4;  // 0: DC, 1: AC
            if (content.size() < 17 + codes || codes > 256 || which > 3 || kind > 1)
                fail_("the Huffman table ", int{content[0]}, " of ", codes, " codes is not known, or is cut");
            huffman_[kind][which] = true;
            content = content.subspan(17 + codes);
        }
    }

    void read_quantisation_tables(Bytes content) {
        while (!content.empty()) {
            const std::size_t which = content[0] & 0x0f, bytes = content[0] >> 4;
            if (which > 3 || bytes > 1 || content.size() < 1 + 64 * (1 + bytes))
                fail_("the quantisation table ", int{content[0]}, " is not known, or is cut");
            quantisation_[which] = true;
            content = content.subspan(1 + 64 * (1 + bytes));
        }
    }

    void read_frame(int marker, Bytes content, const DecodeOptions& options) {
        if (!components_.empty()) fail_("there are two frames (SOF)");
        arithmetic = marker == 0xc9 || marker == 0xca;
        progressive_ = marker == 0xc2 || marker == 0xca;
        if (marker > 0xc2 && !arithmetic)
            fail_("lossless and hierarchical coding (SOF", marker - 0xc0, ") is not known");
        if (content.size() < 6) fail_("the frame is cut");
        if (content[0] != 8) fail_("expected 8 bits a sample, found ", int{content[0]});
        height = big16(content, 1);
        width = big16(content, 3);
        check_picture_size(width, height, options, fail_.where);
        const std::size_t count = content[5];
        if (count != 1 && count != 3 && count != 4) fail_("expected 1, 3 or 4 components, found ", count);
        if (content.size() != 6 + 3 * count)
            fail_("the frame has ", content.size(), " bytes for ", count, " components");
        for (std::size_t i = 0; i < count; ++i) {
            const Bytes of = content.subspan(6 + 3 * i, 3);
            const int across = of[1] >> 4, down = of[1] & 15;
            if (across < 1 || across > 4 || down < 1 || down > 4) fail_("there is no sampling ", across, "×", down);
            if (of[2] > 3) fail_("there is no quantisation table ", int{of[2]});
            components_.push_back({of[0], of[2]});
        }
        // Each block of 8×8 pixels has a code of one bit at least.
        const Index blocks = ((width + 7) / 8) * ((height + 7) / 8);
        if (blocks > 8 * static_cast<Index>(file_.size())) fail_.too_short(width, height, file_);
    }

    void read_scan(Bytes content) {
        if (++scans_ > 500) fail_("there are more than 500 scans");
        const std::size_t count = content.empty() ? 0 : content[0];
        if (count < 1 || count > components_.size() || content.size() != 4 + 2 * count)
            fail_("a scan of ", count, " components has ", content.size(), " bytes, of a frame of ",
                  components_.size());
        std::vector<unsigned char> scan(content.begin(), content.end());
        unsigned char* spectrum = scan.data() + 1 + 2 * count;  // from, to, bits before, bits after
        if (!progressive_) std::copy_n(std::array<unsigned char, 3>{0, 63, 0}.data(), 3, spectrum);  // all there is
        const bool dc = spectrum[0] == 0 && spectrum[2] >> 4 == 0, ac = spectrum[1] > 0;
        for (std::size_t i = 0; i < count; ++i) {
            const auto component = std::find_if(components_.begin(), components_.end(),
                                                [&](const Component& c) { return c.id == scan[1 + 2 * i]; });
            if (component == components_.end()) fail_("there is no component ", int{scan[1 + 2 * i]});
            const std::size_t tables = scan[2 + 2 * i];
            component->coded = component->coded || dc;
            const auto known = [&](std::size_t kind, std::size_t which) { return which < 4 && huffman_[kind][which]; };
            if (!quantisation_[component->quantisation] ||
                (!arithmetic && ((dc && !known(0, tables >> 4)) || (ac && !known(1, tables & 15)))))
                tables_complete = false;
        }
        keep(0xda, scan);
        std::size_t end = at_;
        while (end + 1 < file_.size() && (!is_marker(end) || (file_[end + 1] >= 0xd0 && file_[end + 1] <= 0xd7))) ++end;
        essence.insert(essence.end(), file_.data() + at_, file_.data() + end);
        at_ = end;
    }

    /// Puts what tells the colours in front, in words that every decoder understands: inks where there are four components.
    void finish(bool jfif, std::optional<unsigned char> adobe) {
        std::vector<unsigned char> begin{0xff, 0xd8};
        if (jfif) begin.insert(begin.end(), {0xff, 0xe0, 0, 16, 'J', 'F', 'I', 'F', 0, 1, 1, 0, 0, 1, 0, 1, 0, 0});
        if (adobe || has_inks()) {
            const unsigned char other = has_inks() ? 2 : 1;
            const unsigned char transform = adobe.value_or(0) == 0 ? 0 : other;
            begin.insert(begin.end(), {0xff, 0xee, 0, 14, 'A', 'd', 'o', 'b', 'e', 0, 100, 0, 0, 0, 0, transform});
        }
        essence.insert(essence.begin(), begin.begin(), begin.end());
        essence.insert(essence.end(), {0xff, 0xd9});
    }

    Bytes file_;
    Complaint fail_;
    std::size_t at_ = 2;
    int scans_ = 0;
    bool progressive_ = false;
    std::vector<Component> components_;
    std::array<std::array<bool, 4>, 2> huffman_{};
    std::array<bool, 4> quantisation_{};
};

/// Decodes a JPEG file of 8 bits a sample: gray, colour or CMYK, baseline or progressive.
/// shape   → [height, width, 3]
/// units   within 3 of the bytes that Pillow gives; up to 34 in the last two columns where chroma is halved across but not down,
///         and in pictures of at most 4 columns
/// errors  Errc::image_decode, Errc::image_size name `where` and what is wrong. What is missing in front of an end marker is
///         gray: only decode_exact notices
/// cost    memory for the file and twice the picture; progressive files their coefficients in addition
inline Image decode_jpeg(Bytes file, std::string_view where, const DecodeOptions& options) {
    const Complaint fail{where, "JPEG"};
    const JpegFile jpeg(file, where, options);
    if (jpeg.arithmetic) fail("arithmetic coding is read by decode_exact only");
    if (!jpeg.tables_complete) fail("a scan names a table that is not there");
    const auto samples = stb::decode<unsigned char>(jpeg.essence, 3, fail);
    Image out(jpeg.height, jpeg.width);
    std::copy_n(samples.get(), out.pixels.size(), out.pixels.data());
    return options.turn_upright ? turn_upright(std::move(out), jpeg.orientation) : out;
}

}  // namespace tessera::inline TESSERA_ISA::detail
