#!/usr/bin/env python3
"""Makes the small pictures of this folder, in formats that tests/golden/images has not, and what Pillow makes of them.

    python3 -m venv /tmp/pictures && /tmp/pictures/bin/pip install pillow==13.0.0 numpy simplejpeg
    /tmp/pictures/bin/python tests/image/pictures/make.py

expected.safetensors: NAME.rgb as Pillow's convert("RGB") gives it, NAME.over_white where there is transparency.
"""
import json
import pathlib
import struct
import zlib

import numpy as np
import simplejpeg
from PIL import Image

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


# ------------------------------------------------------------------------------------------------------------- expected


def save(name, content):
    (HERE / name).write_bytes(content)


def expected():
    header, data = {}, b""
    for path in sorted(p for p in HERE.iterdir() if p.suffix in (".png", ".jpg", ".bmp")):
        image = Image.open(path)
        image.load()
        made = {"rgb": image.convert("RGB")}
        if "A" in image.getbands() or image.info.get("transparency") is not None:
            white = Image.new("RGBA", image.size, (255, 255, 255, 255))
            made["over_white"] = Image.alpha_composite(white, image.convert("RGBA")).convert("RGB")
        for kind, picture in made.items():
            pixels = np.array(picture)
            header[f"{path.name}.{kind}"] = {"dtype": "U8", "shape": pixels.shape,
                                             "data_offsets": [len(data), len(data) + pixels.size]}
            data += pixels.tobytes()
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    save("expected.safetensors", struct.pack("<Q", len(text)) + text + data)


for old in HERE.iterdir():
    if old.suffix in (".png", ".jpg", ".bmp"):
        old.unlink()
pngs()
jpegs()
bmps()
expected()
