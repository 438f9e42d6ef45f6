#!/usr/bin/env python3
"""Runs `fovea check` on one OpenCL implementation: 0 if it passes with the recorded hash, 77 if it cannot run here.

usage: run.py NAME FOVEA FOLDER      a row of ROWS below; FOLDER gets NAME.json, NAME.log and the row's caches
       run.py --table FOLDER         the results of the last runs as a Markdown table
       run.py --spirv FOLDER TEST    a test whose programs go through SPIR-V, on a GPU's path by PoCL

Intel's is of the environment "intel" (tests/support/pypi.py) in the folder $PACKAGES.
"""
import datetime
import glob
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from pypi import Skip, made  # noqa: E402

SKIPPED = 77
LONGEST = 3000  # seconds: a row takes 1 to 7 minutes of a quiet processor


def icd(folder, name, library):
    """A vendors' folder for the ICD loader with this library alone."""
    vendors = folder / f"{name}-vendors"
    vendors.mkdir(exist_ok=True)
    (vendors / "only.icd").write_text(f"{library}\n")
    return {"OCL_ICD_VENDORS": str(vendors)}


def find(pattern, what):
    found = sorted(glob.glob(str(pattern)))
    if not found:
        raise Skip(f"not installed: {what}")
    return found[0]


def debian_pocl(folder):
    return icd(folder, "debian-pocl", find("/usr/lib/*/libpocl.so.2", "Debian's pocl-opencl-icd"))


# The copy that the other tests have (support/pocl.py), whose kernels they have compiled.
def tests_pocl(folder):
    copies = sorted(pathlib.Path(os.environ.get("DRIVER", "driver")).glob("lib/copy/libpocl.so.*"))
    return icd(folder, "tests-pocl", copies[0]) if copies else debian_pocl(folder)


# The libraries of the wheels find each other by their RUNPATH; their loader, libOpenCL.so, is not used.
def intel(folder):
    packages = os.environ.get("PACKAGES", "packages")
    if " " in packages:
        raise Skip("Intel's runtime makes no context when it lies in a folder whose path has a space")
    library = made(packages, "intel") / "lib" / "libintelocl.so"
    return icd(folder, "intel", find(library, "libintelocl.so in the package"))


# All that is compiled goes through SPIR-V: through_spirv.c, whose library the build puts into this folder.
def through_spirv(folder, implementation, name=None):
    for tool in ("/usr/lib/llvm-15/bin/clang", "/usr/bin/llvm-spirv-15", "/usr/bin/spirv-val"):
        find(tool, "Debian's clang-15, llvm-spirv-15, spirv-tools")
    modules = folder / f"spirv-{name or implementation.__name__}"
    shutil.rmtree(modules, ignore_errors=True)
    modules.mkdir()
    return {**implementation(folder), "THROUGH_SPIRV": str(modules),
            "LD_PRELOAD": find(folder / "libthrough_spirv.so", "the build's libthrough_spirv.so")}


def pocl_by_spirv(folder):
    return through_spirv(folder, debian_pocl)


def intel_by_spirv(folder):
    return through_spirv(folder, intel)


# Without --uninitialized: Oclgrind 21.10 takes what the host writes at an offset for uninitialised, and stops at LLVM's
# instruction freeze, which x / y beside x % y becomes.
def oclgrind(_folder):
    if not shutil.which("oclgrind"):
        raise Skip("not installed: Debian's oclgrind")
    return {}


# Our own driver, tests/emulator: built beside this folder.
def emulator(folder, tools, bitcode):
    for needed in tools:
        find(f"/usr/lib/llvm-15/bin/{needed}", "Debian's clang-15, lld-15, llvm-15")
    find(f"/usr/lib/clc/{bitcode}", "Debian's libclc-15")
    library = find(folder.parent / "emulator" / "libemulator.so", "the target emulator")
    return {**icd(folder, "emulated", library), "EMULATOR_CACHE": str(folder / "emulated-code")}


def emulated(folder):
    return emulator(folder, ("clang", "ld.lld", "llvm-objdump"), "amdgcn--amdhsa.bc")


