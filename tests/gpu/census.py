#!/usr/bin/env python3
"""A census of the GPU path without a GPU: every launch of a step, what its kernels are made of, what a model makes of its
time, and limits that hold it.

    census.py check    [--update]            figures, limits and goals; exit status 1 for a figure that is worse
    census.py launches [--tsv]               every launch
    census.py programs [TARGET...]           registers, memory and hot loops, for sm_90, gfx1100 and gfx90a
    census.py model    [DEVICE...]           a step's time and its longest kernels, for h100, gfx1100, gfx90a and arc

Options of each: --build DIR (where list_launches is; what is compiled is kept there), --batch FEW,MANY (64,1024) or one,
and after -- those of list_launches.c for another network or device class, e.g. -- --small or -- --arch 12,8,4 --depth 2;
-- --help prints them. limits.json is the seed network's: another one is checked by --limits FILE, a copy of one's own.
Kernels are those of cl/, or of the environment's FOVEA_CL_DIR, a copy of it with changes to try.

--update writes today's figures as limits, the only way that limits.json is to be changed but for its goals and texts.
Without clang 15 and libclc only what the plan says is judged (exit status 77 for the other commands); without ptxas, which
Debian does not have, not what it alone says. What is refused has exit status 2. Nothing here is a measurement."""
import argparse
import collections
import json
import os
import pathlib
import re
import shutil
import signal
import sys

import figures
import launches
import model
from blocks import issued
from launches import Refusal
from programs import Programs, compilers, find_nvdisasm

HERE = pathlib.Path(__file__).resolve().parent
TARGETS = ["sm_90", "gfx1100", "gfx90a"]
BATCHES = "64,1024"  # of limits.json


def tools():
    found = {"plan"}
    bitcode = ("amdgcn--amdhsa.bc", "nvptx64--nvidiacl.bc")
    if shutil.which("clang-15") and all((compilers.CLC / name).exists() for name in bitcode):
        found.add("clang")
        if compilers.ptxas_knows("sm_90"):
            found.add("ptxas")
    return found


