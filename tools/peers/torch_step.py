#!/usr/bin/env python3
"""The seed network in PyTorch, timed: a peer of `fovea bench`. compare.py runs it beside Fovea.

Speed only, so two things are in PyTorch's favour: 'same' at stride 2 pads symmetrically, where Keras's padding would
cost a copy, and the images are floats on the device before the clock starts. Losses are not comparable; for those see
tests/golden/torch_vae.py. Needs torch and numpy: Debian's python3-torch (1.13), or a current torch from PyPI.

A training step is forward, loss, backward and Adam, and ends when the loss is on the host. Inference is the forward
pass of evaluation mode, the sampling of z included. --variant graph records both as CUDA graphs.
"""
import torch
import torch.nn as nn
import torch.nn.functional as F

import passes

VARIANTS = ["nchw", "nhwc", "nchw-compiled", "nhwc-compiled", "graph", "nhwc-graph"]
ACTIVATIONS = {"relu": nn.ReLU, "elu": nn.ELU, "selu": nn.SELU, "sigmoid": nn.Sigmoid}


def norm2d(c):
    return nn.BatchNorm2d(c, eps=1e-3, momentum=0.01)


class SpatialAttention(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(2, 1, 5, padding=2)

    def forward(self, x):
        pooled = torch.cat([x.amax(1, keepdim=True), x.mean(1, keepdim=True)], 1)
        return x * torch.sigmoid(self.conv(pooled))


def block(c_in, c_out, o):
    layers = [nn.Conv2d(c_in, c_out, 3, padding=1, bias=False)]
    if o.attention: layers.append(SpatialAttention())
    if o.batchnorm: layers.append(norm2d(c_out))
    if o.dropout: layers.append(nn.Dropout(0.2))
    return nn.Sequential(*layers, ACTIVATIONS[o.activation]())


class DenseBlock(nn.Module):
    def __init__(self, c_in, units, depth, o):
        super().__init__()
        self.blocks = nn.ModuleList(block(c_in + units * i, units, o) for i in range(depth))
        self.channels = c_in + units * depth

    def forward(self, x):
        for b in self.blocks:
            x = torch.cat([x, b(x)], 1)
        return x


def coder(c_in, units, depth, up, o):
    units = units[::-1] if up else units
    layers, c = [nn.Conv2d(c_in, units[0], 3, padding=1, bias=False), nn.ReLU()], units[0]
    for u in units[1:-1]:
        d = DenseBlock(c, u, depth, o)
        layers += [d, nn.ConvTranspose2d(d.channels, u, 3, 2, 1, 1, bias=False) if up
                   else nn.Conv2d(d.channels, u, 3, 2, 1, bias=False)]
        c = u
    last = 1 if up else units[-1]
    return nn.Sequential(*layers, nn.Conv2d(c, last, 3, padding=1, bias=False), norm2d(last),
                         nn.Sigmoid() if up else nn.ReLU())


def dense(i, o):
    return [nn.Linear(i, o, bias=False), nn.BatchNorm1d(o, eps=1e-3, momentum=0.01), nn.ReLU()]


class VAE(nn.Module):
    def __init__(self, o, units=(35, 25, 15, 5), depth=3, latent=2, kl=1e-3):
        super().__init__()
        units, m = list(units), 49 * units[-1]
        self.kl, self.channels = kl, units[-1]
        self.encoder = nn.Sequential(coder(1, units, depth, False, o), nn.Flatten(), *dense(m, m), *dense(m, latent))
        self.mu, self.logvar = nn.Linear(latent, latent), nn.Linear(latent, latent)
        self.bottleneck = nn.Sequential(*dense(latent, latent), *dense(latent, m))
        self.decoder = coder(self.channels, units, depth, True, o)

    def forward(self, x):
        h = self.encoder(x)
        mu, logvar = self.mu(h), self.logvar(h)
        kl = -0.5 * self.kl * (1 + logvar - mu * mu - logvar.exp()).sum(1).mean()
        z = mu + torch.exp(0.5 * logvar) * torch.randn_like(mu)
        return self.decoder(self.bottleneck(z).view(-1, self.channels, 7, 7)), kl


def recorded(run, x, batch):
    """run(batch) as a CUDA graph: its input is copied to where it was recorded."""
    held, side = x[:batch].clone(), torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):  # PyTorch wants some runs before it records, and not on the default stream
        for _ in range(3):
            run(held)
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        out = run(held)

    def replay(images):
        held.copy_(images)
        graph.replay()
        return out

    return replay


def training(net, o):
    opt = torch.optim.Adam(net.parameters(), lr=0.005, eps=1e-7, **({"capturable": True} if o.graph else {}))
    forward = torch.compile(net) if o.compile else net

    def step(images):
        y, kl = forward(images)
        loss = F.binary_cross_entropy(y, images) + kl
        opt.zero_grad(set_to_none=True)
        loss.backward()
        opt.step()
        return loss.detach()

    return step


def inference(net, o):
    forward = torch.compile(net) if o.compile else net

    @torch.no_grad()
    def run(images):
        return forward(images)[1]

    return run


def main():
    p = passes.options(__doc__, VARIANTS)
    p.add_argument("--device", default="cpu")
    for name in ("attention", "batchnorm", "dropout"):
        p.add_argument("--" + name, type=int, default=1)
    p.add_argument("--activation", choices=ACTIVATIONS, default="relu")
    o = p.parse_args()
    o.compile, o.graph = "compiled" in o.variant, "graph" in o.variant
    if o.compile and not hasattr(torch, "compile"):
        p.error(f"torch {torch.__version__} has no torch.compile")
    if o.graph and not o.device.startswith("cuda"):
        p.error("--variant graph needs --device cuda")

    torch.manual_seed(768)
    torch.set_num_threads(o.threads)
    x, net = torch.tensor(passes.images_of(o)).view(-1, 1, 28, 28).to(o.device), VAE(o).to(o.device)
    if "nhwc" in o.variant:
        net, x = net.to(memory_format=torch.channels_last), x.to(memory_format=torch.channels_last)
    result = {"version": torch.__version__, "variant": o.variant, "batch": o.batch}
    for mode, make in (("training", training), ("inference", inference)):
        if o.inference and mode == "training":
            continue
        net.train(mode == "training")
        run = make(net, o)
        if o.graph:
            run = recorded(run, x, o.batch)
        result[mode] = passes.measure(run, x.split(o.batch), o)
    passes.report(f"torch {torch.__version__} {o.device}", result, o)


if __name__ == "__main__":
    main()
