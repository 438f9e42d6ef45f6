#!/usr/bin/env python3
"""Compiles every program that a GPU would be given, for GPUs that are not here, and reads from the compilers' reports
how many registers and how much private and local memory the kernels take. Nothing is run.

    offline.py amd|nvidia|spirv PROGRAMS CL_FOLDER OUT.md [TARGET...]

PROGRAMS is the output of list_programs. A TARGET, one of WAYS below, asks for a sample: for it alone, each file's first
program and every sixth of all. Fails (1) for a program that does not compile, does not validate or calls what it does
not define, and for a hot kernel with memory where registers should be. 77: tools are missing."""
import concurrent.futures
import os
import pathlib
import re
import shutil
import sys
import tempfile

from compilers import (CLC, NEWEST_PTX, Failure, compile_amd, compile_nvidia, compile_spirv, expanded, find_ptxas,
                       ptxas_knows, run)

# Their ops choose these for V > 1 alone.
CPU_ONLY = {"conv2d_blocked.cl", "conv2d_backward_weight_blocked.cl", "conv2d_backward_weight_few.cl",
            "winograd_backward_weight_blocked.cl", "spatial_attention_forward.cl", "spatial_attention_backward.cl"}
HOT = ("conv2d_", "dense_", "winograd", "batchnorm_", "spatial_attention_")
WAYS = {  # what compiles, for which targets, with which tools and files
    "amd": (compile_amd, ["gfx906", "gfx90a", "gfx1030", "gfx1100"], ["clang-15", "nm"], ["amdgcn--amdhsa.bc"]),
    "nvidia": (compile_nvidia, ["sm_70", "sm_80", "sm_90"], ["clang-15"], ["nvptx64--nvidiacl.bc"]),
    "spirv": (compile_spirv, ["spir64"], ["clang-15", "llvm-spirv-15", "spirv-val", "spirv-dis"], []),
}

# --- all programs -----------------------------------------------------------------------------------------------------


def read_programs(path, sources):
    """(file, options). Of the two ways to divide one is enough for a program that has no division."""
    lines = [line.split("\t") for line in path.read_text().splitlines()]
    missing = {source.name for source in sources.glob("*.cl")} - {file for file, _ in lines} - CPU_ONLY
    if missing:
        raise Failure("list_programs.c lists no program of " + ", ".join(sorted(missing)))
    divides = {file: "FOVEA_CORRECT_DIVISION" in expanded(sources, file) for file, _ in lines}
    return [(file, options.split()) for file, options in lines
            if divides[file] or "-DFOVEA_CORRECT_DIVISION" not in options.split()]


def sample_of(programs):
    firsts = {file: i for i, (file, _) in reversed(list(enumerate(programs)))}
    return [p for i, p in enumerate(programs) if i % 6 == 0 or firsts[p[0]] == i]


def compile_one(compiler, target, file, options, sources):
    """Kernels, and what is wrong."""
    wrong = []
    try:
        with tempfile.TemporaryDirectory() as folder:
            kernels = compiler(target, [f"-I{sources}", *options], sources / file, pathlib.Path(folder))
        if not kernels:
            raise Failure("no kernel came out")
    except Failure as failure:
        return [], [f"{target}: {file} {' '.join(options)}: {failure}"]
    for k in kernels:
        if is_hot(k) and (k.scratch or k.spills):
            wrong.append(f"{target}: {k.name} of {file} {' '.join(options)}: {k.scratch} bytes of private memory, "
                         f"{k.spills} spilled")
    return kernels, wrong


def most(values):
    values = [v for v in values if v is not None]
    return str(max(values)) if values else "-"


def table(rows):
    return [f"| {' | '.join(row)} |" for row in [rows[0], ["---"] * len(rows[0])] + rows[1:]]


def is_hot(kernel):
    return kernel.name.startswith(HOT)