def table(rows):
    """Text, columns aligned; numbers to the right."""
    rows = [[str(cell) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    right = [all(row[i][:1].isdigit() or row[i][:1] in "-." or row[i] == "" for row in rows[1:])
             for i in range(len(widths))]
    return "\n".join("  ".join(c.rjust(w) if r else c.ljust(w) for c, w, r in zip(row, widths, right)).rstrip()
                     for row in rows)


def short(value):
    return "-" if value is None else f"{value:.3g}" if isinstance(value, float) and abs(value) < 1000 else f"{value:.0f}"


def macros(options):
    return " ".join(o[2:] for o in options.split() if o.startswith("-D") and not o.startswith("-DFOVEA"))


def read_batches(text):
    numbers = text.split(",")
    if len(numbers) > 2 or not all(n.isdecimal() and int(n) for n in numbers):
        raise Refusal(f"--batch {text}: one batch or two, from 1 on, e.g. {BATCHES}")
    batches = [int(n) for n in numbers]
    if sorted(set(batches)) != batches:
        raise Refusal(f"--batch {text}: the second has to be larger than the first")
    return batches


class Census:
    def __init__(self, arguments):
        self.build, self.network = pathlib.Path(arguments.build), arguments.network
        self.batches = read_batches(arguments.batch)
        made = self._list("training")
        self.few, self.many = made[self.batches[0]], made[self.batches[-1]]
        self.tools = tools() - {"clang": {"clang", "ptxas"}, "ptxas": {"ptxas"}}.get(arguments.without, set())
        sources = os.environ.get("FOVEA_CL_DIR") or HERE.parent.parent / "cl"
        self.programs = Programs(sources, self.build / "compiled", arguments.jobs) if "clang" in self.tools else None

    def _list(self, what):
        options = [] if what == "training" else ["--evaluation"]
        options += ["--batch", ",".join(map(str, self.batches)), *self.network]
        self.text, made = launches.make(self.build / "list_launches", options)
        if set(made) != set(self.batches):
            raise Refusal(f"--batch {','.join(map(str, self.batches))}: the plans made are of {', '.join(map(str, made))}, "
                          "a multiple of 16; --batch goes before --, not after it")
        return made

    def figures(self):
        evaluation = self._list("evaluation")[self.batches[0]]
        return figures.Figures(self.few, self.many, evaluation, self.programs, self.tools)


# --- commands ---------------------------------------------------------------------------------------------------------


def check(census, arguments):
    path = arguments.limits
    limits, values = figures.read_limits(path), census.figures().values
    rows, worse, better = [["figure", "today", "limit", "goal", "", "by", "what it is"]], [], []
    for name, entry in limits.items():
        if name not in values:
            rows.append([name, "-", short(entry["limit"]), short(entry["goal"]), "left out: no " + entry["by"], entry["by"],
                         entry["what"]])
            continue
        value, said = values[name], ""
        if figures.is_worse(entry, value):
            said = "WORSE"
            worse.append(name)
        elif figures.is_better(entry, value):
            said = "better: lower the limit" if entry["most"] else "better: raise the limit"
            said = said if entry["limit"] is not None else "new: no limit yet"
            better.append(name)
        said += "" if figures.meets(entry, value) else " (goal missed)"
        rows.append([name, short(value), short(entry["limit"]), short(entry["goal"]), said.strip(), entry["by"],
                     entry["what"]])
        if arguments.update and not entry.get("fixed"):
            entry["limit"] = figures.rounded(value)
    print(table(rows))
    unknown = set(values) - set(limits)
    if unknown:
        raise Refusal(f"{path} has no entry of {', '.join(sorted(unknown))}")
    if arguments.update:
        figures.write_limits(path, limits)
        print(f"\n{path.name} now has today's figures; those of tools that are not here stay")
        return 0
    if better:
        print(f"\nBetter than their limits, or new: {', '.join(better)}. `census.py check --update` takes them.")
    if worse:
        print(f"\nWorse than their limits: {', '.join(worse)}.")
    return 1 if worse else 0


def show_launches(census, arguments):
    if arguments.tsv:
        print(census.text, end="")
        return 0
    rows = [["#", "kernel", "pass", "layer", "integers", "macros", "items", "group", "groups", "warps", "MFLOP", "MB",
             "flop/item", "bytes/item", *(f"items at {b}" for b in census.batches[1:])]]
    for a, b in launches.pairs(census.few, census.many)[0]:
        rows.append([a.number, a.kernel, a.passing, a.layer, a.integers(), macros(a.options), a.items, a.group, a.groups,
                     a.waves(32), f"{a.flops / 1e6:.2f}", f"{a.bytes / 1e6:.2f}", f"{a.flops / a.items:.0f}",
                     f"{a.bytes / a.items:.0f}", *[f"{b.items / a.items:.3g} times" if launches.grows(a, b)[0] else "-"
                                                   for _ in census.batches[1:]]])
    print(table(rows))
    return 0


def loop_row(target, kernel, graph, resources, walk):
    """With the way of work-items where it is known, else each block of the loops once."""
    if walk:
        counts = {what: count / max(1, walk.turns) for what, count in walk.products.items()}
    else:
        counts = graph.total(set().union(*graph.product_loops().values()))
    every = issued(counts)
    cells = [counts.get(c, 0) for c in ("fma", "float", "integer", "load", "uniform", "local_load", "local_store")]
    share = f"{counts.get('fma', 0) / every:.2f}" if every else "-"
    return [target, kernel, *(short(getattr(resources, n)) for n in ("registers", "waves", "lds", "scratch", "spills")),
            short(float(every)), *(short(float(c)) for c in cells), share]


def show_programs(census, arguments):
    targets = arguments.names or TARGETS
    walked = census.figures()
    kernels = collections.OrderedDict()
    for launch in census.few:
        kernels.setdefault((launch.program, launch.kernel), launch)
    for target in targets:
        census.programs.compile(target, [program for program, _ in kernels])
    rows = [["target", "kernel", "registers", "waves", "local", "private", "spills", "issued", "fma", "float", "integer",
             "load", "uniform", "local load", "local store", "fma share", "macros"]]
    for (program, kernel), launch in kernels.items():
        for target in targets:
            walk = walked.walk(launch) if target.startswith("sm_") else None
            rows.append(loop_row(target, kernel, census.programs.code(target, program)[kernel],
                                 census.programs.resources(target, program)[kernel], walk) + [macros(program[1])])
        code = census.programs.machine_code(program).get(kernel) if "sm_90" in targets else None
        if code:
            rows.append(loop_row("sm_90 code", kernel, code, census.programs.resources("sm_90", program)[kernel], None)
                        + [macros(program[1])])
    print(table(rows))
    print("\nWhat is issued: in the loops with the products, else in all. Of sm_90 by PTX an average turn on the way of its "
          "work-items;\nof AMD's by clang's assembly each block once, those of borders too, and a packed multiply-add twice."
          + ("" if "ptxas" in census.tools else "\nNo ptxas here: of sm_90 neither registers nor spills are known.")
          + ("" if find_nvdisasm() else "\nNo nvdisasm here (Debian has none): the machine's own code of sm_90 is left out."))
    return 0


def show_model(census, arguments):
    walked = census.figures()
    for name in arguments.names or list(model.DEVICES):
        device = model.DEVICES[name]
        known = device.target and (census.programs is not None)
        if known:
            census.programs.compile(device.target, [l.program for l in census.few])
        resources = (lambda l: walked.resources(device.target, l)) if known else (lambda l: None)
        kernels = collections.defaultdict(lambda: [0, [0.0] * len(census.batches), collections.Counter()])
        steps = []
        for column, batch in enumerate((census.few, census.many)[:len(census.batches)]):
            times = walked.times(device, batch, resources)
            steps.append(model.step(times))
            for launch, time in zip(batch, times):
                row = kernels[launch.kernel]
                row[0] += column == 0
                row[1][column] += time.us
                row[2][time.bound] += time.us
        if arguments.json:
            print(json.dumps({"device": device.name, "batches": census.batches, "steps": steps,
                              "kernels": {kernel: row[1] for kernel, row in kernels.items()}}))
            continue
        said = ", ".join(f"{us / 1000:.1f} ms at batch {b} ({b / us * 1e6:.0f} images/s)"
                         for us, b in zip(steps, census.batches))
        print(f"\n{device.name}, a model and no measurement: a step {said}\n")
        rows = [["kernel", "launches", *(f"us, {b}" for b in census.batches), "bound"]]
        for kernel, row in sorted(kernels.items(), key=lambda k: -k[1][1][0])[:arguments.most]:
            rows.append([kernel, row[0], *(f"{us:.0f}" for us in row[1]), row[2].most_common(1)[0][0]])
        print(table(rows))
    return 0


COMMANDS = {"check": check, "launches": show_launches, "programs": show_programs, "model": show_model}


# --- words --------------------------------------------------------------------------------------------------------------


def options_of_list_launches():
    """As its head has them."""
    head = (HERE / "list_launches.c").read_text().split("*/")[0]
    return "\n".join(line[3:] for line in head.splitlines() if line.startswith(" *   --"))


class Parser(argparse.ArgumentParser):
    def error(self, message):
        theirs = set(re.findall(r"--[a-z-]+", options_of_list_launches())) & set(re.findall(r"--[a-z-]+", message))
        hint = f"; {', '.join(sorted(theirs))}: of list_launches, to be given after --" if theirs else ""
        super().error(message + hint)


def count(text):
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text} is no number from 1 on")
    return int(text)


def judge(arguments):
    """Refuses what makes no sense together, before anything is made."""
    known = {"programs": {t: t for t in TARGETS}, "model": {n: f"{n} ({d.name})" for n, d in model.DEVICES.items()}}
    known = known.get(arguments.command, {})
    for name in arguments.names:
        if name not in known:
            has = f"known: {', '.join(known.values())}" if known else "it takes no names"
            raise Refusal(f"{arguments.command} {name}: {has}")
    for option, command in (("update", "check"), ("tsv", "launches"), ("json", "model")):
        if getattr(arguments, option) and arguments.command != command:
            raise Refusal(f"--{option} is of {command}, not of {arguments.command}")
    batches = read_batches(arguments.batch)
    if arguments.command != "check":
        return
    if arguments.limits.resolve() == HERE / "limits.json" and (arguments.network or arguments.batch != BATCHES):
        raise Refusal("limits.json is of the seed network, batches " + BATCHES + "; another one needs limits of its own: "
                      "--limits FILE, a copy that --update makes its")
    if len(batches) < 2:
        raise Refusal("check needs two batches, to see what grows")


def main(words):
    parser = Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False)
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("names", nargs="*", metavar="TARGET or DEVICE")
    parser.add_argument("--build", default=HERE.parent.parent / "build/tests/gpu")
    parser.add_argument("--batch", default=BATCHES)
    parser.add_argument("--limits", default=HERE / "limits.json", type=pathlib.Path)
    parser.add_argument("--update", action="store_true")
    parser.add_argument("--jobs", type=count, default=1, help="programs compiled at once")
    parser.add_argument("--without", choices=["clang", "ptxas"], help="as where that is not installed")
    parser.add_argument("--tsv", action="store_true")
    parser.add_argument("--json", action="store_true", help="of the model: an object a line")
    parser.add_argument("--most", type=count, default=10, help="kernels of the model's table")
    network = []
    if "--" in words:
        words, network = words[:words.index("--")], words[words.index("--") + 1:]
    if "--help" in network or "-h" in network:
        print("After --, options of list_launches.c:\n" + options_of_list_launches())
        return 0
    arguments = parser.parse_intermixed_args(words)
    arguments.network = network
    judge(arguments)
    census = Census(arguments)
    if arguments.command in ("programs", "model") and "clang" not in census.tools:
        print("skipped: not installed: clang-15 or libclc-15")
        return 77
    return COMMANDS[arguments.command](census, arguments)


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        sys.exit(main(sys.argv[1:]))
    except (Refusal, compilers.Failure, OSError) as said:
        print(f"census: {said}", file=sys.stderr)
        sys.exit(2)
