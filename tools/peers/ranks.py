#!/usr/bin/env python3
"""One network trained by 1, 2 and 4 ranks of this machine, and a model of more machines.

Measured: `mpirun -n N fovea train` on the seed network and synthetic images, each rank with one thread and bound to a
core, runs of all N in turn; the median over the rounds. Strong scaling has one batch for all ranks, weak scaling one a
rank. With fewer cores than ranks a core has several.

With --link DELAY[,RATE], once or several times, instead: 2 ranks on two hosts, namespaces of networks of this machine
with such a link between them (tests/reach/two_hosts.sh; as root), with --sync-bn on and off, in turn, beside one rank
alone and what the model says by the latency and the bytes a second that were measured from host to host.

A model, and no measurement: a step of N machines takes

    T(N) = t * ceil(B / 16 / N) * 16  +  M * (L + (N - 1) * o)  +  (2 * (N - 1) / N * G + (N - 1) * S) / W

for a batch of B images and t seconds an image on one machine, G bytes of gradients, of which each rank sums a slice, and
S bytes of other sums, which it gives to each of the others, in M meetings a step, L seconds until a message is there, o
seconds to send or take one, and W bytes a second of a machine's link. Two ranks have G bytes, too, in a meeting less a
bucket of gradients. Nothing is taken off for gradients that travel while the device computes. A number of machines is
called efficient while T(1) / (N T(N)) is at least a half.

Exit codes: 0 done, 1 a run failed, 2 bad usage.
"""
import argparse, math, os, pathlib, re, statistics, struct, subprocess, sys, tempfile

LINKS = [("1 Gbit/s", 125e6, 50e-6), ("10 Gbit/s", 1.25e9, 20e-6), ("100 Gbit/s", 12.5e9, 5e-6)]
SENDING = 1e-6
MACHINES = [2 ** i for i in range(9)]


