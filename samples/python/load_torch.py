"""A network of Fovea in PyTorch, by the graph in its file; tools/README.md says what each op is.

values = Network("run/checkpoint.safetensors")(images) has one for each node, in order; images are floats from 0 to 1,
[batch, channels, height, width]. It is made for evaluation: no dropout, z is mu, batch normalization as it was left."""
import json
import torch
import torch.nn.functional as F
from safetensors import safe_open

class Network(torch.nn.Module):
    def __init__(self, path):
        super().__init__()
        with safe_open(path, framework="pt") as file:
            self.nodes = json.loads(file.metadata()["graph"])["nodes"]
            arrays = [[channels_first(file.get_tensor(name).float(), n) for name in n["parameters"]] for n in self.nodes]
        self.arrays = torch.nn.ModuleList(torch.nn.ParameterList(a) for a in arrays)

    def forward(self, images, given={}):
        """Values in `given`, by their node, are not computed: {z: codes} decodes codes."""
        values = []
        for i, (n, arrays) in enumerate(zip(self.nodes, self.arrays)):
            inputs = [values[k] for k in n["inputs"]] or [images]
            values.append(given[i] if i in given else OPS[n["op"]](n, n["attributes"], list(arrays), *inputs))
        return values

def channels_first(a, n):
    """Units in the order (c, h, w) of the image that they are; the file has (h, w, c)."""
    for axis, key in enumerate(("rows", "columns")):
        if key in n and a.dim() > axis:
            c, h, w = n[key]
            a = a.index_select(axis, torch.arange(c * h * w).reshape(h, w, c).permute(2, 0, 1).flatten())
    return a

def conv(n, a, p, x):
    top, left, bottom, right = n["pads"]
    return F.conv2d(F.pad(x, (left, right, top, bottom)), *p, stride=a["stride"])

def conv_transpose(n, a, p, x):
    (top, left, _, _), (_, h, w) = n["pads"], n["shape"]
    y = F.conv_transpose2d(x, *p, stride=a["stride"], output_padding=a["stride"] - 1)
    return y[:, :, top:top + h, left:left + w]

def spatial(n, a, p, x):
    return x * torch.sigmoid(F.conv2d(torch.cat([x.amax(1, True), x.mean(1, True)], 1), *p, padding=2))

def channel(n, a, p, x):
    mlp = lambda v: F.linear(F.relu(F.linear(v, *p[:2])), *p[2:])[:, :, None, None]
    return x * torch.sigmoid(mlp(x.mean((2, 3))) + mlp(x.amax((2, 3))))

ACTIVATIONS = {"linear": lambda x: x, "relu": F.relu, "elu": F.elu, "selu": F.selu, "sigmoid": torch.sigmoid,
               "tanh": torch.tanh, "leaky_relu": lambda x: F.leaky_relu(x, 0.3)}
OPS = {"input": lambda n, a, p, x: x, "conv2d": conv, "conv2d_transpose": conv_transpose,
       "dense": lambda n, a, p, x: F.linear(x.flatten(1), *p)[:, :, None, None],
       "batchnorm": lambda n, a, p, x: F.batch_norm(x, p[2], p[3], p[0], p[1], eps=a["epsilon"]),
       "activation": lambda n, a, p, x: ACTIVATIONS[a["activation"]](x), "dropout": lambda n, a, p, x: x,
       "spatial_attention": spatial, "channel_attention": channel, "reshape": lambda n, a, p, x: x.reshape(-1, *n["shape"]),
       "concat": lambda n, a, p, *xs: torch.cat(xs, 1), "residual": lambda n, a, p, x, y: x + y,
       "reparameterize": lambda n, a, p, mu, logvar: mu, "sigmoid_bce": lambda n, a, p, x, images: torch.sigmoid(x)}
