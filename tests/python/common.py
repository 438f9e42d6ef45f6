"""What the tests of this folder share: images, a small model, the command."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import unittest
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import fovea

COMMAND = os.environ["COMMAND"]
# Of a table's cases one in so many: the suite's sample (tests/support/sample.h).
EVERY = int(os.environ.get("FOVEA_TEST_EVERY", "1"))

# Odd, not a multiple of the batch, and a second less than a network of the usual size.
SMALL: dict[str, Any] = {"arch": (5, 4, 3), "depth": 1, "latent": 3, "epochs": 2, "batch": 16, "lr": 0.01, "seed": 7}


def drawn(count: int, *shape: int, seed: int = 1) -> npt.NDArray[np.uint8]:
    """Images of a bright rectangle each, so that there is something to learn."""
    draw = np.random.default_rng(seed)
    images = draw.integers(0, 40, (count, *shape), np.uint8)
    for image in images:
        top, left = draw.integers(0, shape[0] // 2), draw.integers(0, shape[1] // 2)
        image[top : top + shape[0] // 2, left : left + shape[1] // 2] += 180
    return images


def command(*arguments: object, status: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run([COMMAND, *map(str, arguments)], capture_output=True, text=True, check=False)
    if done.returncode != status:
        raise AssertionError(f"{arguments}: exit status {done.returncode}, expected {status}\n{done.stderr}")
    return done


def tensors(path: Path | str) -> dict[str, bytes]:
    """The header's entry and the bytes of each tensor of a safetensors file."""
    content = Path(path).read_bytes()
    size = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + size])
    header.pop("__metadata__")
    data = content[8 + size :]
    found = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        found[name] = f"{entry['dtype']} {entry['shape']} ".encode() + data[begin:end]
    return found


class Test(unittest.TestCase):
    device: fovea.Device

    @classmethod
    def setUpClass(cls) -> None:
        cls.device = fovea.Device()

    @classmethod
    def tearDownClass(cls) -> None:
        cls.device.close()

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def small(self, **changed: Any) -> fovea.VAE:
        return fovea.VAE(**{**SMALL, "device": self.device, **changed})

    def same(self, a: Path, b: Path) -> None:
        ours, theirs = tensors(a), tensors(b)
        self.assertEqual(list(ours), list(theirs))
        self.assertGreater(len(ours), 20)
        different = [name for name in ours if ours[name] != theirs[name]]
        self.assertEqual(different, [])