def emulated_nvidia(folder):
    return {**emulator(folder, ("clang",), "nvptx64--nvidiacl.bc"), "EMULATOR_DEVICE": "sm_80"}


# The CUDA driver's library is the emulator's, too.
def fake_cuda(folder):
    library = find(folder.parent / "emulator" / "fake" / "libcuda.so.1", "the target fake_cuda")
    return {**emulated_nvidia(folder), "EMULATOR_DEVICE": "cuda", "LD_LIBRARY_PATH": str(pathlib.Path(library).parent)}


# name: (implementation, environment, options of check, what is special). None for options: the arithmetic and the ops
# alone, by check_ops.
ROWS = {
    "pocl-seed": (debian_pocl, {}, [], "the seed network"),
    "pocl-loopvec": (tests_pocl, {}, ["--small"], "work-group method loopvec, the default"),
    "pocl-workitemrepl": (debian_pocl, {"POCL_WORK_GROUP_METHOD": "workitemrepl"}, ["--small"],
                          "work-group method workitemrepl"),
    "pocl-cbs": (tests_pocl, {"POCL_WORK_GROUP_METHOD": "cbs"}, ["--small"], "work-group method cbs"),
    "pocl-1-thread": (tests_pocl, {"POCL_MAX_PTHREAD_COUNT": "1"}, ["--small"], "1 thread"),
    "pocl-2-threads": (tests_pocl, {"POCL_MAX_PTHREAD_COUNT": "2"}, ["--small"], "2 threads"),
    "pocl-loaded": (tests_pocl, {}, ["--small"], "beside busy loops"),
    "pocl-sse2": (debian_pocl, {"POCL_KERNELLIB_NAME": "sse2"}, ["--small"], "SSE2: no fma in hardware"),
    "intel": (intel, {}, ["--small"], "its vectorizer on"),
    "intel-gpu-path": (intel, {"FOVEA_VECTOR": "1"}, ["--small"], "a GPU's path"),
    "pocl-spirv": (pocl_by_spirv, {"FOVEA_VECTOR": "1"}, ["--small"],
                   "from SPIR-V as for Intel's GPUs, translated back; a GPU's path"),
    "intel-spirv": (intel_by_spirv, {}, ["--small"], "from SPIR-V"),
    "intel-spirv-gpu-path": (intel_by_spirv, {"FOVEA_VECTOR": "1"}, ["--small"], "from SPIR-V; a GPU's path"),
    "emulated-amd": (emulated, {}, [], "gfx1100 machine code, emulated, wave32; the seed network"),
    "emulated-amd-small": (emulated, {}, ["--small"], "gfx1100 machine code, emulated, wave32"),
    "emulated-amd-wave64": (emulated, {"EMULATOR_DEVICE": "gfx90a"}, ["--small"],
                            "gfx90a machine code, emulated, wave64"),
    "emulated-amd-inexact": (emulated, {"EMULATOR_RECIPROCAL": "random", "EMULATOR_ROOT": "random",
                                        "EMULATOR_FLUSH": "1", "EMULATOR_ORDER": "strided"}, ["--small"],
                             "gfx1100, reciprocals and roots off by 1 ULP at random, groups in another order"),
    "emulated-nvidia": (emulated_nvidia, {}, [], "PTX for sm_80, emulated, warps of 32; the seed network"),
    "emulated-nvidia-small": (emulated_nvidia, {}, ["--small"], "PTX for sm_80, emulated, warps of 32"),
    "emulated-nvidia-other-order": (emulated_nvidia, {"EMULATOR_ORDER": "strided", "EMULATOR_DIVIDES": "0"}, ["--small"],
                                    "PTX for sm_80, groups in another order, our own division"),
    "fake-cuda": (fake_cuda, {}, ["--small"], "PTX by the CUDA driver's interface, whose library is emulated"),
    "oclgrind": (oclgrind, {}, ["--small"], "data races, API use"),
    "oclgrind-ops": (oclgrind, {}, None, "data races, API use"),
}

