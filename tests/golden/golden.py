"""The format of the golden files; golden.h reads it and says what it is."""
import platform

import numpy as np

SAMPLES = 16


def first_line(script, **versions):
    made = ", ".join(f"{name} {version}" for name, version in versions.items())
    print(f"# tests/golden/{script}, Python {platform.python_version()}, {made}, {platform.machine()}")


def numbers(*values):
    return " ".join(f"{float(v):.9g}" for v in values)


def tensor(kind, name, value, single):
    """One line: count, sum, norm, the largest error of single precision (`single` is the tensor in it), samples."""
    value, single = np.asarray(value, float).ravel(), np.asarray(single, float).ravel()
    n = min(value.size, SAMPLES)
    sample = value[np.arange(n) * value.size // n]
    noise = f"{np.abs(value - single).max():.1e}"
    print(kind, name, value.size, numbers(value.sum(), np.sqrt(np.square(value).sum())), noise, numbers(*sample))


def by_use(name):
    """Sorts parameters by the order of the network's layers, which numbers their initial weights (see philox.py);
    PyTorch and Keras keep the order within a layer."""
    middle = ["dense1", "bn1", "dense2", "bn2", "mu", "logvar", "dense3", "bn3", "dense4", "bn4"]
    coder, layer = name.split(".")[:2]
    return ("encoder", "bottleneck", "decoder").index(coder), middle.index(layer) if coder == "bottleneck" else 0