def summary(results, count):
    """A line a target, of its hot kernels; columns of which no tool says anything are left out."""
    columns = ["programs", "kernels", "hot kernels: registers, most", "waves, least", "local memory, most",
               "private memory, most", "spills, most", "scalars in lanes, most"]
    rows = []
    for lists in results.values():
        hot = [k for one in lists for k in one if is_hot(k)]
        waves = [-k.waves for k in hot if k.waves is not None]
        rows.append([f"{sum(map(bool, lists))} of {count}", str(sum(map(len, lists))), most(k.registers for k in hot),
                     most(waves).lstrip("-") or "-",
                     *(most(getattr(k, what) for k in hot) for what in ("lds", "scratch", "spills", "scalars"))])
    said = [i for i in range(len(columns)) if any(row[i] != "-" for row in rows)]
    return table([["target"] + [columns[i] for i in said]]
                 + [[target] + [row[i] for i in said] for target, row in zip(results, rows)])


def others_with_memory(results):
    worst = {}
    for target, lists in results.items():
        for k in (k for one in lists for k in one if not is_hot(k) and (k.scratch or k.spills)):
            worst[k.name, target] = max(worst.get((k.name, target), 0), k.scratch)
    if not worst:
        return []
    said = [f"{name} ({size} bytes on {target})" for (name, target), size in sorted(worst.items())]
    return ["", f"Others with private memory: {', '.join(said)}."]


def hot_registers(results):
    def cell(lists, name):
        return most(k.registers for one in lists for k in one if k.name == name)

    names = {k.name for lists in results.values() for one in lists for k in one if is_hot(k) and k.registers}
    if not names:
        return []
    rows = [[name] + [cell(lists, name) for lists in results.values()] for name in sorted(names)]
    return ["", "Registers of the hot kernels, the most of any program:", ""] + table([["kernel", *results]] + rows)


def versions(way):
    said = [run(["clang-15", "--version"]).splitlines()[0]]
    notes = []
    if way == "spirv":
        said.append("spirv-val " + re.search(r"v[\d.]+", run(["spirv-val", "--version"]))[0])
    if way == "nvidia":
        unknown = [t for t in WAYS[way][1] if not ptxas_knows(t)]
        if find_ptxas():
            said.append("ptxas " + re.search(r"V[\d.]+", run([find_ptxas(), "--version"]))[0])
        if unknown:
            notes.append(f"No ptxas here knows {', '.join(unknown)}: of these only PTX, the newest {NEWEST_PTX}'s.")
        notes.append(f"Newer ones than {NEWEST_PTX} are assembled from its PTX: this clang has no newer.")
    return ["Only compiled, never run, by " + ", ".join(said) + "."] + notes


def main():
    way, programs, sources, out = sys.argv[1], *map(pathlib.Path, sys.argv[2:5])
    compiler, targets, tools, bitcode = WAYS[way]
    asked = sys.argv[5:]
    if set(asked) - set(targets):
        raise Failure(f"{way} has the targets {', '.join(targets)}, not {' '.join(asked)}")
    targets = asked or targets
    lacking = [t for t in tools if not shutil.which(t)] + [str(CLC / b) for b in bitcode if not (CLC / b).exists()]
    if lacking:
        print("skipped: not installed: " + ", ".join(lacking))
        return 77
    if way == "nvidia":  # of a machine newer than this clang only ptxas can say anything
        targets = [t for t in targets if t <= NEWEST_PTX or ptxas_knows(t)]
    programs = read_programs(programs, sources)
    if asked:
        programs = sample_of(programs)
    results, wrong = {}, []
    jobs = 1 if asked else len(os.sched_getaffinity(0))  # a sample leaves a processor to other tests
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        futures = {t: [pool.submit(compile_one, compiler, t, *p, sources) for p in programs] for t in targets}
        for target, those in futures.items():
            results[target] = [future.result()[0] for future in those]
            wrong += [w for future in those for w in future.result()[1]]
    lines = summary(results, len(programs)) + hot_registers(results) + others_with_memory(results)
    text = "\n".join(lines + [""] + versions(way)) + "\n"
    out.write_text(text)
    print(text)
    print("\n".join(wrong[:50]))
    return 1 if wrong else 0


try:
    sys.exit(main())
except Failure as failure:
    sys.exit(f"offline: {failure}")
