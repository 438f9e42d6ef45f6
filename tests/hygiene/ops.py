#!/usr/bin/env python3
"""Every op and every activation of the list (src/graph/ops.h) has all that an op has: a kernel file of its stem, two
references, a test, a golden from PyTorch, a mutation, its lines for those who take a network elsewhere. (Its programs:
tests/offline. Its row in the self-test, in the benchmark and in the graph of every op comes from the list.)

    ops.py [--sample]    --sample: takes each of these away in a copy, and fails where that is not noticed
"""
import re
import shutil
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
READ = ["src/graph/ops.h", "src/ref", "src/op", "cl", "tests/op", "tests/golden/ops.txt", "tests/mutate/mutations.txt",
        "include/fovea/graph.h", "src/export/translate.c", "tests/export/run.py", "tools/README.md",
        "samples/python/load_torch.py", "samples/python/load_numpy.py"]
# Where ops and activations are listed besides, and how. An input is in the ONNX graph, not translated.
SAMPLES = [("samples/python/load_torch.py", '"{name}":'), ("samples/python/load_numpy.py", '"{name}":')]
OP_LISTS = [("src/export/translate.c", "[FOVEA_OP_{upper}] ="), ("tools/README.md", "| `{name}` |"), *SAMPLES]
LISTS = [("src/export/translate.c", "[FOVEA_{upper}] ="), ("tests/export/run.py", '"{name}"'), ("tools/README.md", "`{name}`"),
         *SAMPLES]


def read_list(root, macro):
    """[(name, NAME, flags)]"""
    text = (root / "src/graph/ops.h").read_text()
    body = re.search(rf"#define {macro}\(X\)((?:.*\\\n)+.*)", text)[1].replace("\\\n", " ")
    return re.findall(r"X\((\w+),\s*(\w+),\s*([^)]*)\)", body)


def text_of(root, pattern):
    return "\n".join(p.read_text() for p in sorted(root.glob(pattern)))


def missing(root, lists, name, upper):
    for file, entry in lists:
        if entry.format(name=name, upper=upper) not in (root / file).read_text():
            yield f"{name}: {file} has no {entry.format(name=name, upper=upper)}"


def check_ops(root):
    references, goldens = text_of(root, "src/ref/*.c"), (root / "tests/golden/ops.txt").read_text()
    mutations = re.findall(r"^--- (\S+) (\S+)", (root / "tests/mutate/mutations.txt").read_text(), re.M)
    for name, upper, flags in read_list(root, "FOVEA_OPS"):
        if not (root / f"src/op/{name}.c").exists():
            yield f"{name}: no src/op/{name}.c"
        if "FOVEA_SHARES_KERNELS" not in flags and not (root / f"cl/{name}.cl").exists():
            yield f"{name}: no kernels cl/{name}.cl"
        for kind, what in (("ref", "reference"), ("canonical", "canonical twin")):
            for way in ("forward", "backward"):
                if not re.search(rf"^void {kind}_{way}_{name}\(", references, re.M):
                    yield f"{name}: no {what} {kind}_{way}_{name} in src/ref"
        if not re.search(rf"^void ref_shape_{name}\(", references, re.M):
            yield f"{name}: no reference ref_shape_{name} in src/ref"
        if "cmocka_unit_test" not in text_of(root, f"tests/op/test_{name}.c"):
            yield f"{name}: no test tests/op/test_{name}.c, or none in it"
        if "FOVEA_IS_SOURCE" not in flags and not re.search(rf"^case \S+ {name}\b", goldens, re.M):
            yield f"{name}: no golden in tests/golden/ops.txt"
        prefix = name.replace("_", "-") + "-"
        own = (f"src/op/{name}.c", f"cl/{name}.cl", f"cl/common/{name}.clh")
        if not any(file in own or m.startswith(prefix) for m, file in mutations):
            yield f"{name}: no mutation of src/op/{name}.c or cl/{name}.cl, nor one called {prefix}..."
        yield from missing(root, OP_LISTS[1:] if "FOVEA_IS_SOURCE" in flags else OP_LISTS, name, upper)


def check_mutations(root):
    for name, file in re.findall(r"^--- (\S+) (\S+)", (root / "tests/mutate/mutations.txt").read_text(), re.M):
        if file.startswith(("cl/", "src/op/", "src/ref/")) and not (root / file).is_file():
            yield f"{name}: a mutation of {file}, which is not there"


