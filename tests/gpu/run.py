"""run.py PACKED OUT: the steps of run.sh, most wanted first, within its time; then table.md of what they gave. A step that
fails, or that there is no time for, is named with its reason."""
import json
import os
import pathlib
import subprocess
import sys
import time

PACKED, OUT = map(pathlib.Path, sys.argv[1:3])
END = time.monotonic() + float(os.environ.get("FOVEA_RUN_SECONDS", "570"))
DEVICE = os.environ.get("FOVEA_RUN_DEVICE", "")
BATCHES = (64, 1024)
lacked, results = [], {}


def run(name, most, *command):
    """Standard output, kept as OUT/NAME.txt with what was said; None, and why in `lacked`."""
    seconds = min(most, END - time.monotonic())
    if seconds < 5:
        lacked.append(f"{name}: no time was left")
        return None
    begun, environment = time.monotonic(), dict(os.environ)
    if command[0] == PACKED / "fovea":
        environment["LD_LIBRARY_PATH"] = os.environ["FOVEA_RUN_LIBRARIES"]
    try:
        done = subprocess.run([str(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              timeout=seconds, env=environment)
    except subprocess.TimeoutExpired:
        lacked.append(f"{name}: took more than {seconds:.0f} s")
        return None
    except OSError as error:
        lacked.append(f"{name}: {error}")
        return None
    (OUT / f"{name.replace(' ', '_')}.txt").write_text(done.stdout + done.stderr)
    print(f"{name}: {time.monotonic() - begun:.0f} s, status {done.returncode}", file=sys.stderr, flush=True)
    if done.returncode:
        said = (done.stderr + done.stdout).strip().splitlines() or ["no message"]
        lacked.append(f"{name}: status {done.returncode}: {said[-1][:160]}")
        return None
    return done.stdout


def run_json(name, most, *command):
    text = run(name, most, *command)
    if text is not None:
        results[name] = json.loads(text)


def fovea(subcommand, *options):
    chosen = ["--device", DEVICE] if DEVICE else []
    return [PACKED / "fovea", subcommand, *chosen, *options]


def bench(name, batch, gpu, most):
    options = ["--steps", 20] if gpu else ["--steps", 2, "--units", "8,6,4,2"]
    run_json(name, most, *fovea("bench", "--batch", batch, *options, "--json"))


def peers(cuda):
    """PyTorch of this machine, on its card where it sees one."""
    script, device = PACKED / "peers" / "torch_step.py", ["--device", "cuda"] if cuda else []
    for variant, most in (("nchw", 60), ("graph", 60), ("nchw-compiled", 120)):
        for batch in BATCHES:
            if variant == "graph" and not cuda:
                lacked.append(f"torch graph {batch}: PyTorch sees no CUDA device")
            elif cuda or batch == BATCHES[0]:
                run_json(f"torch {variant} {batch}", most, sys.executable, script, "--batch", batch, "--variant", variant,
                         "--steps", 15 if cuda else 2, "--data", "/nowhere", "--json", *device)


def steps():
    run_json("devices", 30, PACKED / "fovea", "devices", "--json")
    devices = [d for d in results.get("devices", {}).get("devices", []) if d["usable"]]
    gpu = any(d["type"] == "gpu" for d in devices)
    if not gpu:
        lacked.append("a GPU: the best device is " + ", ".join(d["name"] for d in devices[:1]))
        lacked.append("the seed network's bench, for a GPU alone: Fovea's figures are those of 8,6,4,2 units")
    bench("bench 64", 64, gpu, 120)
    run("check", 240, *fovea("check"))
    bench("bench 1024", 1024, gpu, 120)
    asked = run("torch", 60, sys.executable, "-c", "import torch; print(torch.cuda.is_available())")
    if asked is not None:
        peers(asked.strip() == "True")
    if gpu:
        if run("bench tune", 200, *fovea("bench", "--tune")) is not None:
            bench("bench 64 tuned", 64, gpu, 60)
    else:
        lacked.append("bench --tune: some 5 minutes, for a GPU alone")


# --- the table --------------------------------------------------------------------------------------------------------


def model_of():
    """Of the seed network, which only a GPU was given."""
    path = PACKED / "model.json"
    on_gpu = any(d["usable"] and d["type"] == "gpu" for d in results.get("devices", {}).get("devices", []))
    return json.loads(path.read_text()) if on_gpu and path.exists() else None


def speed(name):
    one = results.get(name)
    if not one:
        return "-"
    return f"{one['images_per_s'] if 'images_per_s' in one else one['training']['images_per_s']:.0f}"


def kernels(name):
    """us a step by kernel, the profile's shares of its mean step."""
    one, by = results.get(name), {}
    if not one:
        return {}
    total = sum(k["seconds"] for k in one["kernels"])
    for k in one["kernels"]:
        by[k["kernel"]] = by.get(k["kernel"], 0) + k["seconds"] / total * one["profiled_step_seconds"] * 1e6
    return by


def text(model):
    devices = results.get("devices", {}).get("devices", [])
    lines = ["# A run on this machine", ""] + [
        f"- {d['name']}, {d['platform']}, {d['driver']}" + ("" if d["usable"] else f": {d['why_not']}") for d in devices]
    checked = (OUT / "check.txt").read_text().strip().splitlines() if (OUT / "check.txt").exists() else ["not run"]
    lines += ["", f"`fovea check`: {checked[-1]}", "", "| training, images/s | batch 64 | batch 1024 |",
              "| --- | --- | --- |"]
    rows = [("Fovea", "bench 64", "bench 1024"), ("Fovea, tuned", "bench 64 tuned", ""),
            ("PyTorch eager", "torch nchw 64", "torch nchw 1024"), ("PyTorch, CUDA graphs", "torch graph 64", "torch graph 1024"),
            ("PyTorch compiled", "torch nchw-compiled 64", "torch nchw-compiled 1024")]
    lines += [f"| {what} | {speed(few)} | {speed(many)} |" for what, few, many in rows]
    if model:
        lines.append(f"| a model of Fovea on an {model['device']}, no measurement | "
                     + " | ".join(f"{b / us * 1e6:.0f}" for b, us in zip(BATCHES, model["steps"])) + " |")
    few, many = kernels("bench 64"), kernels("bench 1024")
    lines += ["", "| the ten longest kernels, us a step | batch 64 | batch 1024 | model 64 | model 1024 |",
              "| --- | --- | --- | --- | --- |"]
    for kernel in sorted(few, key=few.get, reverse=True)[:10]:
        said = (model or {"kernels": {}})["kernels"].get(kernel, [None, None])
        lines.append(f"| {kernel} | {few[kernel]:.0f} | " + " | ".join(
            "-" if us is None else f"{us:.0f}" for us in (many.get(kernel), *said)) + " |")
    return "\n".join(lines + ["", "Lacked:", ""] + [f"- {what}" for what in lacked or ["nothing"]]) + "\n"


steps()
table = text(model_of())
(OUT / "table.md").write_text(table)
print(table)
