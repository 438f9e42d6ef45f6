#!/usr/bin/env python3
"""Fovea and its peers on the same network, alternately, and the ratio of their speeds.

A round is `fovea bench`, then each peer and variant, each in a process of its own; a ratio is taken within its round.
Printed are medians over the rounds with (least to most). A variant that cannot run is skipped, with the reason.

  torch-debian  PyTorch of Debian's python3-torch, by /usr/bin/python3: nchw, nhwc (channels_last)
  torch         current PyTorch: the same two, eager and by torch.compile (the first time takes minutes)
  keras         Keras 3 on TensorFlow: keras_step.py --help tells the variants

--setup installs the last two by pip, as it is configured, into $XDG_CACHE_HOME/fovea/peers, some 7 GB: PyPI's PyTorch
for Linux brings its GPU libraries. That also adds to the peak memory shown. --python names an environment of your own.

Exit codes: 0 done, 1 Fovea failed or no peer ran, 2 bad usage.
"""
import argparse, json, os, pathlib, signal, statistics, subprocess, sys, tempfile, time

HERE = pathlib.Path(__file__).resolve().parent
PEERS = {
    "torch-debian": ("torch_step.py", ["nchw", "nhwc"], []),
    "torch": ("torch_step.py", ["nchw", "nhwc", "nchw-compiled", "nhwc-compiled"], ["torch", "numpy"]),
    "keras": ("keras_step.py", ["function", "batch"], ["tensorflow-cpu"]),
}
MODES = ("training", "inference")
TARGETS = {("torch-debian", "training"): 6, ("torch", "training"): 3, ("torch", "inference"): 3}
MEMORY_MIB, SCALING = 350, 1.9
DATA = "/usr/share/datasets/fashion-mnist"


class Failed(Exception):
    pass


def last_line(text):
    return (text.strip().splitlines() or ["no message"])[-1][:160]


