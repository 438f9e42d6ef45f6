"""Kernels as PTX, and the way of a work-item through one.

A way is how often each basic block is executed. Only the integers that branches depend on are computed, by a function of
Python made of the kernel; floats are not, and numbers that would come from memory, but for a table of tensors, are
guessed, all of them to be one:
the batch (the state's number of images) or -1 (no step had trouble), whichever gives the work-item more to do."""
import collections
import re

from blocks import Block, Graph, issued

TABLE = 1 << 50  # where the one buffer lies whose numbers are known: a multi-tensor launch's table
SLOW = 10  # instructions of a division or square root that is rounded correctly

# what: its class. words: of 32 bits, that it moves.
Instruction = collections.namedtuple("Instruction", "predicate op operands to sources what words")


class Kernel(Graph):
    """bodies: the instructions of each block; ends: (register, negated) of the branch, or None. parts_in_group: whether
    work-items of a group may go different ways."""

    def __init__(self, name, parameters, bodies, ends, labels, targets, thens):
        self.name, self.parameters, self.bodies, self.ends = name, parameters, bodies, ends
        counts = self._counts()
        super().__init__([Block(*b) for b in zip(labels, counts, targets, thens)])
        self._way = None

    def _counts(self):
        """A load is uniform if its address does not depend on the place along x of a group: the others are of 1."""
        differs, grew = {"%tid.x", "%laneid"}, True
        everything = [i for body in self.bodies for i in body]
        while grew:
            grew = False
            for i in everything:
                if not differs.isdisjoint(i.sources) and not differs.issuperset(i.to):
                    differs.update(i.to)
                    grew = True
        self.parts_in_group = any(end and end[0] in differs for end in self.ends)
        counts = []
        for body, end in zip(self.bodies, self.ends):
            count = collections.Counter(branch=1 if end else 0)
            for i in body:
                what = "uniform" if i.what == "load" and differs.isdisjoint(i.sources) else i.what
                if what:
                    count[what] += 1
                if what in ("load", "uniform"):
                    count[what + "_words"] += i.words
                if re.match(r"(div|sqrt|rcp)\.rn", i.op):
                    count["slow"] += 1
                    count[what] += SLOW - 1
            counts.append(count)
        return counts

    def way(self, arguments, special, batch):
        """How often each block is executed; `arguments` by number, `special` the registers %tid.x and so on."""
        if self._way is None:
            self._way, self._guesses = _compile(self)
        ways = [self._way(arguments, special, guess) for guess in ((batch, -1) if self._guesses else (0, ))]
        return max(ways, key=lambda n: issued(self.total(range(len(n)), n)))


# --- reading ----------------------------------------------------------------------------------------------------------


def _what(op):
    kind = op.split(".")
    if kind[0] == "fma":
        return "fma"
    if kind[0] in ("bar", "barrier"):
        return "barrier"
    if kind[0] in ("ld", "ldu", "st") and "param" in kind:
        return None
    if kind[0] in ("ld", "ldu"):
        return "local_load" if "shared" in kind else "load"
    if kind[0] in ("st", "red", "atom"):
        return "local_store" if "shared" in kind else "store"
    if kind[0] == "mov" or kind[0] == "cvta":
        return None  # of registers that the assembler makes one
    if kind[-1] in ("f32", "f16", "f64") and kind[0] != "cvt":
        return "float"
    return "integer"


def _words(op):
    width = re.search(r"\.v([24])", op)
    return int(width[1]) if width else 1


def _instruction(line):
    predicate = re.match(r"@(!?)(%p\d+)\s+", line)
    if predicate:
        line = line[predicate.end():]
    op, _, rest = line.replace("\t", " ").partition(" ")
    operands = re.findall(r"\{[^}]*\}|\[[^\]]*\]|[^,\s]+", rest)
    first = 0 if op.startswith(("st", "bar", "red", "membar", "bra", "ret")) else 1
    to = re.findall(r"%\w+", operands[0]) if first and operands else []
    sources = [s for o in operands[first:] for s in re.findall(r"%[\w.]+", o)]
    return Instruction((predicate[2], predicate[1] == "!") if predicate else None, op, operands, to, sources, _what(op),
                       _words(op))


