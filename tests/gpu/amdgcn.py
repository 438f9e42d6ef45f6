"""Kernels as AMD's assembly, as clang writes it."""
import collections
import re

from blocks import Block, Graph


def _words(op):
    width = re.search(r"(?:dword|_b)(x?)(\d+)$", op)
    if not width:
        return 1
    return int(width[2]) if width[1] else max(1, int(width[2]) // 32)


def _class(op):
    if op.startswith(("s_load", "s_buffer_load")):
        return "uniform"
    if op.startswith(("global_load", "flat_load", "buffer_load")):
        return "load"
    if op.startswith(("global_", "flat_", "buffer_")) and "inv" not in op and "wb" not in op:
        return "store"
    if op.startswith("ds_"):
        return "local_load" if "read" in op or "load" in op else "local_store"
    if op == "s_barrier":
        return "barrier"
    if op.startswith(("s_cbranch", "s_branch")):
        return "branch"
    if op.startswith(("s_waitcnt", "s_nop", "s_delay", "s_endpgm", "s_clause", "s_code", "s_set", "s_inst", "buffer_")):
        return None
    if re.match(r"v_(pk_)?(dual_)?(fma|fmac|mad|mac|fmaak|fmamk)_f32", op) or re.match(r"v_(dual_)?fma[am]k_f32", op):
        return "fma"
    if op.startswith("v_") and re.search(r"_f32(_e\d+|$)", op):
        return "float"
    return "integer"


def _count(line, counts):
    for one in line.split("::"):  # two of gfx11 in one
        op = re.sub(r"_e(32|64)$|_dpp$|_sdwa$", "", one.split()[0])
        what = _class(op)
        if not what:
            continue
        counts[what] += 2 if what == "fma" and op.startswith("v_pk_") else 1  # each of a pair is a multiply-add
        if what in ("load", "uniform"):
            counts[what + "_words"] += _words(op)


def _blocks(lines):
    blocks, label, counts, filled = [], "", collections.Counter(), False
    for line in lines:
        line = line.split(";")[0].strip()
        if not line or line.startswith(("s_code_end", ".")) and not line.endswith(":"):
            continue
        if line.endswith(":"):
            if filled or label:
                blocks.append(Block(label, counts, None, True))
                counts, filled = collections.Counter(), False
            label = line[:-1]
            continue
        _count(line, counts)
        filled = True
        op = line.split()[0]
        if op.startswith(("s_cbranch", "s_branch", "s_endpgm")):
            target = None if op == "s_endpgm" else line.split()[1]
            blocks.append(Block(label, counts, target, op.startswith("s_cbranch")))
            label, counts, filled = "", collections.Counter(), False
    return blocks


def read(text):
    """{name: Graph} of a file of assembly."""
    kernels = {}
    for name in re.findall(r"^\s*\.amdhsa_kernel (\w+)", text, re.M):
        start = text.index(f"\n{name}:")
        end = min(text.find(mark, start) for mark in ("\n\t.section", "\n.Lfunc_end") if text.find(mark, start) > 0)
        kernels[name] = Graph(_blocks(text[text.index("\n", start + 1):end].split("\n")))
    return kernels
