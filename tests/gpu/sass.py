"""Kernels as NVIDIA's machine code, as nvdisasm -c writes it. Loads that are uniform are not told from others."""
import collections
import re

from blocks import Block, Graph


def _class(op):
    name = op.split(".")[0]
    if name in ("FFMA", "FFMA2"):
        return "fma"
    if name in ("FADD", "FMUL", "FSEL", "FSETP", "FMNMX", "MUFU", "FCHK", "FSET", "FSWZADD"):
        return "float"
    for start, what in (("LDG", "load"), ("LDS", "local_load"), ("STG", "store"), ("STS", "local_store"),
                        ("BAR", "barrier"), ("BRA", "branch"), ("RET", "branch"), ("CALL", "branch")):
        if name.startswith(start):
            return what
    return None if name in ("NOP", "EXIT", "BSSY", "BSYNC") else "integer"


def _words(op):
    width = re.search(r"\.(64|128)", op)
    return int(width[1]) // 32 if width else 1


def _blocks(lines):
    blocks, label, counts, filled = [], "", collections.Counter(), False

    def end(target, then):
        nonlocal label, counts, filled
        blocks.append(Block(label, counts, target, then))
        label, counts, filled = "", collections.Counter(), False

    for line in lines:
        if re.match(r"\.L_\w+:", line.strip()):
            if filled or label:
                end(None, True)
            label = line.strip()[:-1]
            continue
        found = re.match(r"\s*/\*[0-9a-f]+\*/\s+(@!?U?P\w+ )?\s*(\S+)(.*)", line)
        if not found:
            continue
        guard, op, rest = found[1], found[2].rstrip(";"), found[3]
        what = _class(op)
        if what:
            counts[what] += 1
        if what == "load":
            counts["load_words"] += _words(op)
        filled = True
        if op.startswith("BRA"):
            end(re.search(r"\((\.L_\w+)\)", rest)[1], guard is not None)
        elif op.startswith(("EXIT", "RET")) and not guard:
            end(None, False)
    if filled or label:
        end(None, False)
    return blocks


def read(text):
    """{name: Graph} of what nvdisasm wrote."""
    kernels = {}
    for part in re.split(r"^\.text\.", text, flags=re.M)[1:]:
        name = re.match(r"\w+", part)[0]
        kernels[name] = Graph(_blocks(re.split(r"^\s*//-+ \.", part, flags=re.M)[0].split("\n")))
    return kernels