BY_SPIRV = (pocl_by_spirv, intel_by_spirv)
USUAL_CODE = ("pocl-seed", "pocl-loopvec", "pocl-1-thread", "pocl-2-threads", "pocl-loaded")


def environment(folder, name, extra):
    """What the implementation is told; nothing of the caller's that would change it."""
    changing = ("FOVEA_", "POCL_", "OCL_ICD_", "CL_CONFIG_", "OCLGRIND_", "EMULATOR_", "THROUGH_SPIRV")
    env = {key: value for key, value in os.environ.items() if not key.startswith(changing)}
    env.update(extra)
    # Threads and load change no code: those rows take the kernels that other tests have compiled, and keep theirs for
    # them. The others of PoCL keep none, for it does not tell the code of one method or library from another's.
    if name in USUAL_CODE and "POCL_CACHE_DIR" in os.environ:
        env["POCL_CACHE_DIR"] = os.environ["POCL_CACHE_DIR"]
    elif ROWS[name][0] in (debian_pocl, tests_pocl, *BY_SPIRV):
        env["XDG_CACHE_HOME"] = os.devnull
    else:
        env["XDG_CACHE_HOME"] = str(folder / f"cache-{name}")
    return env


def run(command, env, seconds):
    """Exit status, stdout and stderr; all that the command started ends with it."""
    with subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, start_new_session=True) as process:
        try:
            out, err = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            out, err = process.communicate()
            err += f"\nstopped after {seconds} s"
    return process.returncode, out, err


def try_method(fovea, env):
    """PoCL says, while it compiles a kernel, that it does not know a method, and takes another."""
    _, _, err = run([pathlib.Path(fovea).parent / "sample_convolution"], env, 120)
    if "Unknown work group generation method" in err:
        raise Skip(f"this PoCL has no method {env['POCL_WORK_GROUP_METHOD']}")


def busy_loops():
    return [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(os.cpu_count() or 1)]


def watched(log):
    return ["oclgrind", "--data-races", "--check-api", "--log", str(log)]


def groups(folder, env, log):
    """What is wrong with the kernels that the small network has no shape for: local_memory.c."""
    program = folder / "local_memory"
    if not program.exists():
        return "the build has no tests/matrix/local_memory"
    log.unlink(missing_ok=True)
    status, out, err = run([*watched(log), str(program)], env, 300)
    return f"local_memory: status {status}: {(out + err).strip()[-1500:]}" if status else complaints(log)


def complaints(log):
    """Oclgrind exits 0 whatever it finds: its log is empty when it found nothing."""
    text = log.read_text(errors="replace").strip() if log.exists() else "no log was written"
    return text[:2000]


def verdict_of_ops(name, status, out, err, log):
    """The line of check_ops, with what is wrong under "wrong"."""
    if status:
        return {"wrong": f"status {status}: {out}{err.strip()[-500:]}"}
    platform, device, count = out.strip().split("|")
    line = [platform, device, ROWS[name][3], f"small, {count} lines", "the ops' bits"]
    return {"line": line, "wrong": complaints(log)}


def modules_missing(env):
    """A preloaded library that cannot be loaded is only warned of: that each program was a module is seen by its file."""
    modules = pathlib.Path(env["THROUGH_SPIRV"])
    sources, made = (len(list(modules.glob(f"*.{ending}"))) for ending in ("cl", "spv"))
    return "" if sources == made > 0 else f"of {sources} programs {made} went through SPIR-V"


def verdict(name, status, out, err, log, env):
    """The JSON of the check, with what is wrong under "wrong"."""
    if ROWS[name][2] is None:
        return verdict_of_ops(name, status, out, err, log)
    try:
        result = json.loads(out)
    except ValueError:
        return {"wrong": f"no result (status {status}): {err.strip()[-1500:]}"}
    training, wrong = result["training"], []
    if status or not result["passed"]:
        wrong.append(f"status {status}: {err.strip()[-500:]}")
        for op in result["ops"]:
            wrong += [f"{op['op']} {op['shape']}, {way}: {op[way]['first']}"
                      for way in ("forward", "backward") if op[way]["first"]]
    if result["same_bits_promised"] and training["hash"] != training["expected"]:
        wrong.append(f"the checkpoint is {training['hash']}, recorded is {training['expected']}")
    if ROWS[name][0] is oclgrind and complaints(log):
        wrong.append(complaints(log))
    if ROWS[name][0] in BY_SPIRV and modules_missing(env):
        wrong.append(modules_missing(env))
    return {**result, "wrong": "\n".join(wrong)}


