#!/usr/bin/env python3
"""What leaves Fovea, read by others: 0 if it gives the numbers that Fovea gives, 77 if it cannot be run here.

usage: run.py SET BY FOVEA CUSTOM IMAGES FOLDER PACKAGES

SET is "sample" or "all" of the configurations below, with the graphs of custom.c, the program CUSTOM; BY is "onnx"
(ONNX Runtime and onnx.checker), "openvino", "numpy" or "torch" (samples/python). FOLDER keeps, by set, the files, which
are made by the first run of a build; PACKAGES has the environments of tests/support/pypi.py.
"""
import itertools
import json
import pathlib
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from pypi import Skip, made, site  # noqa: E402

SKIPPED = 77
HERE = pathlib.Path(__file__).resolve().parent
RUN_METADATA = ["config", "run", "data_hash", "graph"]

# Height, width, channels; layers, depth, size of the code; batch normalization in the blocks; dropout.
SHAPES = [((28, 28, 1), "8,6,4", 2, 2, "on", 0.2),
          ((23, 17, 3), "7,6,5,3", 1, 5, "off", 0.0),
          ((9, 31, 4), "6,5,3", 1, 1, "on", 0.0),
          ((16, 12, 2), "5,2", 2, 3, "off", 0.1),
          ((13, 13, 3), "4,4,3,2", 1, 2, "on", 0.2)]
ACTIVATIONS = ["elu", "relu", "selu", "sigmoid", "tanh", "leaky_relu"]
ATTENTIONS = ["none", "spatial", "channel", "cbam"]


def all_configurations():
    """24: each activation with each attention, the shapes in turn."""
    for i, (activation, attention) in enumerate(itertools.product(ACTIVATIONS, ATTENTIONS)):
        yield {"activation": activation, "attention": attention, "shape": SHAPES[i % len(SHAPES)], "opset": 13 + i % 11}


def sample():
    """An image of one channel that is halved evenly, by the network of tools/train, whose kernels are there; and one
    of three that is not."""
    yield {"activation": "relu", "attention": "spatial", "shape": (None, "4,3,2", 1, 2, "on", 0.2), "opset": 17}
    yield {"activation": "tanh", "attention": "cbam", "shape": ((13, 13, 3), "4,3", 1, 2, "on", 0.2), "opset": 18}


def write_images(path, shape):
    """IDX files of smooth noise cannot have channels, so .npy by hand: 48 images to train and 16 to test on."""
    path.mkdir(parents=True, exist_ok=True)
    for split, count in (("train", 48), ("test", 16)):
        sides = (count, *shape)
        head = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {sides}, }}".ljust(117) + "\n"
        size = count * shape[0] * shape[1] * shape[2]
        data = bytes((i * i // 97 + i * 31) % 256 for i in range(size))
        (path / f"x_{split}.npy").write_bytes(b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little")
                                              + head.encode() + data)


def run(*command):
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}: {done.returncode}\n{done.stdout}")


def export(fovea, folder, network, c, values):
    """The network's ONNX files, of which every second is folded: cases of check.py."""
    for k, part in enumerate(("both", "encoder", "decoder")):
        path = folder / f"{part}.onnx"
        fold = ["--fold-bn"] if (c["opset"] + k) % 2 else []
        run(fovea, "export", "--run", network.parent, "--out", path, "--part", part, "--opset", c["opset"], *fold)
        yield {"onnx": str(path), "network": str(network), "values": str(values), "opset": c["opset"],
               "last": "reconstructions", "metadata": RUN_METADATA}


def make_run(fovea, images, folder, c):
    shape, arch, depth, latent, batchnorm, dropout = c["shape"]
    data = images if shape is None else folder / "images"
    few = ["--limit-train", 64, "--limit-test", 32] if shape is None else []
    if shape is not None:
        write_images(data, shape)
    run(fovea, "train", "--data", data, "--out", folder / "run", "--arch", arch, "--depth", depth, "--latent", latent,
        "--activation", c["activation"], "--attention", c["attention"], "--batchnorm", batchnorm, "--dropout", dropout,
        "--batch", 16, "--epochs", 2, "--bn-momentum", 0.5, *few)
    values = folder / "values.safetensors"
    run(fovea, "reconstruct", "--run", folder / "run", "--data", data, "--out", folder / "pairs.png", "--count", 16,
        "--save", values)
    yield from export(fovea, folder, folder / "run" / "checkpoint.safetensors", c, values)


def make_custom(custom, folder):
    run(custom, folder)
    for name, last in (("every", "reconstructions"), ("shapes", "output")):
        for suffix in ("", "-folded"):
            yield {"onnx": str(folder / f"{name}{suffix}.onnx"), "network": str(folder / f"{name}.safetensors"),
                   "values": str(folder / f"{name}-values.safetensors"), "opset": 17, "last": last,
                   "metadata": ["graph"]}


def make(kind, fovea, custom, images, folder):
    """Anew where the programs are newer."""
    done = folder / "cases.json"
    newest = max(pathlib.Path(p).stat().st_mtime for p in (fovea, custom, __file__))
    if done.exists() and done.stat().st_mtime > newest:
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    cases = list(make_custom(custom, folder))
    for i, c in enumerate(all_configurations() if kind == "all" else sample()):
        (folder / str(i)).mkdir()
        cases += make_run(fovea, images, folder / str(i), c)
    done.write_text(json.dumps(cases, indent=1))


def python_with_torch():
    """The system's, where it has PyTorch. Its numpy is PyTorch's, so that the packages come behind."""
    for python in ("/usr/bin/python3", sys.executable):
        has = subprocess.run([python, "-c", "import torch, numpy"], stderr=subprocess.DEVNULL, check=False)
        if has.returncode == 0:
            return python
    raise Skip("not installed: PyTorch (Debian's python3-torch)")


def main(kind, by, fovea, custom, images, folder, packages):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        place = made(packages, "long" if by == "openvino" else "suite")
        python = python_with_torch() if by == "torch" else place / "bin" / "python3"
    except Skip as reason:
        print(f"skipped: {reason}")
        return SKIPPED
    make(kind, fovea, custom, images, folder / kind)
    return subprocess.run([python, HERE / "check.py", by, folder / kind, site(place)], check=False).returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
