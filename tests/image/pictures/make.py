#!/usr/bin/env python3
"""Makes the small pictures of this folder, in formats that tests/golden/images has not, and what Pillow makes of them.

    python3 -m venv /tmp/pictures && /tmp/pictures/bin/pip install pillow==13.0.0 numpy simplejpeg
    /tmp/pictures/bin/python tests/image/pictures/make.py

expected.safetensors: NAME.rgb as Pillow's convert("RGB") gives it, NAME.over_white where there is transparency, NAME.upright where
there is an orientation.
"""
import io
import json
import pathlib
import struct
import zlib

import numpy as np
import simplejpeg
from PIL import Image, ImageOps, PngImagePlugin

HERE = pathlib.Path(__file__).resolve().parent
rng = np.random.default_rng(1)


def waves(width, height, channels=3, top=255):
    """Smooth areas, an edge and a little noise; values 0 to `top`."""
    y, x = np.mgrid[0:height, 0:width]
    out = np.empty((height, width, channels))
    for c in range(channels):
        out[..., c] = 0.5 + 0.4 * np.sin(x / (2 + 2 * c) + c) * np.cos(y / (5 - c))
    out[height // 3 : height // 2, width // 4 : width // 2] = rng.random(channels)
    return np.clip((out + rng.normal(0, 0.03, out.shape)) * top, 0, top).round().astype(int)


# ------------------------------------------------------------------------------------------------------------------ PNG


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def packed(samples, depth):
    """The bytes of each row of [height, width, channels]."""
    for row in samples.reshape(samples.shape[0], -1):
        if depth == 16:
            yield np.frombuffer(row.astype(">u2").tobytes(), np.uint8)
        elif depth == 8:
            yield row.astype(np.uint8)
        else:
            yield np.packbits((row[:, None] >> np.arange(depth)[::-1] & 1).astype(np.uint8).ravel())


def filtered(rows, pixel):
    """Each row behind a filter of its own: 0, 1, 2, 3, 4, 0, ..."""
    above = None
    for number, row in enumerate(rows):
        row = row.astype(int)
        above = np.zeros_like(row) if above is None else above
        shift = lambda a: np.concatenate([np.zeros(pixel, int), a])[: len(a)]
        left, corner = shift(row), shift(above)
        guess = left + above - corner
        near = [abs(guess - a) for a in (left, above, corner)]
        paeth = np.where((near[0] <= near[1]) & (near[0] <= near[2]), left, np.where(near[1] <= near[2], above, corner))
        taken = [0, left, above, (left + above) // 2, paeth][number % 5]
        yield bytes([number % 5]) + ((row - taken) % 256).astype(np.uint8).tobytes()
        above = row


ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def png(name, samples, depth, colour, interlaced=False, extra=b"", strategy=zlib.Z_DEFAULT_STRATEGY, parts=1):
    height, width, channels = samples.shape
    pixel = max(1, channels * depth // 8)
    passes = [samples[y::dy, x::dx] for x, y, dx, dy in ADAM7] if interlaced else [samples]
    rows = b"".join(b"".join(filtered(packed(p, depth), pixel)) for p in passes if p.size)
    packer = zlib.compressobj(9, zlib.DEFLATED, 15, 9, strategy)
    data = packer.compress(rows) + packer.flush()
    cuts = [len(data) * i // parts for i in range(parts + 1)]
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced)
    save(name + ".png", b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra
         + b"".join(chunk(b"IDAT", data[a:b]) for a, b in zip(cuts, cuts[1:])) + chunk(b"IEND", b""))


def pngs():
    for colour, kind, channels, depths in [(0, "gray", 1, (1, 2, 4, 8, 16)), (2, "rgb", 3, (8, 16)), (3, "palette", 1, (1, 2, 4, 8)),
                                           (4, "gray_alpha", 2, (8, 16)), (6, "rgb_alpha", 4, (8, 16))]:
        for depth in depths:
            samples = waves(21, 13, channels, (1 << depth) - 1)
            colours = rng.integers(0, 256, (1 << min(depth, 8), 3)).astype(np.uint8)
            extra = chunk(b"PLTE", colours.tobytes()) if colour == 3 else b""
            png(f"{kind}_{depth}", samples, depth, colour, extra=extra)
            png(f"{kind}_{depth}_interlaced", samples, depth, colour, True, extra, parts=3)
    png("gray_16_dark", waves(9, 7, 1, 400), 16, 0)
    samples = waves(20, 9)
    samples[:4, :7] = samples[0, 0]
    png("rgb_8_transparent", samples, 8, 2, extra=chunk(b"tRNS", struct.pack(">HHH", *samples[0, 0])))
    png("gray_8_transparent", samples[..., :1], 8, 0, extra=chunk(b"tRNS", struct.pack(">H", samples[0, 0, 0])))
    png("palette_4_transparent", waves(11, 8, 1, 15), 4, 3,
        extra=chunk(b"PLTE", bytes(range(48))) + chunk(b"tRNS", bytes(range(0, 160, 16))))
    for x, y in (1, 1), (2, 3), (5, 1), (1, 9), (8, 8):
        png(f"interlaced_{x}x{y}", waves(x, y), 8, 2, True)
    png("fixed_codes", waves(30, 20), 8, 2, strategy=zlib.Z_FIXED)
    png("no_matches", waves(30, 20), 8, 2, strategy=zlib.Z_HUFFMAN_ONLY)
    png("runs", waves(30, 20) // 90 * 90, 8, 2, strategy=zlib.Z_RLE)


# ----------------------------------------------------------------------------------------------------------------- JPEG


def jpegs():
    def pillow(name, array, mode="RGB", **options):
        Image.fromarray((array[..., 0] if mode == "L" else array).astype(np.uint8), mode).save(HERE / f"{name}.jpg", **options)

    for subsampling, kind in enumerate(("444", "422", "420")):
        pillow(f"baseline_{kind}", waves(45, 35), quality=80, subsampling=subsampling)
        pillow(f"progressive_{kind}", waves(35, 45), quality=60, subsampling=subsampling, progressive=True)
    for kind in "440", "411":
        save(f"baseline_{kind}.jpg", simplejpeg.encode_jpeg(waves(37, 29).astype(np.uint8), 75, "RGB", kind))
    for x, y in (1, 1), (2, 2), (3, 5), (4, 1), (1, 4), (5, 17), (17, 16):
        pillow(f"baseline_{x}x{y}", waves(x, y), quality=90, subsampling=2)
    pillow("restarts", waves(50, 40), quality=70, restart_marker_blocks=2)
    pillow("restarts_progressive", waves(50, 40), quality=70, restart_marker_rows=1, progressive=True)
    pillow("gray_progressive", waves(33, 21, 1), "L", quality=50, progressive=True)
    pillow("rgb", waves(33, 21), quality=90, keep_rgb=True, subsampling=0)
    pillow("cmyk", waves(33, 21, 4), "CMYK", quality=85)
    pillow("coarse", waves(40, 30), quality=3)  # far overshoots, clipped
    noise = rng.integers(0, 2, (32, 32, 3)) * 255
    pillow("noise", noise, quality=100, subsampling=0)


# ------------------------------------------------------------------------------------------------------------------ BMP


def bmps():
    colour = Image.fromarray(waves(19, 11).astype(np.uint8))
    for name, image in (("bits_1", colour.convert("1")), ("gray_8", colour.convert("L")), ("palette_8", colour.quantize(50)),
                        ("rgb_24", colour), ("alpha_32", Image.fromarray(waves(19, 11, 4).astype(np.uint8)))):
        image.save(HERE / f"{name}.bmp")

    def bmp(name, header, pixels, behind=b""):
        offset = 14 + len(header) + len(behind)
        save(f"{name}.bmp", b"BM" + struct.pack("<IHHI", offset + len(pixels), 0, 0, offset) + header + behind + pixels)

    info = lambda size, w, h, depth, packing: struct.pack("<IiiHHIIiiII", size, w, h, 1, depth, packing, 0, 0, 0, 0, 0)
    noise = lambda size: rng.integers(0, 256, size).astype(np.uint8).tobytes()
    bmp("masks_none_16", info(40, 7, 5, 16, 0), noise(5 * 16))
    bmp("masks_565_16", info(40, 7, -5, 16, 3), noise(5 * 16), struct.pack("<III", 0xF800, 0x7E0, 0x1F))
    bmp("masks_none_32", info(40, 7, 5, 32, 0), noise(5 * 28))
    masks = struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    bmp("masks_alpha_32", info(56, 7, 5, 32, 3) + masks, noise(5 * 28))
    bmp("masks_alpha_32_v4", info(108, 7, -5, 32, 3) + masks + bytes(52), noise(5 * 28))
    bmp("palette_4", info(40, 7, 5, 4, 0), noise(5 * 4), noise(64))
    bmp("palette_8_old", struct.pack("<IHHHH", 12, 7, 5, 1, 8), noise(5 * 8), noise(768))


# ------------------------------------------------------------------------------------------------------------------ GIF


def lzw(indices, bits, clears=True):
    """The strings of GIF. Without `clears` the table is full at the end and used on."""
    clear = 1 << bits
    out, used, table, width = 0, 0, {(i,): i for i in range(clear)}, bits + 1

    def put(code):
        nonlocal out, used
        out |= code << used
        used += width

    put(clear)
    string = ()
    for index in indices:
        if string + (index,) in table:
            string += (index,)
            continue
        put(table[string])
        following = len(table) + 2
        if following < 4096:
            table[string + (index,)] = following
            width = max(width, following.bit_length())
        elif clears:
            put(clear)
            table, width = {(i,): i for i in range(clear)}, bits + 1
        string = (index,)
    put(table[string])
    put(clear + 1)
    data = out.to_bytes((used + 7) // 8, "little")
    blocks = [data[i : i + 255] for i in range(0, len(data), 255)]
    return bytes([bits]) + b"".join(bytes([len(b)]) + b for b in blocks) + b"\0"


def gifs():
    colour = Image.fromarray(waves(27, 19).astype(np.uint8))
    colour.quantize(20).save(HERE / "palette_interlaced.gif", interlace=1)
    colour.quantize(20).save(HERE / "palette_transparent.gif", transparency=3, interlace=0)
    frames = [colour.quantize(32), ImageOps.mirror(colour).quantize(32)]
    frames[0].save(HERE / "two_frames.gif", save_all=True, append_images=frames[1:], duration=100)

    def gif(name, screen, frame, indices, bits, palette=b"", transparent=None, local=False, **options):
        flags = 0x80 | (len(palette) // 3).bit_length() - 2 if palette else 0
        control = b"" if transparent is None else b"!\xf9\x04\x01\0\0" + bytes([transparent]) + b"\0"
        save(name + ".gif", b"GIF89a" + struct.pack("<HHBBB", *screen, 0 if local else flags, 2, 0) + (b"" if local else palette)
             + control + b"," + struct.pack("<HHHHB", *frame, flags if local else 0) + (palette if local else b"")
             + lzw(indices, bits, **options) + b";")

    four = bytes([10, 20, 30, 40, 50, 60, 70, 80, 90, 200, 210, 220])
    indices = lambda size, colours: rng.integers(0, colours, size).tolist()
    gif("offset", (9, 7), (2, 3, 4, 3), indices(12, 4), 2, four)
    gif("offset_transparent", (9, 7), (2, 3, 4, 3), indices(12, 4), 2, four, transparent=3)
    gif("larger_than_screen", (2, 2), (1, 1, 4, 3), indices(12, 4), 2, four, local=True)
    gif("no_palette", (5, 4), (0, 0, 5, 4), indices(20, 8), 3)
    gif("short_palette", (5, 4), (0, 0, 5, 4), indices(20, 8), 3, four)
    gif("clears", (80, 70), (0, 0, 80, 70), indices(5600, 256), 8, bytes(range(256)) * 3)
    gif("full_table", (80, 70), (0, 0, 80, 70), indices(5600, 256), 8, bytes(range(256)) * 3, clears=False)
    gif("runs", (40, 10), (0, 0, 40, 10), [i // 130 % 2 for i in range(400)], 2, four)


# ------------------------------------------------------------------------------------------------------------ TGA and PNM


def tgas():
    for mode, channels in ("L", 1), ("LA", 2), ("RGB", 3), ("RGBA", 4):
        image = Image.fromarray(waves(19, 11, channels).astype(np.uint8).squeeze(), mode)
        image.save(HERE / f"{mode.lower()}.tga")
        Image.fromarray(np.repeat(np.array(image), 3, axis=1), mode).save(HERE / f"{mode.lower()}_runs.tga", compression="tga_rle")
    Image.fromarray(waves(19, 11).astype(np.uint8)).quantize(20).save(HERE / "palette.tga")

    def tga(name, kind, depth, pixels, flags=0, map=(0, 0, 0), palette=b"", comment=b""):
        save(name + ".tga", struct.pack("<BBBHHBHHHHBB", len(comment), bool(palette), kind, *map, 0, 0, 7, 5, depth, flags)
             + comment + palette + pixels)

    noise = lambda size: rng.integers(0, 256, size).astype(np.uint8).tobytes()
    tga("bits_16", 2, 16, noise(70))
    tga("from_top", 2, 24, noise(105), flags=0x20, comment=b"a comment")
    tga("from_right", 2, 24, noise(105), flags=0x10)
    tga("palette_from_3", 1, 8, rng.integers(3, 7, 35).astype(np.uint8).tobytes(), map=(3, 4, 24), palette=noise(12))
    tga("palette_16", 1, 8, rng.integers(0, 4, 35).astype(np.uint8).tobytes(), map=(0, 4, 16), palette=noise(8))


def pnms():
    colour = waves(11, 7)
    save("colour.ppm", b"P6 11 7 255\n" + colour.astype(np.uint8).tobytes())
    save("gray.pgm", b"P5\n# a comment\n11 # another\n7\n255\n" + colour[..., 0].astype(np.uint8).tobytes())
    save("most_100.ppm", b"P6\n11 7\n100\n" + rng.integers(0, 130, 231).astype(np.uint8).tobytes())
    save("most_7.pgm", b"P5\n11 7\n7\n" + rng.integers(0, 8, 77).astype(np.uint8).tobytes())
    for name, kind, samples in ("deep.ppm", b"P6", 231), ("deep.pgm", b"P5", 77):
        save(name, kind + b"\n11 7\n65535\n" + rng.integers(0, 600, samples).astype(">u2").tobytes())
        save("most_1000_" + name, kind + b"\n11 7\n1000\n" + rng.integers(0, 1001, samples).astype(">u2").tobytes())


# ----------------------------------------------------------------------------------------------------------------- WebP


def webps():
    colour, alpha = Image.fromarray(waves(23, 17).astype(np.uint8)), Image.fromarray(waves(23, 17, 4).astype(np.uint8))
    colour.save(HERE / "lossy.webp", quality=80)
    alpha.save(HERE / "alpha.webp", lossless=True, exact=True)
    colour.save(HERE / "exif_6.webp", lossless=True, exif=orientation(6))
    colour.save(HERE / "xmp_8.webp", lossless=True, xmp=xmp(8))
    alpha.save(HERE / "animation.webp", save_all=True, append_images=[ImageOps.mirror(alpha)], lossless=True)


# --------------------------------------------------------------------------- what decoders warn of, though all pixels are there


def orientation(value):
    exif = Image.Exif()
    exif[0x0112] = value
    return exif


def xmp(value, attribute=True):
    inner = f' tiff:Orientation="{value}"/>' if attribute else f"><tiff:Orientation>{value}</tiff:Orientation></rdf:Description>"
    return ('<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
            f'<rdf:Description rdf:about="" xmlns:tiff="http://ns.adobe.com/tiff/1.0/"{inner}</rdf:RDF></x:xmpmeta>').encode()


def oddities():
    picture = Image.fromarray(waves(27, 19).astype(np.uint8))

    def jpeg(image=picture, **options):
        data = io.BytesIO()
        image.save(data, "JPEG", quality=90, **options)
        return data.getvalue()

    def before(data, marker, junk):
        at = data.index(bytes([0xFF, marker]))
        return data[:at] + junk + data[at:]

    plain = jpeg()
    for name, marker, junk in (("dqt", 0xDB, b"\0\x11\x22\x33\x44"), ("dht", 0xC4, b"\1" * 29), ("sos", 0xDA, b"\xff\0\xff\xff")):
        save(f"junk_before_{name}.jpg", before(plain, marker, junk))  # as ordinary editors and cameras leave it
    no_jfif = plain[:2] + plain[20:]
    adobe = lambda transform: b"\xff\xee\0\x0eAdobe\0\x64\0\0\0\0" + bytes([transform])
    save("adobe_transform_2.jpg", no_jfif[:2] + adobe(2) + no_jfif[2:])
    save("jfif_3.jpg", plain[:11] + b"\3" + plain[12:])
    cmyk = jpeg(Image.fromarray(waves(27, 19, 4).astype(np.uint8), "CMYK"))
    at = cmyk.index(b"\xff\xee")
    save("cmyk_without_adobe.jpg", cmyk[:at] + cmyk[at + 16 :])
    at = plain.index(b"\xff\xda")
    save("spectrum.jpg", plain[: at + 11] + b"\0\0\x10" + plain[at + 14 :])  # numbers of the scan that mean nothing here
    save("trailing.jpg", plain + b"more")
    save("exif_6.jpg", jpeg(exif=orientation(6)))
    save("xmp_7.jpg", jpeg(xmp=xmp(7)))
    save("exif_3_xmp_6.jpg", jpeg(exif=orientation(3), xmp=xmp(6, False)))

    def text(name, **options):
        info = PngImagePlugin.PngInfo()
        for key, (kind, value, packed) in options.items():
            key = {"xmp": "XML:com.adobe.xmp", "exif": "Raw profile type exif"}.get(key, key)
            getattr(info, f"add_{kind}")(key, value, zip=packed)
        picture.save(HERE / f"{name}.png", pnginfo=info)

    raw = orientation(6).tobytes()
    lines = [raw.hex()[i : i + 72] for i in range(0, 2 * len(raw), 72)]
    profile = f"\nexif\n{len(raw):8d}\n" + "\n".join(lines) + "\n"
    text("xmp_6", xmp=("itxt", xmp(6).decode(), False))
    text("xmp_8_packed", Comment=("text", "of no importance", False), xmp=("itxt", xmp(8, False).decode(), True))
    text("raw_profile_6", exif=("text", profile, True))
    text("raw_profile_6_plain", exif=("text", profile, False))
    picture.save(HERE / "exif_5.png", exif=orientation(5))
    png("trns_out_of_range_1", np.arange(64).reshape(4, 16, 1) % 3 % 2, 1, 0, extra=chunk(b"tRNS", b"\0\xff"))

    pixels = b"".join(struct.pack("<H", (i % 2 << 15) | int(v)) for i, v in enumerate(rng.integers(0, 1 << 15, 24)))
    for name, size in ("a1r5g5b5_v3", 56), ("a1r5g5b5_v5", 124):
        masks = struct.pack("<IIII", 0x7C00, 0x03E0, 0x001F, 0x8000)
        info = struct.pack("<IiiHHIIiiII", size, 6, 4, 1, 16, 3, len(pixels), 0, 0, 0, 0) + masks
        save(f"{name}.bmp", b"BM" + struct.pack("<IHHI", 14 + size + len(pixels), 0, 0, 14 + size) + info.ljust(size, b"\0") + pixels)


# ------------------------------------------------------------------------------------------------------------- expected


def save(name, content):
    (HERE / name).write_bytes(content)


def expected():
    header, data = {}, b""
    for path in sorted(p for p in HERE.iterdir() if p.suffix in FORMATS):
        image = Image.open(path)
        image.load()
        made = {"rgb": image.convert("RGB")}
        if "A" in image.getbands() or image.info.get("transparency") is not None:
            white = Image.new("RGBA", image.size, (255, 255, 255, 255))
            made["over_white"] = Image.alpha_composite(white, image.convert("RGBA")).convert("RGB")
        if image.getexif().get(0x0112, 1) != 1:
            made["upright"] = ImageOps.exif_transpose(image).convert("RGB")
        for kind, picture in made.items():
            pixels = np.array(picture)
            header[f"{path.name}.{kind}"] = {"dtype": "U8", "shape": pixels.shape,
                                             "data_offsets": [len(data), len(data) + pixels.size]}
            data += pixels.tobytes()
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    save("expected.safetensors", struct.pack("<Q", len(text)) + text + data)


FORMATS = (".png", ".jpg", ".bmp", ".gif", ".tga", ".ppm", ".pgm", ".webp")
for old in HERE.iterdir():
    if old.suffix in FORMATS:
        old.unlink()
for make in pngs, jpegs, bmps, gifs, tgas, pnms, webps, oddities:
    make()
expected()