def check(name, fovea, folder):
    implementation, special, options, _ = ROWS[name]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").unlink(missing_ok=True)
    env = environment(folder, name, {**implementation(folder), **special})
    log = folder / f"{name}.log"
    wrong = groups(folder, env, log) if implementation is oclgrind else ""  # seconds, where the command takes a minute
    if wrong:
        return {"wrong": wrong}
    log.unlink(missing_ok=True)
    command = [folder / "check_ops"] if options is None else [fovea, "check", "--json", *options]
    if implementation is oclgrind:
        command = [*watched(log), *command]
    if "POCL_WORK_GROUP_METHOD" in special:
        try_method(fovea, env)
    load = busy_loops() if name == "pocl-loaded" else []
    try:
        status, out, err = run(command, env, LONGEST)
    finally:
        for process in load:
            process.kill()
            process.wait()
    return verdict(name, status, out, err, log, env)


def line_of(name, result):
    device, training = result["device"], result["training"]
    bits = "the recorded bits" if training["hash"] == training["expected"] else "OTHER BITS"
    return [f"{device['platform']} {device['driver']}", device["name"], ROWS[name][3],
            f"{training['network']}, {len(result['ops'])} lines", f"{training['hash']}, {bits}"]


def table(folder):
    print("| implementation | device | what is special | network, ops | hash after 20 steps | date |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name in ROWS:
        file = folder / f"{name}.json"
        if file.exists():
            result = json.loads(file.read_text())
            print("|", " | ".join(result["line"] + [result["date"]]), "|")
    return 0


def by_spirv(folder, test):
    """The exit status."""
    env = environment(folder, "pocl-spirv", {**through_spirv(folder, debian_pocl, "sample"), **ROWS["pocl-spirv"][1]})
    if "FOVEA_TEST_EVERY" in os.environ:
        env["FOVEA_TEST_EVERY"] = os.environ["FOVEA_TEST_EVERY"]
    status, out, err = run([test], env, 300)
    print(out, err, modules_missing(env), sep="\n")
    return 1 if status or modules_missing(env) else 0


def main():
    if len(sys.argv) == 4 and sys.argv[1] == "--spirv":
        try:
            return by_spirv(pathlib.Path(sys.argv[2]).resolve(), sys.argv[3])
        except Skip as reason:
            print("skipped:", reason)
            return SKIPPED
    if len(sys.argv) == 3 and sys.argv[1] == "--table":
        return table(pathlib.Path(sys.argv[2]))
    if len(sys.argv) != 4 or sys.argv[1] not in ROWS:
        print(__doc__, "rows:", *ROWS, file=sys.stderr)
        return 2
    name, folder = sys.argv[1], pathlib.Path(sys.argv[3]).resolve()
    result = {"date": datetime.date.today().isoformat()}
    try:
        result.update(check(name, sys.argv[2], folder))
    except Skip as reason:
        print("skipped:", reason)
        result["line"] = ["not run", "", ROWS[name][3], "", str(reason)]
        (folder / f"{name}.json").write_text(json.dumps(result, indent=1))
        return SKIPPED
    if "line" not in result:
        result["line"] = line_of(name, result) if "training" in result else ["failed", "", ROWS[name][3], "", ""]
    (folder / f"{name}.json").write_text(json.dumps(result, indent=1))
    print(*result["line"], sep=" | ")
    if result["wrong"]:
        print("FAILED:", result["wrong"])
    return 1 if result["wrong"] else 0


if __name__ == "__main__":
    sys.exit(main())
