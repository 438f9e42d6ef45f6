#!/usr/bin/env python3
"""Writes pngsuite/pixels.txt: what each file of PngSuite (Willem van Schaik, 2017jul19) holds.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install pillow pypng numpy
    /tmp/venv/bin/python tests/data/make_pngsuite.py

A line is: name, width, height, channels without alpha, 1 with alpha, CRC-32 of the pixels (height, width, channel), or
name and "corrupt". Pixels are Pillow's. Where a file has 16 bits, of which Pillow keeps the upper 8 of colours, they are
pypng's rounded to 8, after it was seen that their upper 8 are Pillow's.
"""

import pathlib
import zlib

import numpy as np
import png
from PIL import Image

HERE = pathlib.Path(__file__).parent / "pngsuite"


def rounded(samples):
    return (samples.astype(np.uint64) * 255 + 32767) // 65535


def deep(path):
    """The samples of a 16-bit file by pypng, height x width x channels, alpha of its transparent colour too."""
    width, height, rows, info = png.Reader(filename=str(path)).read()
    samples = np.array([list(row) for row in rows], dtype=np.uint32).reshape(height, width, info["planes"])
    if "transparent" in info:
        colour = np.array(info["transparent"], dtype=np.uint32).reshape(1, 1, -1)
        opaque = (samples != colour).any(axis=2, keepdims=True) * 65535
        samples = np.concatenate([samples, opaque], axis=2)
    return samples


def by_pillow(image, depth):
    """Pillow's pixels, height x width x channels. It widens gray of few bits to 8, but forgets the transparent one."""
    if image.mode == "L" and depth < 8 and "transparency" in image.info:
        image.info["transparency"] *= 255 // (2**depth - 1)
    alpha = "A" in image.mode or "transparency" in image.info
    gray = image.mode in ("1", "L", "LA")
    mode = {(True, True): "LA", (True, False): "L", (False, True): "RGBA", (False, False): "RGB"}[gray, alpha]
    pixels = np.array(image.convert(mode))
    return pixels.reshape(image.height, image.width, -1)


def pixels_of(path):
    image = Image.open(path)
    image.load()
    with open(path, "rb") as file:
        header = file.read(26)
    if header[24] < 16:
        return by_pillow(image, header[24]), header[25]
    samples = deep(path)
    raw = np.array(image).reshape(image.height, image.width, -1)
    if header[25] == 4 and image.mode == "RGBA":  # gray with alpha, which Pillow repeats
        raw = raw[:, :, [0, 3]]
    kept = samples[:, :, : raw.shape[2]]
    assert (raw == (kept if image.mode.startswith("I") else kept >> 8)).all(), path
    return rounded(samples).astype(np.uint8), header[25]


def main():
    lines = []
    for path in sorted(HERE.glob("*.png")):
        if path.name.startswith("x"):
            lines.append(f"{path.name} corrupt")
            continue
        pixels, colour = pixels_of(path)
        height, width, n = pixels.shape
        channels = 1 if colour in (0, 4) else 3
        lines.append(f"{path.name} {width} {height} {channels} {n - channels} {zlib.crc32(pixels.tobytes()):08x}")
    (HERE / "pixels.txt").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