def check_activations(root):
    kernels = (root / "cl/common/activation.clh").read_text()
    canonical, double = (root / "src/ref/canonical_math.h").read_text(), (root / "src/ref/pointwise.c").read_text()
    goldens, mutations = (root / "tests/golden/ops.txt").read_text(), (root / "tests/mutate/mutations.txt").read_text()
    public = re.search(r"typedef enum fovea_activation \{(.*?)\}", (root / "include/fovea/graph.h").read_text(), re.S)[1]
    public = re.findall(r"FOVEA_(\w+)", re.sub(r"/\*.*?\*/", "", public, flags=re.S))
    table = read_list(root, "FOVEA_ACTIVATIONS")
    if public != [upper for _, upper, _ in table]:
        yield f"include/fovea/graph.h has the activations {public}, the list others or in another order"
    moves = re.search(r"#define MOVES_ZERO (.*)", kernels)[1]
    for i, (name, upper, columns) in enumerate(table):
        moves_zero = columns.split(",")[0].strip()
        if not re.search(rf"^case {name} activation\b", goldens, re.M):
            yield f"{name}: no golden in tests/golden/ops.txt"
        if (moves_zero == "1") != bool(re.search(rf"\b{upper}\b", moves)):
            yield f"{name}: MOVES_ZERO of cl/common/activation.clh is not what the list says"
        if i == 0:
            continue  # linear: what is left where there is no other
        if not re.search(rf"^#define {upper} {i}$", kernels, re.M):
            yield f"{name}: cl/common/activation.clh does not define {upper} as {i}"
        if len(re.findall(rf"ACTIVATION == {upper}\b", kernels)) < 2 + int(moves_zero):
            yield f"{name}: cl/common/activation.clh lacks it or its derivative"
        if len(re.findall(rf"case REF_{upper}:", canonical)) != 2:
            yield f"{name}: no canonical twin of it and its derivative in src/ref/canonical_math.h"
        if len(re.findall(rf"case REF_{upper}:", double)) != 2:
            yield f"{name}: no reference of it and its derivative in src/ref/pointwise.c"
        if not re.search(rf"^--- {name.replace('_', '-')}-\S+ cl/common/activation.clh ", mutations, re.M):
            yield f"{name}: no mutation {name.replace('_', '-')}-... of cl/common/activation.clh"
        yield from missing(root, LISTS, name, upper)


def check(root):
    return [*check_ops(root), *check_mutations(root), *check_activations(root)]


ALL = r"(?s)\A.*\Z"
# What is taken away, and of whom it is said: FILE, a pattern and what replaces it; None: the whole file.
SAMPLE = [
    ("concat: no src/op", "src/op/concat.c", None, None),
    ("reshape: no kernels", "cl/reshape.cl", None, None),
    ("batchnorm: no reference", "src/ref/nodes.c", r"void ref_backward_batchnorm\(", "void gone("),
    ("dense: no canonical twin", "src/ref/canonical_nodes.c", r"void canonical_forward_dense\(", "void gone("),
    ("dropout: no test", "tests/op/test_dropout.c", None, None),
    ("residual: no test", "tests/op/test_residual.c", ALL, ""),
    ("gone-by-now: a mutation of cl/gone.cl", "tests/mutate/mutations.txt", r"\A", "--- gone-by-now cl/gone.cl x\n"),
    ("conv2d_transpose: no golden", "tests/golden/ops.txt", r"(case \S+) conv2d_transpose", r"\1 gone"),
    ("sigmoid_bce: no mutation", "tests/mutate/mutations.txt", r"--- \S+ cl/sigmoid_bce.cl", "--- gone cl/gone.cl"),
    ("elu: no golden", "tests/golden/ops.txt", "case elu", "case gone"),
    ("relu: cl/common/activation.clh lacks", "cl/common/activation.clh", "ACTIVATION == RELU", "ACTIVATION == 2"),
    ("selu: no canonical twin", "src/ref/canonical_math.h", "case REF_SELU:", "case 3:"),
    ("sigmoid: no reference", "src/ref/pointwise.c", "case REF_SIGMOID:", "case 4:"),
    ("selu: no mutation", "tests/mutate/mutations.txt", "--- selu-", "--- gone-"),
    ("dense: src/export/translate.c has no", "src/export/translate.c", r"\[FOVEA_OP_DENSE\]", "[FOVEA_GONE]"),
    ("residual: tools/README.md has no", "tools/README.md", r"\| `residual` \|", "| `gone` |"),
    ("concat: samples/python/load_torch.py has no", "samples/python/load_torch.py", '"concat":', '"gone":'),
    ("selu: src/export/translate.c has no", "src/export/translate.c", r"\[FOVEA_SELU\]", "[FOVEA_GONE]"),
    ("tanh: samples/python/load_numpy.py has no", "samples/python/load_numpy.py", '"tanh"', '"gone"'),
    ("sigmoid: MOVES_ZERO", "cl/common/activation.clh", "#define MOVES_ZERO .*", "#define MOVES_ZERO 0"),
    ("include/fovea/graph.h has the activations", "include/fovea/graph.h", "FOVEA_SELU, ", ""),
]


def check_sample(expected, file, pattern, replacement):
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for name in READ:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (shutil.copytree if (ROOT / name).is_dir() else shutil.copyfile)(ROOT / name, root / name)
        if pattern is None:
            (root / file).unlink()
        else:
            text, count = re.subn(pattern, replacement, (root / file).read_text())
            assert count > 0, f"{file} has no {pattern}"
            (root / file).write_text(text)
        return any(finding.startswith(expected) for finding in check(root))


def main():
    findings = check(ROOT)
    if "--sample" in sys.argv:
        findings = [f"not noticed: {sample[0]}" for sample in SAMPLE if not check_sample(*sample)]
    print("\n".join(findings))
    print(f"ops: {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
