"""The format of the golden files; golden.h reads it and says what it is."""
import platform

import numpy as np

SAMPLES = 16
DRAWS = 5


def first_line(script, **versions):
    made = ", ".join(f"{name} {version}" for name, version in versions.items())
    print(f"# tests/golden/{script}, Python {platform.python_version()}, {made}, {platform.machine()}")


def numbers(*values):
    return " ".join(f"{float(v):.9g}" for v in values)


def initial(weights, draw):
    """Initial weights for single precision: those, or of another draw within their rounding. What a training makes of
    one draw or another differs by rounding alone; a single one may happen to come close to double precision."""
    if draw == 0:
        return weights
    random = np.random.RandomState(draw)
    return weights * (1 + 2.0**-24 * random.uniform(-1, 1, weights.shape))


def losses(values, singles):
    """One line: a step's losses, then the largest error of each in single precision (`singles`, a row a draw)."""
    print("loss", numbers(*values), *(f"{e:.1e}" for e in np.abs(np.subtract(singles, values)).max(0)))


def tensor(kind, name, value, singles):
    """One line: count, sum, norm, the largest error of single precision (`singles` are the tensor in it), samples."""
    value = np.asarray(value, float).ravel()
    n = min(value.size, SAMPLES)
    sample = value[np.arange(n) * value.size // n]
    noise = f"{max(np.abs(value - np.asarray(single, float).ravel()).max() for single in singles):.1e}"
    print(kind, name, value.size, numbers(value.sum(), np.sqrt(np.square(value).sum())), noise, numbers(*sample))


def by_use(name):
    """Sorts parameters by the order of the network's layers, which numbers their initial weights (see philox.py);
    PyTorch and Keras keep the order within a layer."""
    middle = ["dense1", "bn1", "dense2", "bn2", "mu", "logvar", "dense3", "bn3", "dense4", "bn4"]
    coder, layer = name.split(".")[:2]
    return ("encoder", "bottleneck", "decoder").index(coder), middle.index(layer) if coder == "bottleneck" else 0
