#!/usr/bin/env python3
"""All packages of the Python index that tests use, in environments that are made once.

usage: pypi.py make NAME FOLDER                     FOLDER/NAME gets the packages of ENVIRONMENTS[NAME]
       pypi.py run NAME FOLDER SCRIPT [ARGUMENT...] the script with these packages

77, saying why, where they cannot be had.
"""
import os
import pathlib
import shutil
import subprocess
import sys

SKIPPED = 77
INDEX_SECONDS = 420

# "long" is for tests with that label and has the packages of "suite", too; "intel" is for tests/matrix, an OpenCL driver.
# "alone" is installed without what it depends on: of axe-playwright-python only axe-core's file is used.
ENVIRONMENTS = {
    "suite": {
        "packages": ["cffi==2.1.1", "jsonschema==4.26.0", "mypy==2.4.1", "numpy==2.4.6", "onnx==1.23.2", "onnxruntime==1.32.0",
                     "pillow==13.0.0", "ruff==0.17.6", "safetensors==0.8.0", "scikit-build-core==1.1.2", "scikit-learn==1.9.1",
                     "tensorboard==2.21.0"],
        "alone": ["axe-playwright-python==0.1.8"],
    },
    "long": {
        "beside": "suite",
        "packages": ["ipykernel==7.4.0", "nbclient==0.11.0", "nbformat==5.11.1", "openvino==2026.4.1"],
    },
    "intel": {"packages": ["intel-cmplr-lib-rt==2026.2.*", "intel-opencl-rt==2026.2.*"]},
}


class Skip(Exception):
    """Why a test cannot run here."""


def wanted(name):
    """What an environment is made from; of another text it is made anew."""
    entry = ENVIRONMENTS[name]
    return "\n".join([sys.version, repr(entry), *(wanted(base) for base in [entry.get("beside")] if base)])


def made(folder, name):
    """The environment's folder."""
    path = pathlib.Path(folder) / name
    done, reason = path / "installed", path / "reason"
    if done.exists() and done.read_text(encoding="utf-8") == wanted(name):
        return path
    raise Skip(reason.read_text(encoding="utf-8") if reason.exists() else f"the environment {name} is not made: {path}")


def site(path):
    return next(path.glob("lib/python3*/site-packages"))


def pip(path, *arguments):
    """The command line of an installation; environments have no pip, which takes 3 seconds each."""
    return [sys.executable, "-m", "pip", "--python", str(path / "bin" / "python3"), "--disable-pip-version-check", "install",
            "--quiet", "--no-compile", *map(str, arguments)]


def call(path, command):
    """Runs a step of making the environment; where it fails, that is kept as the reason and nothing else."""
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=INDEX_SECONDS,
                              check=False)
        lines = done.stdout.strip().splitlines() or ["no message"]
        said = "; ".join(dict.fromkeys([lines[0], lines[-1]])) if done.returncode else None
    except (OSError, subprocess.TimeoutExpired) as error:
        said = str(error)
    if said is not None:
        reason = f"packages of the Python index could not be installed: {said}"
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(parents=True)
        (path / "reason").write_text(reason, encoding="utf-8")
        raise Skip(reason)


def make(folder, name):
    """Makes the environment where it is not there, is half made or of other packages."""
    entry, path = ENVIRONMENTS[name], pathlib.Path(folder) / name
    base = made(folder, entry["beside"]) if "beside" in entry else None
    try:
        return made(folder, name)
    except Skip:
        shutil.rmtree(path, ignore_errors=True)
    call(path, [sys.executable, "-m", "venv", "--without-pip", str(path)])
    if base:
        (site(path) / "beside.pth").write_text(f"{site(base)}\n", encoding="utf-8")
    index = ["--retries", "1", "--timeout", "10", "--only-binary", ":all:"]
    call(path, pip(path, *index, *entry["packages"]))
    if "alone" in entry:
        call(path, pip(path, *index, "--no-deps", *entry["alone"]))
    (path / "installed").write_text(wanted(name), encoding="utf-8")
    return path


def run(folder, name, command):
    """Becomes the environment's Python; bytecode, which is not installed, is kept beside."""
    path = made(folder, name)
    os.environ["PYTHONPYCACHEPREFIX"] = str(pathlib.Path(folder) / "bytecode")
    os.execv(path / "bin" / "python3", [str(path / "bin" / "python3"), *command])


def main(action, name, folder, *command):
    try:
        if action == "make":
            print(make(pathlib.Path(folder).resolve(), name))
        else:
            run(pathlib.Path(folder).resolve(), name, command)
    except Skip as reason:
        print(f"skipped: {reason}")
        return SKIPPED
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
