"""What is held: figures of the census, their limits and goals."""
import json

import launches
import model
from blocks import issued

HOT = 5e6  # flops of a launch at the smaller batch, from which its kernel counts as hot
NVIDIA, AMD = "sm_90", "gfx90a"


def _ratio(over, under):
    return over / under if under else None


class Figures:
    """values: {name: number, or None where nothing of the step has it};"""

    def __init__(self, few, many, evaluation, programs, tools):
        self.few, self.many, self.programs, self.tools = few, many, programs, tools
        self.values, self._walks = {}, {}
        self.hot = [l for l in few if l.flops > HOT]
        self._plan(evaluation)
        if "clang" in tools:
            self._ptx()
            self._model("", lambda launch: None)
            self._amd()
        if "ptxas" in tools:
            self._ptxas()
            self._model("_ptxas", lambda launch: self.resources(NVIDIA, launch))

    def resources(self, target, launch):
        return self.programs.resources(target, launch.program)[launch.kernel]

    def walk(self, launch):
        if launch.key not in self._walks:
            self._walks[launch.key] = launches.walk(launch, self.programs.code(NVIDIA, launch.program)[launch.kernel])
        return self._walks[launch.key]

    # --- by what the plan says ------------------------------------------------------------------------------------

    def _plan(self, evaluation):
        v, (pairs, alone) = self.values, launches.pairs(self.few, self.many)
        growing = [(a, b) for a, b in pairs if launches.grows(a, b)[0]]
        v["launches_few"], v["launches_many"], v["launches_evaluation"] = map(len, (self.few, self.many, evaluation))
        v["small_groups"] = sum(a.group < 32 for a, _ in growing) + sum(l.group < 32 for l in alone)
        v["fixed_items"] = sum(not launches.grows(a, b)[1] for a, b in growing)
        for name, batch in (("few", self.few), ("many", self.many)):
            for side in (False, True):
                v[f"item_flop_{'weight_' if side else ''}{name}"] = max(
                    (round(l.flops / l.items) for l in batch if bool(l.side) == side and l.flops), default=None)
        v["hot_warps"] = min((l.waves(launches.WARP) for l in self.hot), default=None)

    # --- by PTX ---------------------------------------------------------------------------------------------------

    def _role(self, winograd, weights):
        return [l for l in self.few if l.flops and l.taps == 3 and l.is_winograd == winograd and bool(l.side) == weights]

    def _share(self, role, everything=False):
        """Multiply-adds among what is issued in hot loops, or at all."""
        fma = every = 0.0
        for l in role:
            walk = self.walk(l)
            counts = walk.each if everything else walk.products
            fma, every = fma + l.items * counts.get("fma", 0), every + l.items * issued(counts)
        return _ratio(fma, every)

    def _ptx(self):
        v = self.values
        self.programs.compile(NVIDIA, [l.program for l in self.few + self.many])
        for name, winograd, weights in (("winograd", True, False), ("winograd_weight", True, True),
                                        ("conv3x3", False, False), ("conv3x3_weight", False, True)):
            v["fma_share_" + name] = self._share(self._role(winograd, weights))
        v["fma_share_step"] = self._share(self.few, everything=True)
        words = products = 0.0
        for l in self._role(True, False):
            each = self.walk(l).each
            words += l.items * (each.get("load_words", 0) + each.get("uniform_words", 0))
            products += l.products
        v["winograd_loads"] = _ratio(words, products)
        v["local_memory"] = max(self.resources(NVIDIA, l).lds for l in self.few + self.many)

    def _ptxas(self):
        v = self.values
        said = [(l, self.resources(NVIDIA, l)) for l in self.hot]
        for name, large in (("registers", False), ("registers_256", True)):
            v[name] = max((r.registers for l, r in said if (l.group >= 256) == large), default=None)
        v["spills"] = sum(k.spills + k.scratch for p in {l.program for l in self.few}
                          for k in self.programs.resources(NVIDIA, p).values())

    # --- by AMD's assembly ----------------------------------------------------------------------------------------

    @staticmethod
    def _uniform(graph):
        total = graph.total(set().union(*graph.product_loops().values()))
        return total["uniform_words"] / max(1, total["fma"])

    def _amd(self):
        """Of the uniform words that product loops load a multiply-add, how many by scalar loads: of the worst."""
        v, shares = self.values, []
        self.programs.compile(AMD, [l.program for l in self.hot])
        hot = {(l.program, l.kernel) for l in self.hot}
        said = [self.programs.resources(AMD, program)[kernel] for program, kernel in hot]
        for program, kernel in hot:
            uniform, scalar = (self._uniform(self.programs.code(t, program)[kernel]) for t in (NVIDIA, AMD))
            if uniform:
                shares.append(min(1.0, scalar / uniform))
        v["amd_scalar_loads"] = min(shares, default=None)
        v["amd_waves"] = min((r.waves for r in said), default=None)
        v["amd_spills"] = sum(r.spills + r.scratch for r in said)

    # --- by the model ---------------------------------------------------------------------------------------------

    def times(self, device, batch, resources):
        return [model.time_of(device, l, self.walk(l), resources(l)) for l in batch]

    def _model(self, suffix, resources):
        for name, batch in (("few", self.few), ("many", self.many)):
            us = model.step(self.times(model.DEVICES["h100"], batch, resources))
            self.values[f"model_ms_{name}{suffix}"] = us / 1000


# --- limits -----------------------------------------------------------------------------------------------------------

DIGITS = 3  # that count; a figure is as good as its limit when these are the same


def rounded(value):
    return None if value is None else float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value


def read_limits(path):
    try:
        limits = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise launches.Refusal(f"{path} is no file of limits: {error}") from None
    wanted = {"what", "by", "most", "limit", "goal"}
    if not isinstance(limits, dict) or not all(isinstance(e, dict) and wanted <= set(e) for e in limits.values()):
        raise launches.Refusal(f"{path} is no file of limits: each figure has {', '.join(sorted(wanted))}")
    return limits


def write_limits(path, limits):
    lines = [f"  {json.dumps(name)}: {json.dumps(entry)}" for name, entry in limits.items()]
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def is_worse(entry, value):
    """A figure that is gone is better only where nothing is to be less."""
    if value is None or entry["limit"] is None:
        return False
    value = rounded(value)
    return value > entry["limit"] if entry["most"] else value < entry["limit"]


def is_better(entry, value):
    value = rounded(value)
    if value is None or entry["limit"] is None:
        return value != entry["limit"]
    if entry.get("fixed"):
        return False
    return value < entry["limit"] if entry["most"] else value > entry["limit"]


def meets(entry, value):
    if value is None or entry["goal"] is None:
        return True
    return rounded(value) <= entry["goal"] if entry["most"] else rounded(value) >= entry["goal"]
