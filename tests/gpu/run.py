"""run.py PACKED OUT: the steps of run.sh, most wanted first, within its time; table.md of what they gave, written anew
before each. A step that fails, or that there is no time for, is named with its reason; so is a signal that ends the run."""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

PACKED, OUT = map(pathlib.Path, sys.argv[1:3])
END = time.monotonic() + float(os.environ.get("FOVEA_RUN_SECONDS", "570"))
DEVICE = os.environ.get("FOVEA_RUN_DEVICE", "")
LOADER, LIBRARIES = (os.environ.get(f"FOVEA_RUN_{what}", "") for what in ("LOADER", "LIBRARIES"))
BATCHES = (64, 1024)
lacked, results, said = [], {}, {}


class Stopped(BaseException):
    pass


def stop(number, _):
    raise Stopped(signal.Signals(number).name)


def run(name, most, *command):
    """Standard output, kept as OUT/NAME.txt with what was said; None, and why in `lacked`."""
    seconds = min(most, END - time.monotonic())
    if seconds < 5:
        lacked.append(f"{name}: no time was left")
        return None
    write_table([f"{name} and all after it: the run has not come to its end"])
    try:
        print(f"{name}: at most {seconds:.0f} s", file=sys.stderr, flush=True)
        return run_within(name, seconds, [str(c) for c in command])
    except Stopped as why:
        lacked.append(f"{name}: stopped by {why}")
        raise


def run_within(name, seconds, command):
    begun, environment = time.monotonic(), dict(os.environ)
    if command[0] == str(PACKED / "fovea") and LOADER:
        command = [LOADER, "--library-path", LIBRARIES, *command]
    elif command[0] == str(PACKED / "fovea"):
        environment["LD_LIBRARY_PATH"] = LIBRARIES
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=seconds,
                              env=environment)
    except subprocess.TimeoutExpired:
        lacked.append(f"{name}: took more than {seconds:.0f} s")
        return None
    except OSError as error:
        lacked.append(f"{name}: {error}")
        return None
    (OUT / f"{name.replace(' ', '_')}.txt").write_text(done.stdout + done.stderr)
    print(f"{name}: {time.monotonic() - begun:.0f} s, status {done.returncode}", file=sys.stderr, flush=True)
    last = ((done.stderr + done.stdout).strip().splitlines() or ["no message"])[-1][:160]
    said[name] = done.stdout.strip() or last
    if done.returncode:
        lacked.append(f"{name}: status {done.returncode}: {last}")
        return None
    return done.stdout


def run_json(name, most, *command):
    text = run(name, most, *command)
    try:
        if text is not None:
            results[name] = json.loads(text)
    except ValueError:
        lacked.append(f"{name}: what it wrote is not JSON: {text[:80]!r}")


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


def card():
    """What NVIDIA's own tool says before the first step: a card that others use tells nothing of our times."""
    if not shutil.which("nvidia-smi"):
        lacked.append("nvidia-smi: not installed, so that it is not known whether others use a card")
        return
    run("nvidia-smi", 20, "nvidia-smi", "--format=csv,noheader,nounits",
        "--query-gpu=name,driver_version,memory.used,memory.total,utilization.gpu,clocks.max.sm,power.limit")
    users = run("nvidia-smi processes", 20, "nvidia-smi", "--format=csv,noheader",
                "--query-compute-apps=pid,process_name,used_memory")
    if users and users.strip():
        lacked.append("a free card: before the first step it was used by " + "; ".join(users.strip().splitlines()))


def usable_devices():
    return [d for d in results.get("devices", {}).get("devices", []) if d["usable"]]


def ours(gpu):
    if not gpu:
        lacked.append("a GPU: the best device is " + usable_devices()[0]["name"])
        lacked.append("the seed network's bench, for a GPU alone: Fovea's figures are those of 8,6,4,2 units")
    bench("bench 64", 64, gpu, 120)
    run("check", 240, *fovea("check"))
    bench("bench 1024", 1024, gpu, 120)


def tuned(gpu):
    if not gpu:
        lacked.append("bench --tune: some 5 minutes, for a GPU alone")
    elif run("bench tune", 200, *fovea("bench", "--tune")) is not None:
        bench("bench 64 tuned", 64, gpu, 60)


def steps():
    card()
    run_json("devices", 30, PACKED / "fovea", "devices", "--json")
    usable = usable_devices()
    gpu = any(d["type"] == "gpu" for d in usable)
    if usable:
        ours(gpu)
    else:
        lacked.append("all of Fovea's figures: no usable OpenCL device, and no CUDA driver in its place")
    asked = run("torch", 60, sys.executable, "-c", "import torch; print(torch.cuda.is_available())")
    if asked is not None:
        peers(asked.strip() == "True")
    if usable:
        tuned(gpu)


# --- the table --------------------------------------------------------------------------------------------------------


def model_of():
    """Of the seed network, which only a GPU was given."""
    path = PACKED / "model.json"
    on_gpu = any(d["type"] == "gpu" for d in usable_devices())
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


def text(model, besides):
    devices = results.get("devices", {}).get("devices", [])
    lines = ["# A run on this machine", ""] + [
        f"- {d['name']}, {d['platform']}, {d['driver']}" + ("" if d["usable"] else f": {d['why_not']}") for d in devices]
    if "nvidia-smi" in said:
        lines += ["- nvidia-smi: name, driver, MiB used, MiB, % busy, MHz at most, W at most: "
                  + "; ".join(said["nvidia-smi"].splitlines())]
    lines += ["", "`fovea check`: " + said.get("check", "not run").splitlines()[-1], "", "| training, images/s | batch 64 | batch 1024 |",
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
        by_model = (model or {"kernels": {}})["kernels"].get(kernel, [None, None])
        lines.append(f"| {kernel} | {few[kernel]:.0f} | " + " | ".join(
            "-" if us is None else f"{us:.0f}" for us in (many.get(kernel), *by_model)) + " |")
    return "\n".join(lines + ["", "Lacked:", ""] + [f"- {what}" for what in lacked + besides or ["nothing"]]) + "\n"


def write_table(besides=()):
    table = text(model_of(), list(besides))
    (OUT / "table.new").write_text(table)
    os.replace(OUT / "table.new", OUT / "table.md")
    return table


def main():
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    status = 0
    try:
        steps()
    except Stopped as why:
        lacked.append("all that would have come after")
        status = 128 + signal.Signals[str(why)].value
    print(write_table())
    return status


sys.exit(main())