def run_process(command, seconds, env=None):
    """Its stdout; Failed with the last line that it wrote, when it fails."""
    try:
        done = subprocess.run([str(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              timeout=seconds, env=env)
    except subprocess.TimeoutExpired:
        raise Failed(f"took more than {seconds} s")
    except OSError as error:
        raise Failed(str(error))
    if done.returncode:
        raise Failed(last_line(done.stderr or done.stdout))
    return done.stdout


def run_json(command, seconds, env=None):
    text = run_process(command, seconds, env)
    try:
        return json.loads(text)
    except ValueError:
        raise Failed(f"no JSON: {last_line(text)}")


# --- what is run -----------------------------------------------------------------------------------------------------

def cache():
    root = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(root) / "fovea" / "peers"


def python_of(o, peer):
    if peer in o.python:
        return o.python[peer]
    return "/usr/bin/python3" if peer == "torch-debian" else cache() / peer / "bin" / "python3"


def setup(peer):
    folder, packages = cache() / peer, PEERS[peer][2]
    if not packages or (folder / "installed").exists():
        return
    print(f"installing {' '.join(packages)}", file=sys.stderr)
    try:
        run_process([sys.executable, "-m", "venv", "--clear", folder], 120)
        run_process([folder / "bin" / "python3", "-m", "pip", "install", "--quiet", "--retries", "1", *packages], 1800)
        (folder / "installed").write_text(" ".join(packages))
    except Failed as why:
        print(f"{peer}: could not be installed: {why}", file=sys.stderr)


def with_threads(threads):
    return dict(os.environ, POCL_MAX_PTHREAD_COUNT=str(threads))


def fovea_bench(o, threads):
    b = run_json([o.fovea, "bench", "--steps", o.steps, "--json"], o.limit, with_threads(threads))
    speeds = {"training": b["images_per_s"]}
    if "inference" in b:
        speeds["inference"] = b["inference"]["images_per_s"]
    return speeds, b


def peer_step(o, peer, variant):
    python, script = python_of(o, peer), HERE / PEERS[peer][0]
    if not os.path.exists(python):
        raise Failed("not installed: see --setup")
    r = run_json([python, script, "--json", "--variant", variant, "--steps", o.steps, "--threads", o.threads], o.limit)
    return {m: r[m]["images_per_s"] for m in MODES if m in r}, r


def run_rounds(o):
    """[round] of {(program, variant): (speeds, what it printed)}, and {(program, variant): why it was skipped}."""
    rounds, skipped = [], {}
    for i in range(o.rounds):
        done = {("fovea", ""): fovea_bench(o, o.threads)}
        for peer in o.peers:
            for variant in o.peers[peer]:
                if (peer, variant) in skipped:
                    continue
                print(f"round {i + 1} of {o.rounds}: {peer} {variant}", file=sys.stderr)
                try:
                    done[peer, variant] = peer_step(o, peer, variant)
                except Failed as why:
                    skipped[peer, variant] = str(why)
        rounds.append(done)
    return rounds, skipped


def scaling(o):
    """Images/s of Fovea with 1 and 2 threads, and the ratio, a round each."""
    pairs = [[fovea_bench(o, n)[0]["training"] for n in (1, 2)] for _ in range(o.rounds)]
    return {"1": spread([a for a, _ in pairs]), "2": spread([b for _, b in pairs]),
            "ratio": spread([b / a for a, b in pairs])}


def training_memory(o):
    """Peak resident MiB of a training process: an epoch of all the images, or of the first --memory N."""
    with tempfile.TemporaryDirectory() as out:
        command = [o.fovea, "train", "--data", o.data, "--out", os.path.join(out, "run"), "--epochs", "1",
                   "--limit-train", str(o.memory)]
        with open(os.path.join(out, "log"), "w+") as log:
            child = subprocess.Popen(command, stdout=log, stderr=log, env=with_threads(o.threads))
            try:
                _, status, usage = os.wait4(child.pid, 0)
            except BaseException:
                child.send_signal(signal.SIGINT)
                raise
            child.returncode = os.waitstatus_to_exitcode(status)  # it is waited for: tell Popen
            if child.returncode:
                log.seek(0)
                raise Failed(last_line(log.read()))
    return usage.ru_maxrss / 1024


# --- what is told ----------------------------------------------------------------------------------------------------

def spread(values):
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def summarize(rounds, skipped, peers):
    """A row a variant: speeds, peak memory, Fovea's speed over it; the fastest of each peer and mode is its best."""
    rows = []
    for program, variant in [("fovea", "")] + [(p, v) for p in peers for v in peers[p]]:
        key = program, variant
        row = {"program": program, "variant": variant}
        done = [r for r in rounds if key in r] if key not in skipped else []
        if not done:
            rows.append(dict(row, skipped=skipped[key]))
            continue
        printed = [r[key][1] for r in done]
        row["version"] = printed[0].get("version", "")
        for mode in MODES:
            if any(mode not in r[key][0] for r in done):
                continue
            row[mode] = {"images_per_s": spread([r[key][0][mode] for r in done]), "best": False}
            if program == "fovea":
                continue
            row[mode]["peak_mib"] = max(p[mode]["peak_mib"] for p in printed)
            if all(mode in r["fovea", ""][0] for r in done):
                row[mode]["ratio"] = spread([r["fovea", ""][0][mode] / r[key][0][mode] for r in done])
        rows.append(row)
    for peer in peers:
        for mode in MODES:
            of_mode = [r for r in rows if r["program"] == peer and mode in r]
            if of_mode:
                max(of_mode, key=lambda r: r[mode]["images_per_s"]["median"])[mode]["best"] = True
    return rows


def cpu_model():
    try:
        with open("/proc/cpuinfo") as f:
            return next(line.split(":", 1)[1].strip() for line in f if line.startswith("model name"))
    except (OSError, StopIteration):
        return "an unknown CPU"


def machine(rounds):
    b = rounds[0]["fovea", ""][1]
    return {"cpu": cpu_model(), "cores": os.cpu_count(), "device": b.get("device", ""),
            "platform": b.get("platform", ""), "driver": b.get("driver", ""), "date": time.strftime("%Y-%m-%d")}


def range_text(s, digits):
    return f"{s['median']:.{digits}f} ({s['min']:.{digits}f} to {s['max']:.{digits}f})"


def cells(row, mode):
    """Speed and ratio; the peer's best is bold."""
    if mode not in row:
        return ["-", "-"]
    m = row[mode]
    ratio = range_text(m["ratio"], 2) if "ratio" in m else "1" if row["program"] == "fovea" else "-"
    both = [range_text(m["images_per_s"], 0), ratio]
    return [f"**{c}**" for c in both] if m["best"] else both


def table(rows):
    lines = ["| program | variant | training, images/s | Fovea over it | inference, images/s | Fovea over it | MiB |",
             "| --- | --- | --- | --- | --- | --- | --- |"]
    for r in rows:
        if "skipped" in r:
            why = r["skipped"].replace("|", "/")
            lines.append(f"| {r['program']} | {r['variant']} | skipped: {why} | - | - | - | - |")
            continue
        memory = f"{r['training']['peak_mib']:.0f}" if "peak_mib" in r.get("training", {}) else "-"
        name = f"{r['program']} {r['version']}".strip()
        lines.append("| " + " | ".join([name, r["variant"] or "-", *cells(r, "training"), *cells(r, "inference"),
                                        memory]) + " |")
    return lines


def targets(result):
    """(what, figure, target, is it met), of what was measured."""
    for r in result["rows"]:
        for mode in MODES:
            target = TARGETS.get((r["program"], mode))
            if target and r.get(mode, {}).get("best") and "ratio" in r[mode]:
                ratio = r[mode]["ratio"]
                yield (f"{mode}, over the best of {r['program']}", range_text(ratio, 2), f"at least {target}",
                       ratio["median"] >= target)
    if "share_of_ceiling" in result:
        s = result["share_of_ceiling"]
        yield "share of the FMA ceiling, a training step", range_text(s, 2), "at least 0.63", s["median"] >= 0.63
    if "scaling" in result:
        s = result["scaling"]["ratio"]
        yield "2 threads over 1", range_text(s, 2), f"at least {SCALING}", s["median"] >= SCALING
    if "memory_mib" in result:
        yield ("peak resident memory of training, MiB", f"{result['memory_mib']:.0f}", f"at most {MEMORY_MIB}",
               result["memory_mib"] <= MEMORY_MIB)


def markdown(result):
    m, n = result["machine"], result["rounds"]
    lines = [f"{m['cpu']}, {m['cores']} cores, {m['platform']} {m['driver']}, {m['date']}. Batch {result['batch']}, "
             f"{result['threads']} threads; medians of {n} round{'s' * (n > 1)} of {result['steps']} passes "
             "(least to most); bold: the best variant of a peer.", "", *table(result["rows"])]
    figures = list(targets(result))
    if figures:
        lines += ["", "| figure | measured | target | met |", "| --- | --- | --- | --- |"]
        lines += [f"| {a} | {b} | {c} | {'yes' if d else 'no'} |" for a, b, c, d in figures]
    return "\n".join(lines)


# --- the command -----------------------------------------------------------------------------------------------------

def positive(text):
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return value


def wanted(text, parser):
    """{peer: [variant]} of a list of peers and peer:variant."""
    peers = {}
    for word in text.split(","):
        peer, _, variant = word.partition(":")
        if peer not in PEERS or variant not in ["", *PEERS[peer][1]]:
            parser.error(f"no peer {word}: there are {', '.join(PEERS)}, and --help")
        peers.setdefault(peer, []).extend([variant] if variant else PEERS[peer][1])
    return peers


def arguments():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--rounds", type=positive, default=5)
    p.add_argument("--steps", type=positive, default=15, help="passes to time, a program and round")
    p.add_argument("--threads", type=positive, default=2)
    p.add_argument("--peers", default=",".join(PEERS), metavar="LIST", help="[%(default)s]; torch:nchw is that alone")
    p.add_argument("--python", action="append", default=[], metavar="PEER=PATH", help="the Python that runs a peer")
    p.add_argument("--fovea", default=HERE.parent.parent / "build" / "fovea", metavar="PATH", help="[build/fovea]")
    p.add_argument("--setup", action="store_true", help="install the peers first")
    p.add_argument("--threads-scaling", action="store_true", help="Fovea with 1 and 2 threads, too")
    p.add_argument("--memory", type=int, metavar="N",
                   help="peak resident memory of training an epoch of N images, 0: all")
    p.add_argument("--data", default=DATA, help="of --memory [%(default)s]")
    p.add_argument("--limit", type=positive, default=600, help="seconds that a process may take [%(default)s]")
    form = p.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true")
    form.add_argument("--markdown", action="store_true", help="a table, as without either")
    o = p.parse_args()
    o.peers = wanted(o.peers, p)
    pairs = [x.split("=", 1) for x in o.python]
    if any(len(x) != 2 or x[0] not in PEERS for x in pairs):
        p.error("--python needs PEER=PATH")
    o.python = dict(pairs)
    return o


def measure(o):
    rounds, skipped = run_rounds(o)
    shares = [r["fovea", ""][1].get("share_of_ceiling") for r in rounds]
    result = {"machine": machine(rounds), "rounds": o.rounds, "steps": o.steps, "threads": o.threads,
              "batch": rounds[0]["fovea", ""][1].get("batch", 64), "rows": summarize(rounds, skipped, o.peers)}
    if None not in shares:
        result["share_of_ceiling"] = spread(shares)
    if o.threads_scaling:
        result["scaling"] = scaling(o)
    if o.memory is not None:
        result["memory_mib"] = training_memory(o)
    return result


def main():
    o = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # what it runs is ended, too
    if o.setup:
        for peer in o.peers:
            setup(peer)
    try:
        result = measure(o)
    except Failed as why:
        print(f"compare: fovea: {why}", file=sys.stderr)
        return 1
    print(json.dumps(result, indent=2) if o.json else markdown(result))
    return 0 if any(r["program"] != "fovea" and "skipped" not in r for r in result["rows"]) else 1


if __name__ == "__main__":
    sys.exit(main())
