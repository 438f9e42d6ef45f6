#!/usr/bin/env python3
"""Installs the Python package as a user does, on an installed library, for the other tests of this folder.

usage: install.py BUILD FOLDER      BUILD has the library; FOLDER gets an environment with requirements.txt's
                                    packages, made once, the library's prefix, and the package in the environment

77, saying why, where the packages cannot be had.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
SKIPPED = 77
INDEX_SECONDS = 420


class NotAvailableError(Exception):
    pass


def environment(folder: Path) -> Path:
    """The environment's folder; a half-made or an older one is made anew."""
    wanted = (HERE / "requirements.txt").read_text(encoding="utf-8")
    path, done = folder / "venv", folder / "venv" / "installed"
    if done.exists() and done.read_text(encoding="utf-8") == wanted:
        return path
    shutil.rmtree(path, ignore_errors=True)
    pip = [path / "bin" / "python3", "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    pip += ["--retries", "1", "--timeout", "20", "--only-binary", ":all:", "-r", HERE / "requirements.txt"]
    for command in ([sys.executable, "-m", "venv", path], pip):
        try:
            made = subprocess.run(
                command,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=INDEX_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise NotAvailableError(f"the packages of requirements.txt could not be installed: {error}") from None
        if made.returncode:
            lines = made.stdout.strip().splitlines() or ["no message"]
            raise NotAvailableError(f"the packages of requirements.txt could not be installed: {lines[-1]}")
    done.write_text(wanted, encoding="utf-8")
    return path


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


def main(build: Path, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    venv, prefix = environment(folder), folder / "prefix"
    shutil.rmtree(prefix, ignore_errors=True)
    for component in ("fovea_runtime", "fovea_development"):
        run("cmake", "--install", build, "--prefix", prefix, "--component", component)
    found = list(prefix.rglob("fovea.pc"))
    if len(found) != 1:
        sys.exit(f"{prefix} has {len(found)} files fovea.pc")
    pip = [venv / "bin" / "python3", "-m", "pip", "--disable-pip-version-check", "install", "--no-deps"]
    pip += ["--no-index", "--no-build-isolation", "--force-reinstall", HERE.parent.parent / "tools" / "python"]
    run(*pip, PKG_CONFIG_PATH=str(found[0].parent))
    path = "import fovea._library as l; print(l.PATH)"
    loaded = run(venv / "bin" / "python3", "-c", path, OCL_ICD_VENDORS=str(folder)).strip()
    if not Path(loaded).resolve().is_relative_to(prefix.resolve()):
        sys.exit(f"the package loads {loaded!r}, not the library in {prefix}")
    print(f"installed, on {loaded}")


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), Path(sys.argv[2]))
    except NotAvailableError as reason:
        print(f"skipped: {reason}")
        sys.exit(SKIPPED)