def write_images(folder, count):
    folder.mkdir()
    for name, n in (("train", count), ("t10k", 16)):
        numbers = " ".join(str(i) for i in range(n * 784 // 4)).encode()[:n * 784]
        (folder / f"{name}-images-idx3-ubyte").write_bytes(struct.pack(">IIII", 2051, n, 28, 28) + numbers)


def run(fovea, folder, ranks, batch, steps, out, hosts=None, sync="on"):
    """Images a second of the last epoch, and what a rank sends in a step: (bytes, meetings), or None."""
    data = folder / f"data{batch * steps}"
    if not data.exists():
        write_images(data, batch * steps)
    env = dict(os.environ, POCL_MAX_PTHREAD_COUNT="1", OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1",
               OMPI_MCA_rmaps_base_oversubscribe="1", OMPI_MCA_btl="self,vader")
    launcher = ["mpirun", "-n", str(ranks), "--bind-to", "core"] + (["--map-by", "core"] if ranks > 1 else [])
    if ranks > (os.cpu_count() or 1):
        launcher = ["mpirun", "-n", str(ranks), "--bind-to", "none"]
    launcher = hosts or launcher
    command = [str(fovea), "train", "--data", str(data), "--out", str(out), "--batch", str(batch), "--epochs", "2",
               "--tensorboard", "off", "--sync-bn", sync]
    done = subprocess.run(launcher + command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"ranks.py: {done.stderr.strip().splitlines()[-1:]} by {' '.join(launcher + command)}")
    found = re.search(r"sends (\d+) bytes in (\d+) meetings", done.stderr)
    last = (out / "metrics.csv").read_text().splitlines()[-1].split(",")
    return float(last[7]), found and (int(found[1]), int(found[2]))


def between_hosts(args, link):
    """The beginning of a command that runs on the first of two hosts."""
    tests = pathlib.Path(__file__).resolve().parents[2] / "tests" / "reach"
    return [str(tests / "two_hosts.sh"), str(args.fovea.parent / "tests" / "reach" / "link"), link]


def speed_of(args, link):
    """What carries, seconds one way and bytes a second, measured."""
    hosts = between_hosts(args, link)
    script = '"$0" speed "/proc/$SECOND_HOST/ns/net" 10.77.0.2 && echo "$LINK_BY"'
    done = subprocess.run(hosts + ["bash", "-c", script, hosts[1]], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True)
    if done.returncode:
        print(f"ranks.py: {(done.stderr + done.stdout).strip()}", file=sys.stderr)
        sys.exit(2 if done.returncode == 2 else 1)
    words = done.stdout.split()
    return words[-1], float(words[0]) / 1e6, float(words[4]) * 1e6


def measure_links(args, folder):
    """Two ranks, each on a host and a core of its own."""
    speeds = {link: [speed_of(args, link)] for link in args.link}
    rates, traffic = {}, {}
    pinned = ["mpirun", "--wdir", os.getcwd(), "--host", "10.77.0.1:1,10.77.0.2:1", "--bind-to", "none",
              "bash", "-c", 'exec taskset --cpu-list $((OMPI_COMM_WORLD_RANK % $(nproc))) "$@"', "rank"]
    for turn in range(args.rounds):
        alone, _ = run(args.fovea, folder, 1, args.batch, args.steps, folder / f"alone.{turn}")
        rates.setdefault("alone", []).append(alone)
        for i, link in enumerate(args.link):
            speeds[link].append(speed_of(args, link))
            for sync in ("on", "off"):
                out = folder / f"link{i}.{sync}.{turn}"
                rate, traffic[sync] = run(args.fovea, folder, 2, args.batch, args.steps, out,
                                          between_hosts(args, link) + pinned, sync)
                rates.setdefault((link, sync), []).append(rate)
    print_links(args, speeds, rates, traffic)


def print_links(args, speeds, rates, traffic):
    image = 1 / statistics.median(rates["alone"])
    print(f"Measured, {args.rounds} rounds, {os.cpu_count()} cores, a batch of {args.batch}: one rank alone has "
          f"{1 / image:.0f} images/s ({min(rates['alone']):.0f} to {max(rates['alone']):.0f}).\n")
    print("| link | by | one way, us | MB/s | --sync-bn | meetings | bytes | images/s | over 1 rank | the model's | "
          "over it |")
    print("| --- |" + " --- |" * 10)
    for link in args.link:
        latency, width = (statistics.median(s[k] for s in speeds[link]) for k in (1, 2))
        for sync in ("on", "off"):
            own, (size, meetings) = rates[link, sync], traffic[sync]
            said = args.batch / sum(parts(2, args.batch, image, (size, 0, meetings, 0), (link, width, latency)))
            over = statistics.median(a / b for a, b in zip(own, rates["alone"]))
            print(f"| {link} | {speeds[link][0][0]} | {latency * 1e6:.0f} | {width / 1e6:.0f} | {sync} | {meetings} | "
                  f"{size:,} | {statistics.median(own):.0f} ({min(own):.0f} to {max(own):.0f}) | {over:.2f} | "
                  f"{said:.0f} | {statistics.median(own) / said:.2f} |")


def measure(args, folder):
    rates, traffic, numbers = {}, {}, [1, 2, 4]
    for turn in range(args.rounds):
        for kind in ("strong", "weak"):
            for n in numbers:
                batch = args.batch * (n if kind == "weak" else 1)
                rate, found = run(args.fovea, folder, n, batch, args.steps, folder / f"{kind}{n}.{turn}")
                rates.setdefault((kind, n), []).append(rate)
                traffic[n] = found
    print(f"Measured, {args.rounds} rounds, {os.cpu_count()} cores: images/s (range), and over 1 rank's.\n")
    print("| ranks | one batch of %d | over 1 | %d a rank | over 1 |" % (args.batch, args.batch))
    print("| --- | --- | --- | --- | --- |")
    for n in numbers:
        cells = []
        for kind in ("strong", "weak"):
            own, one = rates[kind, n], rates[kind, 1]
            ratio = statistics.median(a / b for a, b in zip(own, one))
            cells += [f"{statistics.median(own):.0f} ({min(own):.0f} to {max(own):.0f})", f"{ratio:.2f}"]
        print(f"| {n} | {' | '.join(cells)} |")
    return 1 / statistics.median(rates["strong", 1]), traffic[2], traffic[4]


def bytes_and_meetings(text):
    size, meetings = (int(number) for number in text.split(","))
    return size, meetings


def sums(two, four):
    """Of what a rank sends of 2 and of 4, (bytes, meetings) each: bytes of gradients and of other sums, the meetings of
    2 ranks, and how many more those of others have."""
    gradients = (3 * two[0] - four[0]) / 1.5
    return gradients, two[0] - gradients, two[1], four[1] - two[1]


def parts(n, batch, image, traffic, link):
    """Seconds of a step that are computing, meeting and bytes."""
    gradients, others, meetings, more = traffic
    _, width, latency = link
    computing = image * 16 * math.ceil(math.ceil(batch / 16) / n) if n > 1 else image * batch
    meeting = (meetings + (more if n > 2 else 0)) * (latency + (n - 1) * SENDING) if n > 1 else 0
    return computing, meeting, (2 * (n - 1) / n * gradients + (n - 1) * others) / width


def times(n, batch, image, traffic, link):
    """How many times as fast as one machine."""
    return image * batch / sum(parts(n, batch, image, traffic, link))


def model(image, traffic, batches):
    gradients, others, meetings, more = traffic
    print(f"\nA model, not a measurement: {image * 1e6:.0f} us an image; a step's {gradients / 1e3:.0f} kB of gradients and "
          f"{others / 1e3:.1f} kB of other sums in {meetings + more} meetings; {SENDING * 1e6:.0f} us a message.\n")
    print("| batch | link | latency, us | most efficient machines | there a step is | of it computing, meeting, bytes |")
    print("| --- | --- | --- | --- | --- | --- |")
    for batch in batches:
        for link in LINKS:
            fits = [n for n in MACHINES if n <= math.ceil(batch / 16)]
            n = max(n for n in fits if times(n, batch, image, traffic, link) >= n / 2)
            of = parts(n, batch, image, traffic, link)
            shares = ", ".join(f"{100 * part / sum(of):.0f}%" for part in of)
            print(f"| {batch} | {link[0]} | {link[2] * 1e6:.0f} | {n} | {sum(of) * 1e3:.2f} ms | {shares} |")


def grow(image, traffic, batch):
    print(f"\nThe same model, a batch of {batch}: how many times as fast as one machine, and the part of N.\n")
    print("| machines | " + " | ".join(name for name, _, _ in LINKS) + " |")
    print("| --- |" + " --- |" * len(LINKS))
    for n in MACHINES[1:]:
        rates = [times(n, batch, image, traffic, link) for link in LINKS]
        print(f"| {n} | {' | '.join(f'{rate:.1f} ({100 * rate / n:.0f}%)' for rate in rates)} |")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--fovea", type=pathlib.Path, default=pathlib.Path("build/fovea"))
    p.add_argument("--link", metavar="DELAY[,RATE]", action="append", help="50us, or 1ms,10Gbit")
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--batch", type=int, default=64)
    p.add_argument("--steps", type=int, default=8, help="of an epoch")
    p.add_argument("--image-us", type=float, help="with --traffic: the model alone, by so long an image takes")
    p.add_argument("--traffic", metavar="BYTES,MEETINGS", nargs=2, type=bytes_and_meetings,
                   help="of a step, as fovea train says them of 2 ranks and of 4")
    args = p.parse_args()
    args.fovea = args.fovea.resolve()
    if args.link and args.traffic is not None:
        p.error("--link is measured, and --traffic is not")
    if (args.image_us is None) != (args.traffic is None):
        p.error("--image-us and --traffic go together")
    if args.link:
        with tempfile.TemporaryDirectory() as folder:
            return measure_links(args, pathlib.Path(folder))
    if args.traffic is not None:
        image, *traffic = args.image_us / 1e6, *args.traffic
    else:
        with tempfile.TemporaryDirectory() as folder:
            image, *traffic = measure(args, pathlib.Path(folder))
    model(image, sums(*traffic), (64, 1024, 4096))
    grow(image, sums(*traffic), 4096)


if __name__ == "__main__":
    main()
