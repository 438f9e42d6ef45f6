#!/usr/bin/env python3
"""Writes webp/*.webp and webp/pixels.txt: WebPs of each kind and what Pillow makes of them.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install pillow numpy
    /tmp/venv/bin/python tests/data/make_webps.py

A line is: name, width, height, channels with alpha, CRC-32 of the pixels (height, width, channel), turned upright by
Pillow; or the name alone of what is refused.
"""

import pathlib
import zlib

import numpy as np
from PIL import Image, ImageOps

HERE = pathlib.Path(__file__).parent / "webp"


def picture(width, height, alpha=False):
    y, x = np.mgrid[0:height, 0:width]
    planes = [(x * 11 + y * 3) % 256, (np.hypot(x - width / 3, y - height / 2) * 12) % 256,
              np.where((x // 4 + y // 3) % 2, 220, 30)]
    if alpha:
        planes.append((x * 9) % 256)
    return Image.fromarray(np.stack(planes, axis=2).astype(np.uint8))


def orientation(turns):
    exif = Image.Exif()
    exif[0x0112] = turns
    return exif.tobytes()


def pixels_of(path):
    image = Image.open(path)
    upright = ImageOps.exif_transpose(image)
    return np.array(upright).reshape(upright.height, upright.width, -1)


def main():
    HERE.mkdir(exist_ok=True)
    kinds = {
        "lossy": (picture(37, 23), {"quality": 60}),
        "lossy_alpha": (picture(21, 30, True), {"quality": 60}),
        "lossless": (picture(37, 23), {"lossless": True}),
        "lossless_alpha": (picture(21, 30, True), {"lossless": True, "exact": True}),
        "gray": (picture(16, 16).convert("L"), {"quality": 90}),
        "one": (picture(1, 1), {"lossless": True}),
        "blank": (Image.new("RGB", (1000, 1000), (250, 250, 250)), {"lossless": True}),
        **{f"turned{n}": (picture(19, 12), {"quality": 80, "exif": orientation(n)}) for n in range(1, 9)},
    }
    lines = []
    for name, (image, options) in kinds.items():
        path = HERE / f"{name}.webp"
        image.save(path, method=6, **options)
        pixels = pixels_of(path)
        height, width, channels = pixels.shape
        lines.append(f"{path.name} {width} {height} {channels} {zlib.crc32(pixels.tobytes()):08x}")
    picture(8, 8).save(HERE / "animated.webp", save_all=True, append_images=[picture(8, 8).rotate(90)], duration=50)
    whole = (HERE / "lossy.webp").read_bytes()
    (HERE / "cut.webp").write_bytes(whole[: len(whole) * 2 // 3])
    (HERE / "header.webp").write_bytes(whole[:20])
    # A header of VP8L, 16384 x 16384, and a few bytes.
    bits = (16383 | 16383 << 14).to_bytes(4, "little")
    data = b"\x2f" + bits + bytes(7)
    (HERE / "bomb.webp").write_bytes(b"RIFF" + (12 + len(data)).to_bytes(4, "little") + b"WEBPVP8L" +
                                     len(data).to_bytes(4, "little") + data)
    lines += ["animated.webp", "cut.webp", "header.webp", "bomb.webp"]
    (HERE / "pixels.txt").write_text("\n".join(lines) + "\n")


main()
