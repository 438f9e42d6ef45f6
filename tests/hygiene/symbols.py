#!/usr/bin/env python3
"""What layers.sh says of includes, of the functions themselves: what an object of src/ROOM calls is defined in its room or
one below; the files of a room call each other in no circle but those listed here; and no two files that the command is
linked of define one name, of which the linker would take the first and say nothing.

    symbols.py BUILD    the build folder, with the objects of the library and of the reference
"""
import collections
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
# Each room, and those right below it, with all that is below them.
BELOW = {
    "base": [],
    "runtime": ["base"],
    "graph": ["base"],
    "plan": ["graph", "runtime"],
    "op/conv2d": ["plan"],
    "op": ["op/conv2d"],
    "net": ["op"],
    "data": ["base"],
    "stats": ["base"],
    "model": ["net", "data"],
    "export": ["model"],
    "ref": [],
}
# Sets of files, each with its reason: there are none.
CIRCLES = []


def read_objects(build):
    """file -> what it defines, what it wants of others."""
    defined, wanted = {}, {}
    for path in sorted(build.glob("CMakeFiles/fovea_*.dir/src/**/*.o")):
        file = "src/" + str(path).split(".dir/src/", 1)[1].removesuffix(".o")
        if not (ROOT / file).exists():
            continue  # of an earlier build
        defined[file], wanted[file] = set(), set()
        for line in subprocess.run(["nm", path], capture_output=True, text=True, check=True).stdout.splitlines():
            kind, name = line.split()[-2:]
            (wanted if kind == "U" else defined)[file].add(name) if kind in "UTDBRV" else None
    return defined, wanted


def defined_twice(build):
    """name -> the members of the command's libraries that define it, where these are several."""
    files = collections.defaultdict(list)
    archives = sorted(build.glob("libfovea*.a"))
    said = subprocess.run(["nm", "-A", "-g", "--defined-only", *archives], capture_output=True, text=True, check=True).stdout
    for line in said.splitlines():
        words = line.split()  # build/libfovea.a:file.c.o:ADDRESS KIND NAME
        if len(words) == 3 and words[1] in "TDBR":
            files[words[2]].append(words[0].rpartition(":")[0].rpartition("/")[2])
    return {name: where for name, where in files.items() if len(where) > 1}


def room_of(file):
    return file.removeprefix("src/").rpartition("/")[0]


def may_call(room, target):
    return room == target or any(may_call(lower, target) for lower in BELOW[room])


def circles(calls, files):
    """The strongly connected sets of more than one file (Tarjan 1972)."""
    index, low, stack, found = {}, {}, [], []

    def visit(f):
        index[f] = low[f] = len(index)
        stack.append(f)
        for g in calls[f] & files:
            if g not in index:
                visit(g)
                low[f] = min(low[f], low[g])
            elif g in stack:
                low[f] = min(low[f], index[g])
        if low[f] == index[f]:
            at = stack.index(f)
            if len(stack) - at > 1:
                found.append(set(stack[at:]))
            del stack[at:]

    for f in sorted(files):
        if f not in index:
            visit(f)
    return found


def main(build):
    defined, wanted = read_objects(Path(build))
    if len(defined) < 50:
        sys.exit(f"symbols: {len(defined)} objects in {build}: is it built?")
    home = {name: file for file in defined for name in defined[file]}
    calls = {file: {home[name] for name in wanted[file] if home.get(name, file) != file} for file in defined}
    findings = []
    for file in sorted(calls):
        for other in sorted(calls[file]):
            if not may_call(room_of(file), room_of(other)):
                names = ", ".join(sorted(wanted[file] & defined[other]))
                findings.append(f"{file}: calls up into {other}: {names}")
    by_room = collections.defaultdict(set)
    for file in calls:
        by_room[room_of(file)].add(file)
    for files in by_room.values():
        for circle in circles(calls, files):
            if circle not in CIRCLES:
                findings.append("a circle: " + ", ".join(sorted(circle)))
    for name, where in sorted(defined_twice(Path(build)).items()):
        findings.append(f"{name} is defined by {', '.join(where)}")
    print("\n".join(findings))
    print(f"symbols: {len(calls)} objects, {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    if not shutil.which("nm"):
        print("skipped: nm is not installed")
        sys.exit(77)
    sys.exit(main(sys.argv[1]))
