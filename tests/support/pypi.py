"""Packages of the Python index in an environment of their own, for tests that need them."""
import pathlib
import shutil
import subprocess
import sys

PYPI_SECONDS = 240


class Skip(Exception):
    """Why a test cannot run here."""


def venv(folder, *packages, name=None, options=(), python=sys.executable):
    """Installs packages of PyPI into `folder` and returns their environment's folder; a half-made one is made anew."""
    path = pathlib.Path(folder) / (name or packages[0].split("=")[0])
    done = path / "installed"
    if done.exists() and done.read_text() == " ".join(packages):
        return path
    shutil.rmtree(path, ignore_errors=True)
    pip = [path / "bin" / "python3", "-m", "pip", "--disable-pip-version-check", "install", "--quiet",
           "--retries", "1", "--timeout", "20", *packages]
    for command in ([python, "-m", "venv", *options, path], pip):
        try:
            made = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                  timeout=PYPI_SECONDS)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Skip(f"{' '.join(packages)} could not be installed: {error}")
        if made.returncode:
            lines = made.stdout.strip().splitlines() or ["no message"]
            raise Skip(f"{' '.join(packages)} could not be installed: {lines[-1]}")
    done.write_text(" ".join(packages))
    return path
