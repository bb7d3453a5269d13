#!/usr/bin/env python3
"""Makes expected.safetensors: what Pillow and OpenCV make of two small pictures.

    pip install "numpy<2" opencv-python-headless==4.5.5.64 pillow==13.0.0
    python3 tests/image/augment/make.py

OpenCV is what LAVIS shears, moves and turns with, in the version that its requirements name.
"""
import json
import pathlib
import struct

import cv2
import numpy as np
from PIL import Image, ImageEnhance, ImageOps

HERE = pathlib.Path(__file__).resolve().parent


def pictures():
    random = np.random.default_rng(1)
    noise = random.integers(3, 250, (9, 14, 3), dtype=np.uint8)
    y, x = np.mgrid[0:19, 0:21]
    smooth = np.stack([40 + 8 * x, 15 + 6 * y + 2 * x, 90 + 60 * np.sin(x * y / 40)], -1)
    return {"noise": noise, "smooth": np.clip(smooth + random.normal(0, 4, smooth.shape), 0, 255).astype(np.uint8)}


def warped(image, matrix):
    height, width = image.shape[:2]
    return cv2.warpAffine(image, matrix, (width, height), borderValue=(128, 128, 128), flags=cv2.INTER_LINEAR)


def moved(image):
    height, width = image.shape[:2]
    yield "shear_x", warped(image, np.float32([[1, 0.15, 0], [0, 1, 0]]))
    yield "shear_y", warped(image, np.float32([[1, 0, 0], [-0.3, 1, 0]]))
    yield "translate_x", warped(image, np.float32([[1, 0, -2.7], [0, 1, 0]]))
    yield "translate_y", warped(image, np.float32([[1, 0, 0], [0, 1, 5]]))
    yield "rotate", warped(image, cv2.getRotationMatrix2D((width / 2, height / 2), 15, 1))
    yield "rotate_back", warped(image, cv2.getRotationMatrix2D((width / 2, height / 2), -27.3, 1))


def spread(image):
    image = Image.fromarray(image)
    yield "autocontrast", ImageOps.autocontrast(image)
    yield "equalize", ImageOps.equalize(image)


def enhanced(image):
    image = Image.fromarray(image)
    for name, factor in [("weak", 0.28), ("strong", 1.9)]:
        yield "brightness_" + name, ImageEnhance.Brightness(image).enhance(factor)
        yield "sharpness_" + name, ImageEnhance.Sharpness(image).enhance(factor)


def main():
    tensors = {}
    for name, image in pictures().items():
        tensors[name] = image
        for operation, out in [*spread(image), *([*enhanced(image), *moved(image)] if name == "noise" else [])]:
            tensors[f"{name}.{operation}"] = np.ascontiguousarray(np.asarray(out))
    header, end = {}, 0
    for name, tensor in tensors.items():
        header[name] = {"dtype": "U8", "shape": tensor.shape, "data_offsets": [end, end + tensor.size]}
        end += tensor.size
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    (HERE / "expected.safetensors").write_bytes(
        struct.pack("<Q", len(text)) + text + b"".join(tensor.tobytes() for tensor in tensors.values()))


if __name__ == "__main__":
    main()
