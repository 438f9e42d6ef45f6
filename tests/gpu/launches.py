"""The launches of a plan as list_launches wrote them, and what their work-items do."""
import collections
import csv
import subprocess

import ptx
from blocks import issued

WARP = 32
SAMPLES = 6  # work-items of a launch that are walked, from its groups evenly
MOST_STEPS = 60000  # executed blocks, after which a launch's first two samples are enough


class Refusal(SystemExit):
    """What was asked cannot be had: a sentence, exit status 2 (census.py)."""


class Launch:
    def __init__(self, row):
        self.batch, self.number = int(row["batch"]), int(row["number"])
        self.kernel, self.op, self.layer, self.passing = row["kernel"], row["op"], row["layer"], row["pass"]
        self.file, self.options, self.arguments = row["file"], row["options"], row["arguments"]
        self.size = [int(row[f"global{i}"]) for i in range(3)]
        self.local = [int(row[f"local{i}"]) for i in range(3)]
        self.products, self.bytes, self.side = float(row["products"]), float(row["bytes"]), int(row["side"])
        self.prepacks = row["prepacks"] == "1"
        self.items = self.size[0] * self.size[1] * self.size[2]
        self.group = self.local[0] * self.local[1] * self.local[2]
        self.groups = self.items // self.group
        self.direct_flops, self.taps = float(row["flops"]), int(row["taps"])

    @property
    def flops(self):
        """Of the multiply-adds that it makes of the result; without transforms and addresses."""
        return 2 * self.products

    @property
    def is_winograd(self):
        return 0 < self.flops < self.direct_flops

    @property
    def program(self):
        return self.file, self.options

    def waves(self, width):
        return self.groups * -(-self.group // width)

    @property
    def place(self):
        return self.op, self.layer, self.passing

    @property
    def key(self):
        return self.program, self.kernel, self.arguments, tuple(self.size), tuple(self.local)

    def values(self):
        """Of the kernel's arguments by number: of a view two, pointer and offset."""
        values = []
        for argument in self.arguments.split():
            kind = argument.split(":")[1]
            values += {"v": [0, 0], "b": [0], "t": [ptx.TABLE]}.get(kind[0]) or [int(kind[1:]) if kind[0] in "iu" else 0]
        return values + [1 << 20] * 2  # a fill's count

    def table(self):
        """Of a launch for many tensors, the numbers that say whose a work-item's is."""
        return [int(n) for a in self.arguments.split() if a.split(":")[1][0] == "t" for n in a.split(":")[1][1:].split(",")]

    def integers(self):
        return " ".join(f"{n}={v[1:]}" for n, v in (a.split(":") for a in self.arguments.split()) if v[0] in "iu")


def make(program, options):
    """What list_launches says, and of that {batch: launches in their order}."""
    try:
        done = subprocess.run([program, *options, "/dev/stdout"], capture_output=True, text=True)
    except OSError as error:
        raise Refusal(f"{program}: {error.strerror}; --build is the folder of tests/gpu in a build that is made") from None
    if done.returncode:
        raise Refusal(done.stderr.strip() or f"{program} ended with {done.returncode}")
    text = done.stdout
    batches = collections.defaultdict(list)
    for row in csv.DictReader(text.splitlines(), delimiter="\t"):
        launch = Launch(row)
        batches[launch.batch].append(launch)
    return text, dict(batches)


def pairs(few, many):
    """Launches of a plan beside those of a larger batch: each with that of the same kernel, layer and pass, in their
    order; where a layer is computed in another way there, with the one of its pass that has the most work-items. Then
    those of the larger batch that have no partner."""
    by_kernel, by_pass = collections.defaultdict(list), collections.defaultdict(list)
    for launch in many:
        by_kernel[launch.kernel, *launch.place].append(launch)
        by_pass[launch.place].append(launch)
    paired, alone = [], {id(launch): launch for launch in many}
    for launch in few:
        same = by_kernel[launch.kernel, *launch.place]
        other = same.pop(0) if same else max(by_pass[launch.place], key=lambda l: l.items, default=None)
        if other:
            alone.pop(id(other), None)
            paired.append((launch, other))
    return paired, list(alone.values())


def grows(one, many):
    """Whether a launch's work grows from one batch to another; whether its work-items do. Weights that are padded to
    another tile are a few more bytes, and no growth."""
    return many.bytes > 1.25 * one.bytes or many.products > one.products, many.items > one.items


# What the work-items of a launch do. each: counts of an average one. products: of these, those of its product loops
# (blocks.py), which it turns `turns` times. far: how often it waits for global memory, near: for what is in the L1 or local.
Walk = collections.namedtuple("Walk", "each products turns far near")


UNROLLED = 4  # turns of a small loop, as ptxas unrolls it, whose loads are then asked for together
SMALL = 48  # instructions


def _is_unrolled(kernel, blocks):
    """Not with a division that is rounded correctly, which is a call."""
    total = kernel.total(blocks)
    return len(blocks) == 1 and issued(total) <= SMALL and not total["slow"]


def _rounds(kernel, n, in_flight):
    """A wait each time that a loop's loads are asked for, or more of them than are asked for at a time."""
    far = near = 0.0
    inside = set()
    for head, blocks in kernel.innermost().items():
        inside |= blocks
        total = kernel.total(blocks, n)
        turns = n[head] / (UNROLLED if _is_unrolled(kernel, blocks) else 1)
        if total["load"]:
            far += max(turns, (total["load"] + total["uniform"]) / in_flight)
        elif total["uniform"] or total["local_load"]:
            near += max(turns, (total["uniform"] + total["local_load"]) / in_flight)
    for b, times in enumerate(n):
        counts = kernel.blocks[b].counts
        if b not in inside and times and counts["load"]:
            far += times * max(1, counts["load"] / in_flight)
    return far, near


def _way_of_warp(launch, kernel, special, i):
    """That of the work-item with more to do of two in a warp of the group, each time another one."""
    first = launch.local[0] * i // SAMPLES // WARP * WARP
    items = (first, min(first + WARP // 2, launch.local[0] - 1)) if kernel.parts_in_group else (first, )
    ways = [kernel.way(launch.values(), {**special, "%tid.x": item}, launch.batch) for item in items]
    return max(ways, key=lambda n: issued(kernel.total(range(len(n)), n)))


def walk(launch, kernel, in_flight=16):
    times = [0] * len(kernel.blocks)
    far = near = samples = 0
    table = launch.table()
    counts = [s // l for s, l in zip(launch.size, launch.local)]
    for i in range(min(SAMPLES, launch.groups)):
        group = (2 * i + 1) * launch.groups // (2 * min(SAMPLES, launch.groups))
        place = group % counts[0], group // counts[0] % counts[1], group // counts[0] // counts[1]
        special = {"table": table}
        for axis, name in enumerate("xyz"):
            special["%ctaid." + name], special["%ntid." + name] = place[axis], launch.local[axis]
            special["%nctaid." + name] = counts[axis]
        n = _way_of_warp(launch, kernel, special, i)
        times = [a + b for a, b in zip(times, n)]
        one_far, one_near = _rounds(kernel, n, in_flight)
        far, near, samples = far + one_far, near + one_near, samples + 1
        if sum(times) > MOST_STEPS and samples >= 2:
            break

    def mean(blocks):
        return {what: count / samples for what, count in kernel.total(blocks, times).items()}

    loops = kernel.product_loops(times)
    return Walk(mean(range(len(times))), mean(set().union(*loops.values())), sum(times[h] for h in loops) / samples,
                far / samples, near / samples)