def read(text):
    """{name: Kernel} of a PTX file."""
    kernels = {}
    for entry in text.split(".entry ")[1:]:
        name, head, body = re.match(r"\w+", entry)[0], entry[:entry.index("{")], entry[entry.index("{") + 1:]
        kernels[name] = Kernel(name, re.findall(r"\w+_param_\d+", head), *_blocks(body[:body.index("\n}")]))
    return kernels


def _blocks(body):
    made, label, run = [], "", []

    def end(branch, target, then):
        nonlocal label, run
        made.append((run, branch, label, target, then))
        label, run = "", []

    for line in body.split("\n"):
        line = line.split("//")[0].strip().rstrip(";")
        if not line or line.startswith("."):
            continue
        if line.endswith(":"):
            if run or label:
                end(None, None, True)
            label = line[:-1]
            continue
        i = _instruction(line)
        if i.op.startswith("brx"):
            raise ValueError("a jump by a table: " + line)
        if i.op.startswith("bra"):
            end(i.predicate, i.operands[-1], i.predicate is not None)
        elif i.op in ("ret", "exit", "trap"):
            end(None, None, False)
        else:
            run.append(i)
    if run or label:
        end(None, None, False)
    return list(map(list, zip(*made)))


# --- a work-item's way, as Python ---------------------------------------------------------------------------------------


def _operand(text):
    text = text.strip("[]")
    if re.fullmatch(r"-?\d+", text):
        return text
    if text.startswith("0x"):
        return str(int(text, 16))
    if text.startswith("%"):
        return text.replace("%", "r_").replace(".", "_")
    return "0"  # an address, a float


def _expression(op, o):
    """Python for what an instruction makes of operands that are Python already; None: not known."""
    kind = op.split(".")
    name, type_ = kind[0], kind[-1]
    bits = int(re.sub(r"\D", "", type_) or 32) if type_ != "pred" else 1
    mask, unsigned = hex((1 << bits) - 1), type_[0] == "u"

    def as_unsigned(x):
        return x if re.fullmatch(r"\d+", x) else f"({x} & {mask})"

    a = [as_unsigned(x) if unsigned else x for x in o]
    if name in ("mov", "cvta"):
        return o[0]
    if name == "cvt":
        source, to = kind[-1], kind[-2]
        size, to_size = int(source[1:]), int(to[1:])
        x = f"({o[0]} & {hex((1 << size) - 1)})" if source[0] == "u" and size <= to_size else o[0]
        return f"signed({x}, {to_size})" if to_size < size or to[0] == "s" else x
    if name in ("add", "sub"):
        return f"({o[0]} {'+' if name == 'add' else '-'} {o[1]})"
    if name in ("mul", "mad"):
        product = f"{a[0]} * {a[1]}"
        if "hi" in kind:
            product = f"({product}) >> {bits}"
        elif "wide" not in kind:
            product = f"signed({product}, {bits})"
        return f"({product} + {o[2]})" if name == "mad" else f"({product})"
    if name in ("div", "rem"):
        return f"{name}({a[0]}, {a[1]})"
    if name in ("min", "max"):
        return f"{name}({a[0]}, {a[1]})"
    if name == "neg":
        return f"(-{o[0]})"
    if name == "abs":
        return f"abs({o[0]})"
    if name == "not":
        return f"(not {o[0]})" if type_ == "pred" else f"(~{o[0]})"
    if name in ("and", "or", "xor"):
        return f"({o[0]} {dict(zip(('and', 'or', 'xor'), '&|^'))[name]} {o[1]})"
    if name == "shl":
        return f"signed({o[0]} << {o[1]}, {bits})"
    if name == "shr":
        return f"({a[0]} >> {o[1]})"
    if name == "selp":
        return f"({o[0]} if {o[2]} else {o[1]})"
    if name == "setp" and type_[0] in "sbu":
        sign = {"lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "==", "ne": "!=",
                "lo": "<", "ls": "<=", "hi": ">", "hs": ">="}.get(kind[1])
        return f"({a[0]} {sign} {a[1]})" if sign else None
    if name == "bfe":
        return f"(({as_unsigned(o[0])} >> {o[1]}) & ((1 << {o[2]}) - 1))"
    return None


