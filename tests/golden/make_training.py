#!/usr/bin/python3
"""Writes training.txt: 20 training steps of whole networks by PyTorch, with Fovea's random numbers (philox.py).

    make_training.py > training.txt

Needs Debian's python3-torch and python3-numpy; takes some minutes. The network is torch_vae.py's, in double precision;
test_training.c trains the same on a device. Each case is also trained in PyTorch's single precision, some times: the
difference is what rounding alone does to this training, and is written beside every number (see golden.py). At the
usual learning rate it soon decides everything, so there only the losses are kept. OpenBLAS as libblas.so.3 makes this
four times as fast as Debian's reference BLAS.
"""
import argparse
import functools
import sys

import golden
import numpy as np
import philox
import torch
import torch_vae

STEPS, LR, MIN_LR, EPOCHS = 20, 0.005, 0.0001, 25
DEFAULT = dict(arch=[35, 25, 15, 5], depth=3, latent=2, activation="relu", attention="spatial", batchnorm=True,
               dropout=0.2, kl=0.001, shape=(1, 28, 28), batch=64, images=256, seed=768, lr=LR)
COLOUR = dict(DEFAULT, arch=[9, 7, 5, 3], depth=2, latent=3, activation="selu", attention="cbam", dropout=0.3, kl=0.01,
              shape=(3, 12, 8), batch=21, images=113, seed=99)
PLAIN = dict(DEFAULT, arch=[9, 7, 3], depth=2, activation="sigmoid", attention="none", batchnorm=False, dropout=0,
             shape=(1, 10, 6), batch=16, images=64, seed=5 << 32 | 7)
CASES = {  # as in test_training.c
    "seed": DEFAULT,
    "seed_hundredth": dict(DEFAULT, lr=LR / 100, batch=16, images=40),
    "colour_tenth": dict(COLOUR, lr=LR / 10),
    "plain_tenth": dict(PLAIN, lr=LR / 10),
}


@functools.lru_cache(maxsize=None)
def kept(*args):
    """Both precisions ask for the same masks."""
    return torch.tensor(philox.kept(*args))


def randoms(o):
    """Puts Fovea's masks into torch_vae and returns begin(step, n), which gives a step's samples. Ops that draw are
    numbered from 1 in the order of use: the encoder's dropouts, the sample, the decoder's dropouts."""
    sample = 1 + (o.depth * (len(o.arch) - 2) if o.dropout else 0)
    at = argparse.Namespace(op=0, step=0)

    def dropout(y, rate, training):
        at.op += 2 if at.op + 1 == sample else 1
        return y * kept(*y.shape, rate, at.op, at.step, o.seed).to(y.dtype) / (1 - rate)

    def begin(step, n):
        at.op, at.step = 0, step
        return torch.tensor(philox.normal(n, o.latent, sample, step, o.seed))

    torch_vae.dropout = dropout
    return begin


def batches(o):
    """The images of each step, 0 to 1; an epoch's last batch has what is left."""
    images, epoch, order = philox.images(o.images, *o.shape, o.seed), 0, []
    for _ in range(STEPS):
        if not order:
            order, epoch = philox.order(o.images, o.seed, epoch), epoch + 1
        batch, order = order[:o.batch], order[o.batch:]
        yield torch.tensor(images[batch] / 255)


def train(o, dtype, draw=0):
    """The losses of each step, and the parameters and moving statistics at the end."""
    net = torch_vae.VAE(o, *o.shape).to(dtype).train()
    parameters = sorted(net.named_parameters(), key=lambda p: golden.by_use(p[0]))
    with torch.no_grad():
        for i, (name, p) in enumerate(parameters):
            if p.dim() > 1:
                p.copy_(torch.tensor(golden.initial(philox.glorot(tuple(p.shape), i, o.seed), draw)))
    adam = torch_vae.Adam((p for _, p in parameters), o.lr, 2 * (LR - MIN_LR) / EPOCHS)
    begin, losses = randoms(o), []
    for step, x in enumerate(batches(o)):
        eps = begin(step, len(x)).to(dtype)
        p, mu, logvar = net(x.to(dtype), eps)
        bce, kl = torch_vae.bce(p, x.to(dtype)), torch_vae.kl(mu, logvar)
        total = bce + o.kl * kl
        total.backward()
        adam.step()
        losses.append([bce.item(), kl.item(), total.item()])
        print(f"{dtype} step {step}: {losses[-1]}", file=sys.stderr)
    state = {name: t.double().numpy() for name, t in net.state_dict().items()}
    return np.array(losses), dict(sorted(state.items(), key=lambda p: golden.by_use(p[0])))


def main():
    torch.set_num_threads(1)
    golden.first_line("make_training.py", torch=torch.__version__, numpy=np.__version__)
    for name, case in CASES.items():
        o = argparse.Namespace(**case)
        losses, state = train(o, torch.float64)
        singles = [train(o, torch.float32, draw) for draw in range(golden.DRAWS)]
        print("case", name)
        for step, values in enumerate(losses):
            golden.losses(values, [single[step] for single, _ in singles])
        for key, value in state.items() if o.lr < LR else ():
            golden.tensor("tensor", key, value, [single[key] for _, single in singles])


if __name__ == "__main__":
    main()
