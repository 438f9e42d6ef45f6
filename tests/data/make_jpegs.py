#!/usr/bin/env python3
"""Writes jpeg/*.jpg and jpeg/pixels.txt: JPEGs of each kind and what libjpeg-turbo's own djpeg makes of them.

    apt-get install libjpeg-turbo-progs && python3 -m venv /tmp/venv && /tmp/venv/bin/pip install pillow numpy
    /tmp/venv/bin/python tests/data/make_jpegs.py

A line is: name, width, height, channels, CRC-32 of the pixels (height, width, channel), turned upright by Pillow.
"""

import io
import pathlib
import subprocess
import zlib

import numpy as np
from PIL import Image, ImageOps

HERE = pathlib.Path(__file__).parent / "jpeg"


def picture(width, height):
    y, x = np.mgrid[0:height, 0:width]
    red = (x * 11 + y * 3) % 256
    green = (np.hypot(x - width / 3, y - height / 2) * 12) % 256
    blue = np.where((x // 4 + y // 3) % 2, 220, 30)
    return Image.fromarray(np.stack([red, green, blue], axis=2).astype(np.uint8))


def upright(path):
    ppm = subprocess.run(["djpeg", "-pnm", str(path)], check=True, capture_output=True).stdout
    image = Image.open(io.BytesIO(ppm))
    image.load()
    image.info["exif"] = Image.open(path).info.get("exif", b"")
    exif = Image.Exif()
    exif.load(image.info["exif"])
    turned = ImageOps.exif_transpose(image)
    return np.array(turned).reshape(turned.height, turned.width, -1)


def main():
    HERE.mkdir(exist_ok=True)
    colour = picture(37, 23)
    files = {f"sampling{i}": (colour, {"subsampling": i}) for i in range(3)}
    files["gray"] = (colour.convert("L"), {})
    files["progressive"] = (colour, {"progressive": True})
    files["gray_progressive"] = (colour.convert("L"), {"progressive": True})
    files["restart"] = (colour, {"restart_marker_blocks": 2})
    files["coarse"] = (colour, {"quality": 10})
    inks = [*colour.split(), colour.convert("L").rotate(180)]
    files["cmyk"] = (Image.merge("CMYK", inks), {})
    files["one"] = (picture(1, 1), {})
    files["rgb"] = (colour, {"keep_rgb": True})
    for i in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = i
        files[f"turned{i}"] = (picture(12, 7), {"exif": exif, "subsampling": 0})
    lines = []
    for name, (image, options) in sorted(files.items()):
        path = HERE / f"{name}.jpg"
        image.save(path, **{"quality": 85, **options})
        pixels = upright(path)
        height, width, channels = pixels.shape
        lines.append(f"{path.name} {width} {height} {channels} {zlib.crc32(pixels.tobytes()):08x}")
    (HERE / "pixels.txt").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