def _needed(kernel):
    """The registers that branches depend on."""
    defined, needed, todo = collections.defaultdict(list), set(), [end[0] for end in kernel.ends if end]
    for body in kernel.bodies:
        for i in body:
            for register in i.to:
                defined[register].append(i)
    while todo:
        register = todo.pop()
        if register not in needed:
            needed.add(register)
            todo += [s for i in defined[register] for s in i.sources]
    return needed


def _statements(kernel, body, needed):
    number = {name: i for i, name in enumerate(kernel.parameters)}
    for i in body:
        if needed.isdisjoint(i.to):
            continue
        value = "guess"
        if i.op.startswith("ld.global"):
            base, _, offset = i.operands[1].strip("[]").partition("+")
            for at, register in enumerate(i.to):
                yield f"{_operand(register)} = load({_operand(base)} + {int(offset or 0) + 4 * at})"
            continue
        if i.op.startswith("ld.param"):
            value = f"arguments[{number[re.match(r'[^+]+', i.operands[1].strip('[]'))[0]]}]"
        elif not i.op.startswith("ld"):
            value = _expression(i.op, [_operand(o) for o in i.operands[1:]]) or "guess"
        for register in i.to:
            yield f"{_operand(register)} = {value}"


def _compile(kernel):
    """Python of the kernel: a number says which block is next, found by a tree of comparisons."""
    needed = _needed(kernel)
    specials = sorted({s for body in kernel.bodies for i in body for s in i.sources
                       if s.startswith(("%tid", "%ntid", "%ctaid", "%nctaid", "%envreg", "%laneid"))})
    lines = ["def way(arguments, special, guess):", f"    n = [0] * {len(kernel.blocks)}",
             "    table = special.get('table', ())", "    def load(at):",
             "        at = (at - TABLE) // 4", "        return table[at] if 0 <= at < len(table) else guess"]
    lines += [f"    {_operand(s)} = special.get({s!r}, 0)" for s in specials]
    lines += [f"    {_operand(r)} = 0" for r in sorted(needed - set(specials))] + ["    b = 0", "    while b >= 0:"]

    def leave(index):
        after, end = kernel.after[index], kernel.ends[index]
        if not end:
            return f"b = {after[0] if after else -1}"
        register = _operand(end[0])
        return f"b = {after[0]} if {'not ' if end[1] else ''}{register} else {after[1] if len(after) > 1 else -1}"

    def tree(first, last, pad):
        if last - first > 1:
            middle = (first + last) // 2
            lines.append(f"{pad}if b < {middle}:")
            tree(first, middle, pad + "    ")
            lines.append(f"{pad}else:")
            tree(middle, last, pad + "    ")
            return
        if first in kernel.after[first]:  # a loop of one block
            lines.append(f"{pad}while b == {first}:")
            pad += "    "
        lines.append(f"{pad}n[{first}] += 1")
        lines.extend(pad + s for s in _statements(kernel, kernel.bodies[first], needed))
        lines.append(pad + leave(first))

    tree(0, len(kernel.blocks), "        ")
    scope = {"TABLE": TABLE, "signed": _signed, "div": _div, "rem": lambda a, b: a - b * _div(a, b)}
    exec("\n".join(lines + ["    return n"]), scope)
    return scope["way"], any(" = guess" in line or " = load(" in line for line in lines)


def _signed(x, bits):
    x &= (1 << bits) - 1
    return x - (1 << bits) if x >> (bits - 1) else x


def _div(a, b):
    return 0 if b == 0 else abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)
