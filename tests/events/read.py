#!/usr/bin/env python3
"""read.py FOVEA IMAGES: TensorBoard's own readers read what `fovea train` and `fovea sweep` write: the numbers of
metrics.csv, the pictures' bytes, histograms of all parameters, settings by the plugin "hparams"; each step once, also
after a run was killed, its files were torn, and it was resumed."""
import csv
import io
import json
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile

# Kernels that tools/train has compiled.
NET = "--arch 4,3,2 --depth 1 --batch 16 --bn-momentum 0.9 --limit-train 64 --limit-test 20".split()
EPOCHS = 3
ALL = {"scalars": 0, "images": 0, "histograms": 0, "tensors": 0, "compressedHistograms": 1}


def fovea(*arguments, code=0):
    done = subprocess.run([COMMAND, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == code, f"{arguments}: exit code {done.returncode}: {done.stderr}"
    return done


def train(out, *more):
    return fovea("train", *DATA, *NET, "--epochs", str(EPOCHS), "--out", out, *more)


def metrics_of(run):
    return list(csv.DictReader(io.StringIO(pathlib.Path(run, "metrics.csv").read_text())))


def float_of(text):
    return struct.unpack("f", struct.pack("f", float(text)))[0]


def raw(run):
    """(file, step, tag) of all values, as they stand in the files, one file after the other."""
    from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader
    from tensorboard.compat.proto import event_pb2
    for path in sorted(pathlib.Path(run).glob("events.out.tfevents.*")):
        for data in RawEventFileLoader(str(path)).Load():
            event = event_pb2.Event.FromString(data)
            for value in event.summary.value:
                yield path.name, event.step, value.tag


def read(run):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    accumulator = EventAccumulator(str(run), size_guidance=ALL)
    accumulator.Reload()
    return accumulator


def parameters_of(run):
    data = pathlib.Path(run, "checkpoint.safetensors").read_bytes()
    header = json.loads(data[8:8 + struct.unpack("<Q", data[:8])[0]])
    counts = {}
    for name, tensor in header.items():
        if name != "__metadata__" and not name.startswith(("optimizer.", "state.")) and f"optimizer.m.{name}" in header:
            counts[name] = 1
            for side in tensor["shape"]:
                counts[name] *= side
    return counts


def check_run(run, lost=0, without_gradients=(), without_rates=()):
    """lost: of so many of the first epochs only the losses are there."""
    rows, found = metrics_of(run), read(run)
    assert len(rows) == EPOCHS
    steps = list(range(1, EPOCHS + 1))
    columns = [name for name in rows[0] if name not in ("epoch", "run")]
    assert sorted(found.Tags()["scalars"]) == sorted(columns), found.Tags()
    for name in columns:
        events = found.Scalars(name)
        wanted = [(int(r["epoch"]), float_of(r[name])) for r in rows
                  if name != "images_per_s" or int(r["epoch"]) not in without_rates]
        assert [(e.step, e.value) for e in events] == wanted, f"{run}: {name}: {events}, {wanted}"
        times = [e.wall_time for e in events]
        assert times == sorted(times), f"{run}: {times}"
    pictures = {"reconstructions": {s: f"reconstructions-epoch{s:03}.png" for s in steps[lost:]},
                "walk": {EPOCHS: "walk.png"}}
    for tag, files in pictures.items():
        events = found.Images(tag)
        assert [e.step for e in events] == list(files), f"{run}: {tag}"
        for event in events:
            picture = pathlib.Path(run, files[event.step]).read_bytes()
            assert event.encoded_image_string == picture and struct.unpack(">II", picture[16:24]) == (event.width, event.height)
    counts = parameters_of(run)
    assert len(counts) > 20
    wanted = {f"{group}/{name}": n for group in ("weights", "gradients") for name, n in counts.items()}
    assert sorted(found.Tags()["histograms"]) == sorted(wanted), f"{run}: histograms"
    for tag, count in wanted.items():
        events = found.Histograms(tag)
        there = [s for s in steps[lost:] if tag.startswith("weights/") or s not in without_gradients]
        assert [e.step for e in events] == there, f"{run}: {tag}: {[e.step for e in events]}"
        for h in (e.histogram_value for e in events):
            assert h.num == count == sum(h.bucket) and h.min <= h.max, f"{run}: {tag}: {h}"
            assert list(h.bucket_limit) == sorted(h.bucket_limit), f"{run}: {tag}"
    once = [(step, tag) for _, step, tag in raw(run)]
    assert len(once) == len(set(once)), f"{run}: a step is there twice"
    named = [step for _, step, tag in raw(run) if tag == "loss"]
    assert named == steps, f"{run}: {named}"
    return found


def check_weights(run):
    """The last histogram is of the checkpoint's own weights."""
    import numpy
    data = pathlib.Path(run, "checkpoint.safetensors").read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    header, found = json.loads(data[8:8 + size]), read(run)
    for name in parameters_of(run):
        begin, end = header[name]["data_offsets"]
        values = numpy.frombuffer(data[8 + size + begin:8 + size + end], "<f4").astype(float)
        h = found.Histograms(f"weights/{name}")[-1].histogram_value
        assert (h.min, h.max) == (values.min(), values.max()), name
        assert abs(h.sum - values.sum()) <= 1e-9 * (1 + abs(values).sum()), name
        if values.min() < values.max():
            counts, edges = numpy.histogram(values, bins=30)
            assert sum(abs(counts - numpy.array(h.bucket))) <= 2, f"{name}: {counts}, {h.bucket}"
            assert numpy.allclose(edges[1:], h.bucket_limit), name


def stop_at(out, epochs_done):
    """Kills a training when it says that a checkpoint of so many epochs is written."""
    arguments = [COMMAND, "train", *DATA, *NET, "--epochs", str(EPOCHS), "--out", out, "--log-json"]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        for line in process.stdout:
            event = json.loads(line)
            if event["event"] == "checkpoint" and (event["epochs_done"], event["images_done"]) == (epochs_done, 0):
                process.kill()
                break


def check_crashes():
    stop_at("killed", 2)
    files = sorted(pathlib.Path("killed").glob("events.*"))
    with open(files[-1], "ab") as file:
        file.write(b"\x20\x00\x00\x00\x00\x00\x00\x00torn")  # what a write leaves that was cut
    checkpoint = pathlib.Path("killed", "checkpoint.safetensors").read_bytes()
    read("killed")  # a reader takes what is whole
    train("killed", "--resume")
    check_run("killed")
    # Of a complete run the checkpoint of an epoch before: its events are there, and are done again.
    shutil.copytree("run", "behind")
    pathlib.Path("behind", "checkpoint.safetensors").write_bytes(checkpoint)
    said = train("behind", "--resume").stderr
    assert "events after the checkpoint are dropped" in said, said
    check_run("behind")
    # Deleted: the losses are known from the checkpoint.
    shutil.copytree("killed", "deleted")
    for file in pathlib.Path("deleted").glob("events.*"):
        file.unlink()
    said = train("deleted", "--resume").stderr
    assert "events of 3 of 3 epochs are missing" in said, said
    found = read("deleted")
    assert [e.step for e in found.Scalars("val_loss")] == [1, 2, 3] and [e.step for e in found.Images("walk")] == [3]
    before = {p.name: p.read_bytes() for p in pathlib.Path("deleted").glob("events.*")}
    train("deleted", "--resume")  # nothing to do, and nothing is written
    assert {p.name: p.read_bytes() for p in pathlib.Path("deleted").glob("events.*")} == before


def check_viewer_that_stays():
    """One that has read epoch 3 when the run is resumed from 2 forgets it and reads it anew."""
    shutil.copytree("run", "live")
    found = read("live")
    old = {p.name for p in pathlib.Path("live").glob("events.*")}
    shutil.copy("behind/checkpoint.safetensors", "live")
    for file in pathlib.Path("behind").glob("events.*"):
        if file.name not in {p.name for p in pathlib.Path("run").glob("events.*")}:
            shutil.copy(file, "live")
    assert {p.name for p in pathlib.Path("live").glob("events.*")} > old
    found.Reload()
    assert [e.step for e in found.Scalars("loss")] == [1, 2, 3], found.Scalars("loss")


def session_groups(folder):
    from tensorboard.backend.event_processing.data_provider import MultiplexerDataProvider
    from tensorboard.backend.event_processing.plugin_event_multiplexer import EventMultiplexer
    from tensorboard.context import RequestContext
    from tensorboard.plugins import base_plugin
    from tensorboard.plugins.hparams import api_pb2, backend_context, list_session_groups
    multiplexer = EventMultiplexer()
    multiplexer.AddRunsFromDirectory(folder)
    multiplexer.Reload()
    provider = MultiplexerDataProvider(multiplexer, folder)
    context = backend_context.Context(base_plugin.TBContext(data_provider=provider, logdir=folder))
    request_context = RequestContext()
    experiment = context.experiment_from_metadata(request_context, "x", True, context.hparams_metadata(request_context, "x"),
                                                  context.hparams_from_data_provider(request_context, "x", 100))
    request = api_pb2.ListSessionGroupsRequest(start_index=0, slice_size=100, allowed_statuses=[0, 1, 2, 3])
    answer = list_session_groups.Handler(request_context, context, "x", request).run()
    return experiment, answer.session_groups


def check_factors(experiment):
    domains = {i.name: sorted(str(getattr(v, v.WhichOneof("kind"))) for v in i.domain_discrete.values)
               for i in experiment.hparam_infos}
    assert domains == {"activation": ["elu", "relu"], "lr": ["0.001", "0.005"], "batchnorm": ["False", "True"]}, domains


def check_sweep():
    sweep = ["sweep", *DATA, *NET, "--epochs", "1", "--factors", "activation=relu|elu,lr=0.001|0.005,batchnorm",
             "--fraction", "1/2"]
    fovea(*sweep, "--out", "sweep")
    fovea(*sweep, "--shard", "4/4", "--out", "shard")
    experiment, groups = session_groups("shard")  # of one network, and it knows what the whole sweep varies
    check_factors(experiment)
    assert len(groups) == 1, groups
    experiment, groups = session_groups("sweep")
    check_factors(experiment)
    assert [m.name.tag for m in experiment.metric_infos][0] == "val_loss", experiment
    assert len(experiment.metric_infos) == 7
    rows = list(csv.DictReader(io.StringIO(pathlib.Path("sweep", "results.csv").read_text())))
    assert len(groups) == len(rows) == 4
    losses = {g.sessions[0].name: {m.name.tag: m.value for m in g.metric_values}["val_loss"] for g in groups}
    for folder, loss in losses.items():
        config = json.loads(pathlib.Path("sweep", folder, "config.json").read_text())
        group = next(g for g in groups if g.sessions[0].name == folder)
        assert group.sessions[0].status == 1, group
        assert group.hparams["activation"].string_value == config["activation"], group
        assert group.hparams["lr"].number_value == config["lr"], group
        assert group.hparams["batchnorm"].bool_value == config["batchnorm"], group
        assert group.hparams["arch"].string_value == "4-3-2", group
        assert loss == float_of(metrics_of(pathlib.Path("sweep", folder))[-1]["val_loss"]), folder


def check_failure():
    """A training that met a NaN is a failure on the HParams page."""
    fovea("train", *DATA, *NET, "--epochs", "1", "--out", "all/nan", "--lr", "1000", "--min-lr", "1000", "--kl", "1e6", code=1)
    experiment, groups = session_groups("all")
    assert [g.sessions[0].status for g in groups] == [2], groups


def main():
    global COMMAND, DATA
    COMMAND, images = sys.argv[1:]
    DATA = ["--data", images]
    if not pathlib.Path(images).is_dir():
        print(f"skipped: not installed: {images}")
        return 77
    scratch = tempfile.mkdtemp()
    os.chdir(scratch)
    try:
        train("run")
        check_run("run")
        check_weights("run")
        check_crashes()
        check_viewer_that_stays()
        check_sweep()
        check_failure()
        train("off", "--tensorboard", "off")
        assert not list(pathlib.Path("off").glob("events.*"))
        train("off", "--resume")  # it is kept
        assert not list(pathlib.Path("off").glob("events.*"))
        said = train("off", "--resume", "--tensorboard", "on").stderr
        assert "events of 3 of 3 epochs are missing" in said and len(list(pathlib.Path("off").glob("events.*"))) == 1, said
        assert pathlib.Path("off", "checkpoint.safetensors").read_bytes() == pathlib.Path("run", "checkpoint.safetensors").read_bytes()
    finally:
        os.chdir("/")
        shutil.rmtree(scratch)
    print("TensorBoard reads what was written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
