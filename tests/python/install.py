#!/usr/bin/env python3
"""Installs the Python package as a user does, on an installed library, for the other tests of this folder.

usage: install.py BUILD FOLDER PACKAGES     BUILD has the library, FOLDER gets its prefix, and PACKAGES' environment
                                            "suite" (tests/support/pypi.py) the package

77, saying why, where that environment is not made.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))
from pypi import SKIPPED, Skip, made, pip  # noqa: E402


def run(*command: object, **variables: str) -> str:
    done = subprocess.run(
        [str(word) for word in command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, **variables},
        check=False,
    )
    if done.returncode:
        sys.exit(f"{done.stdout}\nfailed: {' '.join(map(str, command))}")
    return done.stdout


def main(build: Path, folder: Path, packages: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    venv, prefix = made(packages, "suite"), folder / "prefix"
    shutil.rmtree(prefix, ignore_errors=True)
    for component in ("fovea_runtime", "fovea_development"):
        run("cmake", "--install", build, "--prefix", prefix, "--component", component)
    found = list(prefix.rglob("fovea.pc"))
    if len(found) != 1:
        sys.exit(f"{prefix} has {len(found)} files fovea.pc")
    options = ["--no-deps", "--no-index", "--no-build-isolation", "--force-reinstall"]
    run(*pip(venv, *options, HERE.parent.parent / "tools" / "python"), PKG_CONFIG_PATH=str(found[0].parent))
    path = "import fovea._library as l; print(l.PATH)"
    loaded = run(venv / "bin" / "python3", "-c", path, OCL_ICD_VENDORS=str(folder)).strip()
    if not Path(loaded).resolve().is_relative_to(prefix.resolve()):
        sys.exit(f"the package loads {loaded!r}, not the library in {prefix}")
    print(f"installed, on {loaded}")


if __name__ == "__main__":
    try:
        main(*map(Path, sys.argv[1:]))
    except Skip as reason:
        print(f"skipped: {reason}")
        sys.exit(SKIPPED)
