"""A network of Fovea in plain numpy, by the graph in its file; tools/README.md says what each op is.

values = run(load("run/checkpoint.safetensors"), images) has one for each node, in order; images are floats from 0 to 1,
[batch, channels, height, width]. What only matters in training is left out: dropout, samples (z is mu), the loss."""
import json
import numpy as np
from safetensors import safe_open

def load(path):
    """The nodes, each with its numbers as "arrays"; units in the order (c, h, w) of the image that they are."""
    with safe_open(path, framework="np") as file:
        nodes = json.loads(file.metadata()["graph"])["nodes"]
        for node in nodes:
            node["arrays"] = [file.get_tensor(name).astype(float) for name in node["parameters"]]
            for axis, key in enumerate(("rows", "columns")):
                if key in node:
                    c, h, w = node[key]
                    order = np.arange(c * h * w).reshape(h, w, c).transpose(2, 0, 1).ravel()
                    node["arrays"] = [a.take(order, axis) if a.ndim > axis else a for a in node["arrays"]]
    return nodes

def run(nodes, images, given={}):
    """Values in `given`, by their node, are not computed: {z: codes} decodes codes."""
    values = []
    for i, n in enumerate(nodes):
        inputs = [values[k] for k in n["inputs"]] or [images]
        values.append(given[i] if i in given else OPS[n["op"]](n, n["attributes"], n["arrays"], *inputs))
    return values

def conv(x, w, b, pads, stride=1):
    x = np.pad(x, ((0, 0), (0, 0), (pads[0], pads[2]), (pads[1], pads[3])))
    windows = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], (2, 3))[:, :, ::stride, ::stride]
    return np.einsum("nchwij,kcij->nkhw", windows, w, optimize=True) + column(b)

def conv_transpose(x, w, b, pads, stride, shape):
    apart = np.zeros((*x.shape[:2], x.shape[2] * stride, x.shape[3] * stride))
    apart[:, :, ::stride, ::stride] = x
    y = conv(apart, w.swapaxes(0, 1)[:, :, ::-1, ::-1], b, [w.shape[2] - 1] * 4)
    return y[:, :, pads[0]:pads[0] + shape[1], pads[1]:pads[1] + shape[2]]

def column(v): return np.reshape(v, (1, -1, 1, 1))
def sigmoid(x): return 0.5 + 0.5 * np.tanh(x / 2)
def elu(x): return np.where(x > 0, x, np.expm1(np.minimum(x, 0)))
def perceptron(v, w1, b1, w2, b2): return (np.maximum(v @ w1.T + b1, 0) @ w2.T + b2)[:, :, None, None]
ACTIVATIONS = {"linear": lambda x: x, "relu": lambda x: np.maximum(x, 0), "elu": elu, "sigmoid": sigmoid,
               "selu": lambda x: 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * elu(x)),
               "tanh": np.tanh, "leaky_relu": lambda x: np.where(x > 0, x, 0.3 * x)}
OPS = {"conv2d": lambda n, a, p, x: conv(x, p[0], p[1] if a["bias"] else 0, n["pads"], a["stride"]),
       "conv2d_transpose": lambda n, a, p, x: conv_transpose(x, p[0], p[1] if a["bias"] else 0, n["pads"], a["stride"], n["shape"]),
       "dense": lambda n, a, p, x: (x.reshape(len(x), -1) @ p[0].T + sum(p[1:]))[:, :, None, None],
       "batchnorm": lambda n, a, p, x: (x - column(p[2])) * column(p[0] / np.sqrt(p[3] + a["epsilon"])) + column(p[1]),
       "activation": lambda n, a, p, x: ACTIVATIONS[a["activation"]](x), "input": lambda n, a, p, x: x,
       "spatial_attention": lambda n, a, p, x: x * sigmoid(conv(np.stack([x.max(1), x.mean(1)], 1), *p, [2] * 4)),
       "channel_attention": lambda n, a, p, x: x * sigmoid(perceptron(x.mean((2, 3)), *p) + perceptron(x.max((2, 3)), *p)),
       "reshape": lambda n, a, p, x: x.reshape(-1, *n["shape"]), "concat": lambda n, a, p, *xs: np.concatenate(xs, 1),
       "residual": lambda n, a, p, x, y: x + y, "dropout": lambda n, a, p, x: x,
       "reparameterize": lambda n, a, p, mu, logvar: mu, "sigmoid_bce": lambda n, a, p, x, images: sigmoid(x)}
