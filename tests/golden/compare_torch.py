#!/usr/bin/python3
"""Reconstructs with PyTorch from a Fovea checkpoint and compares with what Fovea made of the same images.

    fovea reconstruct --run RUN --data DIR --count 64 --out grid.png --save ours.safetensors
    compare_torch.py RUN/checkpoint.safetensors ours.safetensors

Needs Debian's python3-torch and Python's safetensors package. Fovea says in the file's metadata what z is: the mean mu,
or with --latent sample a sample, and Fovea's Philox4x32-10 samples (Salmon et al. 2011) are made here again: key = seed; counter = {image, unit, op | 2^31, batch}, where op is the
network's last drawing node: its number is that of the dropouts before it plus one.
Exits 1 when a pixel or a code differs by more than 1e-4.
"""
import argparse
import json
import os
import sys

import numpy as np
import torch
from safetensors import safe_open

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import philox  # noqa: E402
import torch_vae  # noqa: E402

TOLERANCE = 1e-4


def main():
    p = argparse.ArgumentParser()
    p.add_argument("checkpoint")
    p.add_argument("ours")
    a = p.parse_args()
    with safe_open(a.checkpoint, "np") as f:
        config = json.loads(f.metadata()["config"])
        weights = {k: torch.tensor(f.get_tensor(k)) for k in f.keys() if not k.startswith(("optimizer.", "state."))}
    with safe_open(a.ours, "np") as f:
        ours = {k: f.get_tensor(k) for k in f.keys()}
        sampled = {"mean": False, "sample": True}[f.metadata()["latent"]]
    print("config", config)
    arch = config["arch"] if isinstance(config["arch"], list) else [int(x) for x in config["arch"].split(",")]
    o = argparse.Namespace(arch=arch, depth=config["depth"], latent=config["latent"], activation=config["activation"],
                           attention=config["attention"], batchnorm=config["batchnorm"], dropout=config["dropout"],
                           kl=config["kl"])
    x = torch.tensor(ours["originals"])
    net = torch_vae.VAE(o, x.shape[1], x.shape[2], x.shape[3])
    missing = set(net.state_dict()) ^ set(weights)
    if missing:
        sys.exit(f"names differ: {sorted(missing)[:5]}")
    net.load_state_dict(weights)
    net.eval()
    dropouts = (len(arch) - 2) * config["depth"] if config["dropout"] > 0 else 0
    batch, worst = config["batch"], {"reconstructions": 0.0, "mu": 0.0, "logvar": 0.0, "z": 0.0}
    with torch.no_grad():
        for step, i in enumerate(range(0, len(x), batch)):
            part = x[i : i + batch]
            eps = np.zeros((len(part), config["latent"]))
            if sampled:
                eps = philox.normal(len(part), config["latent"], dropouts + 1 | philox.EVALUATION, step, config["seed"])
            eps = torch.tensor(eps.astype(np.float32))
            y, mu, logvar = net(part, eps)
            theirs = {"reconstructions": y, "mu": mu, "logvar": logvar, "z": mu + torch.exp(0.5 * logvar) * eps}
            for name, values in theirs.items():
                difference = float((values - torch.tensor(ours[name][i : i + batch])).abs().max())
                worst[name] = max(worst[name], difference if difference == difference else float("inf"))
    print(f"{len(x)} images of {'samples' if sampled else 'means'}, largest differences:",
          ", ".join(f"{name} {value:.2e}" for name, value in worst.items()))
    sys.exit(0 if max(worst.values()) <= TOLERANCE else 1)


if __name__ == "__main__":
    main()
