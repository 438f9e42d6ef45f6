"""test_run.py BUILD: run.sh where the driver has no OpenCL, by the CUDA driver's interface, whose library is the one of
../emulator/fake; nothing is executed, so that the numbers mean nothing. Of the programs none is compiled before."""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE, BUILD = pathlib.Path(__file__).resolve().parent, pathlib.Path(sys.argv[1]).resolve()
SECONDS = 150
FAKE = BUILD.parent / "emulator" / "fake"

needed = ["/usr/lib/llvm-15/bin/clang", "/usr/lib/clc/nvptx64--nvidiacl.bc", FAKE / "libcuda.so.1"]
missing = [str(file) for file in needed if not pathlib.Path(file).exists()]
if missing:
    print("skipped: not installed:", *missing)
    sys.exit(77)
out = pathlib.Path(tempfile.mkdtemp())
kept = {key: value for key, value in os.environ.items() if not key.startswith(("FOVEA_", "EMULATOR_", "OCL_"))}
done = subprocess.run([HERE / "run.sh", out], capture_output=True, text=True,
                      env={**kept, "FOVEA_RUN_ENGINE": "cuda", "FOVEA_RUN_DRIVER": str(FAKE), "EMULATOR_IDLE": "1",
                           "FOVEA_RUN_DEVICE": "fake card", "FOVEA_RUN_SECONDS": str(SECONDS)})
table = (out / "table.md").read_text() if done.returncode == 0 else ""
shutil.rmtree(out, ignore_errors=True)  # a step that took too long may still have a compiler that writes there
# Batch 64 is the first step; the time may not be enough for more.
wanted = [r"- fake card 7, emulated by the CUDA driver, clang's PTX, CUDA driver, clang's PTX, CUDA 12.2, clang 15",
          r"\| Fovea \| [1-9]\d* \| ", r"\| conv2d_\w+ \| \d+ \| "]
wrong = [line for line in wanted if not re.search(line, table)]
if wrong:
    print(done.stderr, done.stdout, "FAILED: table.md has no line like", *wrong, sep="\n")
sys.exit(1 if wrong else 0)
