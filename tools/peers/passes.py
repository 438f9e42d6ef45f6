"""What the peers' scripts share: their options, the images, how passes are timed, and what is printed."""
import argparse, gzip, json, os, resource, time
import numpy as np

BATCHES = 16


def options(doc, variants):
    """A parser; the first of the variants is the default."""
    p = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--batch", type=int, default=64)
    p.add_argument("--steps", type=int, default=15, help="passes to time")
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--variant", choices=variants, default=variants[0])
    p.add_argument("--inference", action="store_true", help="of that alone")
    p.add_argument("--data", default="/usr/share/datasets/fashion-mnist", help="random images where it is not")
    p.add_argument("--json", action="store_true")
    return p


def images_of(o):
    """BATCHES x batch x 28 x 28 floats from 0 to 1."""
    path = os.path.join(o.data, "train-images-idx3-ubyte.gz")
    if os.path.exists(path):
        with gzip.open(path) as f:
            pixels = np.frombuffer(f.read(16 + o.batch * BATCHES * 784)[16:], np.uint8)
    else:
        pixels = np.random.default_rng(768).integers(0, 256, o.batch * BATCHES * 784, np.uint8)
    return pixels.reshape(BATCHES, o.batch, 28, 28).astype(np.float32) / 255


def measure(run, batches, o):
    """Images/s by the median of the passes, the seconds of the first, which compiles, and the peak memory so far.
    run(images) gives a number that is on the host when the pass is over, or is waited for here."""
    def timed(i):
        start = time.perf_counter()
        value = float(run(batches[i % BATCHES]))
        assert value == value, "NaN"
        return time.perf_counter() - start

    first = timed(0)
    for i in range(3):
        timed(i)
    times = sorted(timed(i) for i in range(o.steps))
    return {"images_per_s": o.batch / times[len(times) // 2], "first_seconds": first,
            "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def report(name, result, o):
    """`name` tells the peer and its version."""
    if o.json:
        print(json.dumps(result))
        return
    for mode in ("training", "inference"):
        if mode in result:
            print(f"{name} {o.variant} {mode}: {result[mode]['images_per_s']:.1f} images/s, "
                  f"peak {result[mode]['peak_mib']:.0f} MiB")
