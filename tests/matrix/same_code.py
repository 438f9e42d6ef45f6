#!/usr/bin/env python3
"""Whether the tests' copy of PoCL (tests/support/pocl.py) compiles a program's kernels to the bytes that PoCL itself does.

usage: same_code.py COPY FOLDER PROGRAM      FOLDER gets the kernels
"""
import collections
import hashlib
import os
import pathlib
import shutil
import sys

from run import SKIPPED, debian_pocl, environment, run
from pypi import Skip


def kernels(folder, program, drivers):
    """How often there is each kernel, by its size of work-groups and its bytes, of those that it compiles."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    every = {name: value for name, value in os.environ.items() if name == "FOVEA_TEST_EVERY"}
    env = {**environment(folder, "pocl-loopvec", drivers), **every, "XDG_CACHE_HOME": os.devnull, "POCL_CACHE_DIR": str(folder)}
    status, out, err = run([program], env, 600)
    if status:
        sys.exit(f"{program}, {drivers}: status {status}: {(out + err)[-1500:]}")
    files = folder.glob("*/*/*/*/*.so")
    return collections.Counter((file.stem, file.parent.name, hashlib.sha256(file.read_bytes()).hexdigest()) for file in files)


def main(copy, folder, program):
    _, *reason = (copy / "made").read_text(encoding="utf-8").splitlines() if (copy / "made").exists() else ("", "none was made")
    if reason:
        raise Skip(f"the tests have the system's PoCL: {' '.join(reason)}")
    folder.mkdir(exist_ok=True)
    theirs = kernels(folder / "system", program, debian_pocl(folder))
    ours = kernels(folder / "copy", program, {"OCL_ICD_VENDORS": str(copy / "vendors")})
    for kernel, size, _ in sorted((theirs - ours).keys()):
        print(f"{kernel}, {size}: the copy of PoCL makes other code")
    print(f"{sum(theirs.values())} kernels, {sum(ours.values())} by the copy")
    return 0 if theirs == ours and theirs else 1


if __name__ == "__main__":
    try:
        sys.exit(main(*(pathlib.Path(argument).resolve() for argument in sys.argv[1:])))
    except Skip as why:
        print(f"skipped: {why}")
        sys.exit(SKIPPED)
