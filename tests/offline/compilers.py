"""Programs compiled for GPUs that are not here, by Debian's clang 15 and, where CUDA is, its ptxas: for offline.py and
for tests/gpu/census.py. The result is each kernel's resources as the compilers report them; what was compiled stays in
the folder given."""
import collections
import functools
import os
import pathlib
import re
import shlex
import shutil
import subprocess

CLC = pathlib.Path("/usr/lib/clc")  # libclc: OpenCL's built-in functions as bitcode
CLANG = ["clang-15", "-x", "cl", "-Xclang", "-fdeclare-opencl-builtins", "-Xclang", "-finclude-default-header"]
NEWEST_PTX = "sm_80"  # of LLVM 15 and of these; a newer machine's driver takes it

# waves: of 32 or 64 work-items, that a SIMD unit holds. lds: bytes a work-group. scratch: bytes of private memory a
# work-item. spills: AMD counts registers, NVIDIA bytes. scalars: AMD's scalar registers kept in lanes of a vector one,
# which costs no memory. None: no tool here says.
Kernel = collections.namedtuple("Kernel", "name registers waves lds scratch spills scalars")


class Failure(Exception):
    pass


def run(command):
    command = [str(word) for word in command]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise Failure(shlex.join(command) + "\n" + "\n".join((done.stderr + done.stdout).splitlines()[:10]))
    return done.stdout + done.stderr


def link(bitcode):
    return ["-Xclang", "-mlink-builtin-bitcode", "-Xclang", CLC / bitcode]


def must_define(names):
    if names:
        raise Failure("called and not defined: " + ", ".join(sorted(set(names))))


def expanded(sources, name):
    text = (sources / name).read_text()
    return text + "".join(expanded(sources, other) for other in re.findall(r'^#include "(.+)"', text, re.M))


# --- a program for a target: its kernels ------------------------------------------------------------------------------


def compile_amd(target, options, source, folder, assembly=False):
    """An object whose symbols are looked at, or assembly to be read."""
    made, form = (folder / "program.s", "-S") if assembly else (folder / "program.o", "-c")
    said = run(CLANG + ["-target", "amdgcn-amd-amdhsa", f"-mcpu={target}", "-nogpulib", "-O3", form, "-o", made]
               + ["-Rpass-analysis=kernel-resource-usage"] + link("amdgcn--amdhsa.bc") + options
               + [f"-I{source.parent}", source])
    if not assembly:
        must_define(re.findall(r"U (\w+)", run(["nm", "-u", made])))
    kernels = []
    for text in said.split("Function Name: ")[1:]:
        n = {key: int(value) for key, value in re.findall(r"remark: +(\w[\w ]*\w)(?: \[.*?\])?: (\d+)", text)}
        kernels.append(Kernel(text.split()[0], n["VGPRs"] + n.get("AGPRs", 0), n["Occupancy"], n["LDS Size"],
                              n["ScratchSize"], n["VGPRs Spill"], n["SGPRs Spill"]))
    return kernels


@functools.cache
def find_ptxas():
    return shutil.which("ptxas") or shutil.which("ptxas", path="/usr/local/cuda/bin")


@functools.cache
def ptxas_knows(target):
    return bool(find_ptxas()) and f"'{target}'" in run([find_ptxas(), "--help"])


def compile_nvidia(target, options, source, folder):
    """PTX, and of that the machine's code by ptxas, where there is one for it. All functions are inlined, as for AMD."""
    ptx, assembler_said = folder / "program.ptx", ""
    run(CLANG + ["-target", "nvptx64-nvidia-nvcl", "-Xclang", "-target-cpu", "-Xclang", min(target, NEWEST_PTX)]
        + ["-O3", "-mllvm", "-inline-threshold=100000", "-S", "-o", ptx] + link("nvptx64--nvidiacl.bc") + options + [f"-I{source.parent}", source])
    text = ptx.read_text()
    must_define(re.findall(r"\.extern \.func .*?(\w+)\s*\(", text, re.S))
    if ptxas_knows(target):
        assembler_said = run([find_ptxas(), "-v", f"-arch={target}", ptx, "-o", folder / "program.cubin"])
    kernels = []
    for entry in text.split(".entry ")[1:]:
        name = re.match(r"\w+", entry)[0]
        lds = sum(map(int, re.findall(rf"\.shared .*\b{name}\S*\[(\d+)\]", text)))
        registers = scratch = spills = None
        if assembler_said:
            scratch, stores, loads, registers = map(int, re.search(
                rf"'{name}' for.*?(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads.*?"
                r"Used (\d+) registers", assembler_said, re.S).groups())
            spills = stores + loads
        kernels.append(Kernel(name, registers, None, lds, scratch, spills, None))
    return kernels


def compile_spirv(target, options, source, folder):
    """Not optimised: that is left to the driver, as drivers do it that go through SPIR-V."""
    bitcode, module = folder / "program.bc", folder / "program.spv"
    run(CLANG + ["-target", target, "-O0", "-emit-llvm", "-c", "-o", bitcode] + options + [f"-I{source.parent}", source])
    run(["llvm-spirv-15", "--spirv-max-version=1.2", bitcode, "-o", module])
    run(["spirv-val", "--target-env", "opencl1.2", module])
    text = run(["spirv-dis", module])
    must_define([n for n in re.findall(r'LinkageAttributes "(\w+)" Import', text) if not n.startswith("__spirv_")])
    return [Kernel(name, *[None] * 6) for name in re.findall(r'OpEntryPoint Kernel %\w+ "(\w+)"', text)]
