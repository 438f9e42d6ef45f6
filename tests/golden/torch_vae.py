#!/usr/bin/env python3
"""The seed network (DESIGN.md, section 4) in PyTorch with Keras's numbers: the oracle of a whole training run.

Needs torch and numpy, e.g. Debian's python3-torch (1.13), and an IDX data set, e.g. dataset-fashion-mnist.
Where PyTorch and Keras differ this file is Keras: see pad_same, up_same, BatchNorm, glorot, bce and Adam.
Parameters carry the checkpoint's names and axis order, so --save and --init exchange files with fovea.
The random numbers (start, shuffle, masks, samples) are PyTorch's: runs agree in distribution, not bit for bit.
make_training.py trains the same network with Fovea's random numbers instead.
"""
import argparse, gzip, json, math, os, struct, sys, time
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

import philox

dropout = F.dropout  # make_training.py puts Fovea's masks here

ACTIVATIONS = {"relu": F.relu, "elu": F.elu, "selu": F.selu, "sigmoid": torch.sigmoid, "linear": lambda x: x}


def pad_same(x, k, s):
    """Keras's 'same': total = max((ceil(n/s) - 1) s + k - n, 0), half of it (rounded down) before."""
    pads = []
    for n in (x.shape[3], x.shape[2]):  # F.pad counts from the last axis
        total = max((-(-n // s) - 1) * s + k - n, 0)
        pads += [total // 2, total - total // 2]
    return F.pad(x, pads) if any(pads) else x


def conv_same(x, weight, bias=None, s=1):
    k = weight.shape[2]
    if s == 1 and k % 2:  # the padding is symmetric: let the convolution do it
        return F.conv2d(x, weight, bias, padding=k // 2)
    return F.conv2d(pad_same(x, k, s), weight, bias, stride=s)


def up_same(x, weight, s=2, size=None):
    """The exact gradient of conv_same from `size` pixels, n s without one, to n: the full result less the padding."""
    k, (h, w) = weight.shape[2], size or [n * s for n in x.shape[2:]]
    top, left = (max((-(-n // s) - 1) * s + k - n, 0) // 2 for n in (h, w))
    y = F.conv_transpose2d(x, weight, stride=s)
    y = F.pad(y, [0, max(w + left - y.shape[3], 0), 0, max(h + top - y.shape[2], 0)])
    return y[:, :, top:top + h, left:left + w]


def glorot(*shape):
    """Glorot uniform; the fans include the receptive field."""
    field = math.prod(shape[2:])
    limit = math.sqrt(6 / ((shape[0] + shape[1]) * field))
    return nn.Parameter(torch.empty(shape).uniform_(-limit, limit))


class Weight(nn.Module):
    """A kernel, with a zero bias if asked; the caller applies it."""

    def __init__(self, *shape, bias=0):
        super().__init__()
        self.weight = glorot(*shape)
        self.bias = nn.Parameter(torch.zeros(bias)) if bias else None


class BatchNorm(nn.Module):
    """Momentum 0.99, eps 1e-3, biased variance in the moving average too (nn.BatchNorm keeps the unbiased)."""

    def __init__(self, c):
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(c)), nn.Parameter(torch.zeros(c))
        self.register_buffer("running_mean", torch.zeros(c))
        self.register_buffer("running_var", torch.ones(c))

    def forward(self, x):
        if not self.training:
            return F.batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias, False, 0, 1e-3)
        mean, var = torch.zeros_like(self.running_mean), torch.zeros_like(self.running_var)
        y = F.batch_norm(x, mean, var, self.weight, self.bias, True, 1, 1e-3)
        n = x.numel() // x.shape[1]
        self.running_mean.lerp_(mean, 0.01)
        self.running_var.lerp_(var * ((n - 1) / n), 0.01)
        return y


class ChannelAttention(nn.Module):
    """CBAM, arXiv:1807.06521, equation 2."""

    def __init__(self, c):
        super().__init__()
        hidden = max(c // 16, 1)
        self.fc1, self.fc2 = Weight(hidden, c, bias=hidden), Weight(c, hidden, bias=c)

    def mlp(self, x):
        return F.linear(F.relu(F.linear(x, self.fc1.weight, self.fc1.bias)), self.fc2.weight, self.fc2.bias)

    def forward(self, x):
        scale = torch.sigmoid(self.mlp(x.mean((2, 3))) + self.mlp(x.amax((2, 3))))
        return x * scale[:, :, None, None]


class Attention(nn.Module):
    def __init__(self, kind, c):
        super().__init__()
        self.channel = ChannelAttention(c) if kind in ("channel", "cbam") else None
        self.spatial = Weight(1, 2, 5, 5, bias=1) if kind in ("spatial", "cbam") else None

    def forward(self, x):
        if self.channel is not None:
            x = self.channel(x)
        if self.spatial is not None:
            pooled = torch.cat([x.amax(1, keepdim=True), x.mean(1, keepdim=True)], 1)
            x = x * torch.sigmoid(conv_same(pooled, self.spatial.weight, self.spatial.bias))
        return x


class Block(nn.Module):
    """A dense block: each convolution block sees the concatenation of all before it."""

    def __init__(self, c, units, o):
        super().__init__()
        self.o, self.c_out = o, c + units * o.depth
        for j in range(1, o.depth + 1):
            self.add_module(f"conv{j}", Weight(units, c + units * (j - 1), 3, 3))
            if o.attention != "none":
                self.add_module(f"attention{j}", Attention(o.attention, units))
            if o.batchnorm:
                self.add_module(f"bn{j}", BatchNorm(units))

    def forward(self, x):
        o, layer = self.o, self._modules
        for j in range(1, o.depth + 1):
            y = conv_same(x, layer[f"conv{j}"].weight)
            if o.attention != "none":
                y = layer[f"attention{j}"](y)
            if o.batchnorm:
                y = layer[f"bn{j}"](y)
            if o.dropout > 0:
                y = dropout(y, o.dropout, self.training)
            x = torch.cat([x, ACTIVATIONS[o.activation](y)], 1)
        return x


class Coder(nn.Module):
    def __init__(self, c_in, units, c_out, up, o):
        super().__init__()
        self.inner, self.up, c = len(units) - 2, up, units[0]
        self.conv_in = Weight(c, c_in, 3, 3)
        for i, u in enumerate(units[1:-1], 1):
            block = Block(c, u, o)
            self.add_module(f"block{i}", block)
            shape = (block.c_out, u) if up else (u, block.c_out)
            self.add_module(f"up{i}" if up else f"down{i}", Weight(*shape, 3, 3))
            c = u
        self.conv_out, self.bn_out = Weight(c_out, c, 3, 3), BatchNorm(c_out)

    def forward(self, x, sizes=None):
        """`sizes`: of a decoder, what each step up leads to."""
        layer = self._modules
        x = F.relu(conv_same(x, self.conv_in.weight))
        for i in range(1, self.inner + 1):
            x = layer[f"block{i}"](x)
            if self.up:
                x = up_same(x, layer[f"up{i}"].weight, size=sizes[i - 1])
            else:
                x = conv_same(x, layer[f"down{i}"].weight, s=2)
        x = self.bn_out(conv_same(x, self.conv_out.weight))
        return torch.sigmoid(x) if self.up else F.relu(x)


class Bottleneck(nn.Module):
    """Flattens in Keras's (h, w, c) order; eps None draws the standard normal sample."""

    def __init__(self, h, w, c, latent):
        super().__init__()
        m = h * w * c
        for i, (a, b) in enumerate([(m, m), (m, latent), (latent, latent), (latent, m)], 1):
            self.add_module(f"dense{i}", Weight(b, a))
            self.add_module(f"bn{i}", BatchNorm(b))
        self.mu, self.logvar = Weight(latent, latent, bias=latent), Weight(latent, latent, bias=latent)

    def dense(self, i, x):
        return F.relu(self._modules[f"bn{i}"](F.linear(x, self._modules[f"dense{i}"].weight)))

    def forward(self, x, eps=None):
        n, c, h, w = x.shape
        x = self.dense(2, self.dense(1, x.permute(0, 2, 3, 1).reshape(n, -1)))
        mu = F.linear(x, self.mu.weight, self.mu.bias)
        logvar = F.linear(x, self.logvar.weight, self.logvar.bias)
        z = mu + torch.exp(0.5 * logvar) * (torch.randn_like(mu) if eps is None else eps)
        return self.dense(4, self.dense(3, z)).view(n, h, w, c).permute(0, 3, 1, 2), mu, logvar


class VAE(nn.Module):
    def __init__(self, o, channels, height, width):
        super().__init__()
        units, self.sizes = o.arch, [(height, width)]
        for _ in units[1:-1]:
            self.sizes.append(tuple(-(-n // 2) for n in self.sizes[-1]))
        self.encoder = Coder(channels, units, units[-1], False, o)
        self.bottleneck = Bottleneck(*self.sizes[-1], units[-1], o.latent)
        self.decoder = Coder(units[-1], units[::-1], channels, True, o)

    def forward(self, x, eps=None):
        y, mu, logvar = self.bottleneck(self.encoder(x), eps)
        return self.decoder(y, self.sizes[-2::-1]), mu, logvar


def bce(p, y):
    p = p.clamp(1e-7, 1 - 1e-7)
    return -(y * p.log() + (1 - y) * (1 - p).log()).mean()


def kl(mu, logvar):
    return -0.5 * (1 + logvar - mu * mu - logvar.exp()).sum(1).mean()


class Adam:
    """Keras's form: eps is outside the bias correction (torch.optim.Adam puts it inside)."""

    def __init__(self, parameters, lr, decay):
        self.p, self.lr, self.decay, self.iteration = list(parameters), lr, decay, 0
        self.m = [torch.zeros_like(p) for p in self.p]
        self.v = [torch.zeros_like(p) for p in self.p]

    @torch.no_grad()
    def step(self):
        t = self.iteration + 1
        lr = self.lr / (1 + self.decay * self.iteration) * math.sqrt(1 - 0.999 ** t) / (1 - 0.9 ** t)
        for p, m, v in zip(self.p, self.m, self.v):
            m.lerp_(p.grad, 0.1)
            v.mul_(0.999).addcmul_(p.grad, p.grad, value=0.001)
            p.addcdiv_(m, v.sqrt().add_(1e-7), value=-lr)
            p.grad = None
        self.iteration = t


def save_safetensors(path, net, metadata):
    data, header = b"", {"__metadata__": metadata}
    for name, t in net.state_dict().items():
        b = t.detach().contiguous().numpy().astype("<f4").tobytes()
        header[name] = {"dtype": "F32", "shape": list(t.shape), "data_offsets": [len(data), len(data) + len(b)]}
        data += b
    head = json.dumps(header).encode()
    head += b" " * (-len(head) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(head)) + head + data)


def load_safetensors(path, net):
    """Copies every tensor of net from the file; what else the file holds (optimizer state) is skipped."""
    with open(path, "rb") as f:
        raw = f.read()
    (n,) = struct.unpack("<Q", raw[:8])
    header, data = json.loads(raw[8:8 + n]), raw[8 + n:]
    state = {}
    for name, t in net.state_dict().items():
        e = header[name]
        assert e["dtype"] == "F32" and e["shape"] == list(t.shape), f"{name}: {e}, expected {list(t.shape)}"
        a = np.frombuffer(data[slice(*e["data_offsets"])], "<f4").reshape(t.shape)
        state[name] = torch.tensor(a)
    net.load_state_dict(state)


def read_idx(path):
    with (open(path, "rb") if os.path.exists(path) else gzip.open(path + ".gz")) as f:
        raw = f.read()
    assert raw[:3] == b"\0\0\x08", f"{path}: begins with {raw[:4].hex()}"
    dims = struct.unpack(f">{raw[3]}I", raw[4:4 + 4 * raw[3]])
    return np.frombuffer(raw, np.uint8, math.prod(dims), 4 + 4 * raw[3]).reshape(dims)


def load_images(folder, stem, limit):
    """The same images that Fovea takes with the same limit."""
    name = os.path.join(folder, stem + "-images-idx")
    gray = any(os.path.exists(name + "3-ubyte" + end) for end in ("", ".gz"))
    images = read_idx(name + "3-ubyte")[:, None] if gray else read_idx(name + "4-ubyte").transpose(0, 3, 1, 2)
    labels = read_idx(os.path.join(folder, stem + "-labels-idx1-ubyte"))
    chosen = philox.fair_sample(labels, limit or len(labels))
    return torch.tensor(images[chosen].astype(np.float32) / 255)


def epoch(net, x, o, optimizer=None):
    """One pass over x, training if there is an optimizer; the means over the images of loss, bce and kl."""
    net.train(optimizer is not None)
    order = torch.randperm(len(x)) if optimizer else torch.arange(len(x))
    total = np.zeros(3)
    with torch.set_grad_enabled(optimizer is not None):
        for i in range(0, len(x), o.batch):
            batch = x[order[i:i + o.batch]].contiguous(memory_format=torch.channels_last)
            p, mu, logvar = net(batch)
            parts = bce(p, batch), kl(mu, logvar)
            loss = parts[0] + o.kl * parts[1]
            if optimizer:
                loss.backward()
                optimizer.step()
            total += len(batch) * np.array([loss.item(), parts[0].item(), parts[1].item()])
            if not math.isfinite(total[0]):
                sys.exit(f"torch_vae: loss is not finite at image {i}")
    return dict(zip(("loss", "bce", "kl"), (total / len(x)).tolist()))


def options():
    switch = lambda s: {"on": True, "off": False, "1": True, "0": False}[s]
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--data", default="/usr/share/datasets/fashion-mnist")
    p.add_argument("--epochs", type=int, default=25)
    p.add_argument("--batch", type=int, default=64)
    p.add_argument("--seed", type=int, default=768)
    p.add_argument("--arch", type=lambda s: sorted(map(int, s.split(",")), reverse=True), default=[35, 25, 15, 5])
    p.add_argument("--depth", type=int, default=3)
    p.add_argument("--latent", type=int, default=2)
    p.add_argument("--activation", choices=ACTIVATIONS, default="relu")
    p.add_argument("--attention", choices=["none", "spatial", "channel", "cbam"], default="spatial")
    p.add_argument("--batchnorm", type=switch, default=True, metavar="on|off")
    p.add_argument("--dropout", type=float, default=0.2, help="rate; 0 is off")
    p.add_argument("--kl", type=float, default=0.001)
    p.add_argument("--lr", type=float, default=0.005)
    p.add_argument("--min-lr", type=float, default=0.0001)
    p.add_argument("--limit-train", type=int, default=0, help="0 is all")
    p.add_argument("--limit-test", type=int, default=0, help="0 is all")
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--out", help="JSON of the options and every epoch's losses")
    p.add_argument("--save", help="safetensors of the trained network")
    p.add_argument("--init", help="safetensors to start from")
    return p.parse_args()


def check_counts(net, o, x):
    """The published network's size: a wrong layer cannot pass unnoticed."""
    trainable = sum(p.numel() for p in net.parameters())
    moving = sum(b.numel() for b in net.buffers())
    seed_network = (o.arch == [35, 25, 15, 5] and o.depth == 3 and o.latent == 2 and o.batchnorm
                    and o.attention == "spatial" and tuple(x.shape[1:]) == (1, 28, 28))
    assert not seed_network or (trainable, moving) == (217553, 1480), (trainable, moving)
    return trainable, moving


def main():
    o = options()
    torch.manual_seed(o.seed)
    torch.set_num_threads(o.threads)
    train, test = load_images(o.data, "train", o.limit_train), load_images(o.data, "t10k", o.limit_test)
    net = VAE(o, *train.shape[1:])
    trainable, moving = check_counts(net, o, train)
    print(f"{trainable} trainable parameters, {moving} moving statistics", flush=True)
    if o.init:
        load_safetensors(o.init, net)
    net.to(memory_format=torch.channels_last)
    optimizer = Adam(net.parameters(), o.lr, 2 * (o.lr - o.min_lr) / o.epochs)
    history = []
    for e in range(1, o.epochs + 1):
        start = time.perf_counter()
        row = {"epoch": e, **epoch(net, train, o, optimizer)}
        row["images_per_s"] = len(train) / (time.perf_counter() - start)
        row.update({"val_" + k: v for k, v in epoch(net, test, o).items()})
        history.append(row)
        print("  ".join(f"{k} {v:.6g}" for k, v in row.items()), flush=True)
    if o.save:
        save_safetensors(o.save, net, {"arch": ",".join(map(str, o.arch)), "seed": str(o.seed)})
    if o.out:
        with open(o.out, "w") as f:
            json.dump({"options": vars(o), "torch": torch.__version__, "history": history}, f, indent=1)


if __name__ == "__main__":
    main()
