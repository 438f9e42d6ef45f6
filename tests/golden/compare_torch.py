#!/usr/bin/python3
"""Reconstructs with PyTorch from a Fovea checkpoint and compares with what Fovea made of the same images.

    fovea reconstruct --run RUN --data DIR --count 64 --out grid.png --save ours.safetensors
    compare_torch.py RUN/checkpoint.safetensors ours.safetensors

Needs Debian's python3-torch and Python's safetensors package. z is sampled in evaluation too, so Fovea's Philox4x32-10
samples (Salmon et al. 2011) are made here again: key = seed; counter = {image, unit, op | 2^31, batch}, where op is the
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
    batch, worst, worst_mu = config["batch"], 0.0, 0.0
    with torch.no_grad():
        for step, i in enumerate(range(0, len(x), batch)):
            part = x[i : i + batch]
            eps = philox.normal(len(part), config["latent"], dropouts + 1 | philox.EVALUATION, step, config["seed"])
            y, mu, _ = net(part, torch.tensor(eps.astype(np.float32)))
            worst = max(worst, float((y - torch.tensor(ours["reconstructions"][i : i + batch])).abs().max()))
            worst_mu = max(worst_mu, float((mu - torch.tensor(ours["mu"][i : i + batch])).abs().max()))
    print(f"{len(x)} images: largest difference of a pixel {worst:.2e}, of a code {worst_mu:.2e}")
    sys.exit(0 if worst <= TOLERANCE and worst_mu <= TOLERANCE else 1)


if __name__ == "__main__":
    main()
