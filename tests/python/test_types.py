"""The package's types, by mypy --strict, and the style of its files and of these tests, by ruff."""

from __future__ import annotations

import subprocess
import sys
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PACKAGE = ROOT / "tools" / "python"
CONFIG = PACKAGE / "pyproject.toml"


class Types(unittest.TestCase):
    def passes(self, *command: object, folder: Path = ROOT) -> None:
        done = subprocess.run(
            [sys.executable, "-m", *map(str, command)],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        self.assertEqual(done.returncode, 0, done.stdout)

    def test_ruff(self) -> None:
        for check in (["check"], ["format", "--check"]):
            self.passes("ruff", *check, "--no-cache", "--config", CONFIG, "tests/python", "tools/python")

    def test_mypy(self) -> None:
        cache = Path(sys.prefix).parent / "mypy"
        self.passes(
            *("mypy", "--cache-dir", cache, "--config-file", CONFIG, "fovea", "declarations.py"), folder=PACKAGE
        )


if __name__ == "__main__":
    unittest.main()
