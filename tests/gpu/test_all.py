#!/usr/bin/env python3
"""test_all.py BUILD: the census of other networks and device classes, all programs for every target, the model of every
device; and whether what records declare is what work-items do."""
import argparse
import pathlib
import subprocess
import sys

import census
from blocks import issued

HERE, BUILD = pathlib.Path(__file__).resolve().parent, sys.argv[1]
NETWORKS = [["--small"], ["--group", "64"], ["--corrects-division"],
            ["--image", "3x32x32", "--arch", "12,8,4", "--depth", "2", "--latent", "8", "--attention", "cbam"],
            ["--image", "3x12x8", "--arch", "7,3,2", "--attention", "channel", "--no-batchnorm", "--dropout", "0"]]
wrong = []


def of(network):
    return census.Census(argparse.Namespace(build=BUILD, network=network, batch="64,1024", without=None, jobs=2))


def compare(network):
    """Work that grows by what a record says grows by what its work-items do, and a convolution makes its products."""
    made = of(network)
    held = made.figures()
    for few, many in census.launches.pairs(made.few, made.many)[0]:
        if few.kernel != many.kernel:
            continue
        done = [issued(held.walk(l).each) * l.items for l in (few, many)]
        declared = census.launches.grows(few, many)[0]
        if declared != (done[1] > 1.25 * done[0]):
            wrong.append(f"{network} {few.number} {few.kernel}: declared to {'' if declared else 'not '}grow, {done}")
        fma = held.walk(few).each.get("fma", 0) * few.items
        if few.flops > 1e6 and few.taps and not 0.6 * few.products <= fma <= 8 * few.products:
            wrong.append(f"{network} {few.number} {few.kernel}: {fma:.0f} multiply-adds, {few.products:.0f} declared")


def command(*words):
    done = subprocess.run([sys.executable, "-B", HERE / "census.py", *words], capture_output=True, text=True)
    print(done.stdout)
    if done.returncode:
        wrong.append(f"census.py {' '.join(words)}: {done.returncode}: {done.stderr}")


if "clang" not in census.tools():
    print("skipped: not installed: clang-15 or libclc-15")
    sys.exit(77)
for one in [[], *NETWORKS]:
    try:
        compare(one)
    except SystemExit as said:  # no plan could be made
        wrong.append(f"{one}: {said}")
for words in (["launches"], ["programs"], ["model"], ["check", "--without", "ptxas"]):
    command(words[0], "--build", BUILD, *words[1:])
print("\n".join(wrong))
sys.exit(1 if wrong else 0)
