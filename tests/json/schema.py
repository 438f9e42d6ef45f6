#!/usr/bin/env python3
"""schema.py FOVEA IMAGES: what each subcommand prints with --json, and a training with --log-json, follows
tools/cli/output.schema.json, on success and on failure, and nothing else is on stdout. The subcommands are those of
`fovea --help`: a new one has no schema and no command line here until somebody gives it both."""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests" / "golden"
# Kernels that tools/train has compiled.
NET = "--arch 4,3,2 --depth 1 --batch 16 --bn-momentum 0.9 --limit-train 64 --limit-test 20".split()
SMALL = "--units 3,2,1 --batch 16 --steps 1".split()


def lines_of(images, onnx):
    """Of each subcommand: (exit code, arguments). They run in this order, in one folder."""
    data = ["--data", images]
    train = [*data, *NET, "--epochs", "2"]
    sweep = [*train, "--factors", "activation=relu|elu,latent=1|2"]
    shards = [*train, "--factors", "activation=relu|elu"]
    return {
        "devices": [(0, [])],
        "check": [(0, ["--small"]), (2, ["--device", "no such device"])],
        "bench": [(0, SMALL), (0, [*SMALL, "--growth", "--size", "4096"]), (2, ["--steps", "0"])],
        "train": [(0, [*train, "--out", "run"]), (0, [*data, "--out", "run", "--resume"]), (2, [*train, "--out", "run"]),
                  (5, ["--data", "/nowhere", "--out", "x"]), (2, [*train, "--out", "x", "--lr", "-1"]),
                  (1, [*data, *NET, "--epochs", "1", "--out", "nan", "--lr", "1000", "--min-lr", "1000", "--kl", "1e6"])],
        "reconstruct": [(0, ["--run", "run", "--walk", "--out", "walk.png"]),
                        (0, ["--run", "run", *data, "--count", "4", "--latent", "sample", "--out", "p.png",
                             "--save", "p.safetensors"]),
                        (5, ["--run", "nothing", "--walk", "--out", "walk.png"])],
        "sweep": [(0, [*sweep, "--out", "sweep"]), (2, [*sweep, "--out", "sweep"]),
                  (0, [*train, "--factors", "activation=relu", "--out", "one"]),
                  (0, [*shards, "--shard", "1/2", "--out", "first"]), (0, [*shards, "--shard", "2/2", "--out", "second"]),
                  (0, ["--merge", "--out", "merged", "first", "second"]), (2, ["--merge", "--out", "half", "first"])],
        "regress": [(0, [str(GOLDEN / "regress" / "seed.csv")]), (0, [str(GOLDEN / "inference" / "sweep_blocks.csv")]),
                    (0, [str(GOLDEN / "inference" / "two_way.csv"), "--response", "y", "--terms", "g*h*x", "--anova", "2",
                         "--robust", "hc3"]),
                    (2, []), (5, ["nothing.csv"])],
        "pack": [(0, [images, "--out", "set.fovea"]), (2, [])],
        "export": [*([(0, ["--run", "run", "--out", "run.onnx", "--part", "encoder", "--fold-bn"])] if onnx else []),
                   (5, ["--run", "nothing", "--out", "x.onnx"])],
        "report": [(0, ["run"]), (0, ["sweep", "--out", "page.html"]), (5, ["nothing"]), (2, ["sweep", "--data", images]),
                   (2, [])],
    }


class Checker:
    def __init__(self, fovea, validator, schema):
        self.fovea, self.validator, self.schema, self.count = fovea, validator, schema, 0

    def validate(self, value, name, what):
        rule = {"$ref": f"#/$defs/{name}", "$defs": self.schema["$defs"]}
        errors = [f"{list(e.absolute_path)}: {e.message[:300]}" for e in self.validator(rule).iter_errors(value)]
        errors += [f"  {list(c.absolute_path)}: {c.message[:300]}" for e in self.validator(rule).iter_errors(value)
                   for c in e.context or ()]
        assert not errors, f"{what} does not follow {name}:\n" + "\n".join(errors)
        self.count += 1

    def run(self, *arguments, code=0):
        done = subprocess.run([self.fovea, *arguments], capture_output=True, text=True, check=False)
        what = " ".join(arguments)
        assert done.returncode == code, f"{what}: exit code {done.returncode}, not {code}: {done.stderr}"
        return done, what

    def one(self, name, code, arguments):
        done, what = self.run(name, *arguments, "--json", code=code)
        value = json.loads(done.stdout)  # one object, and nothing before or after it
        self.validate(value, name, what)
        assert value["command"] == name, f"{what}: command is {value['command']}"
        assert ("error" in value) == (code != 0), f"{what}: {value}"
        if code:
            error = value["error"]
            assert error["exit_code"] == code, f"{what}: {error}"
            assert done.stderr.rstrip().endswith("fovea: " + error["message"]), f"{what}: {error}, {done.stderr}"
        shard = arguments[arguments.index("--shard") + 1] if "--shard" in arguments else None
        assert value.get("shard") == shard, f"{what}: {value}"
        if name == "check" and not code:
            assert value["passed"], value["why"]

    def unknown(self):
        for arguments in (["nonsense", "--json"], ["--bogus", "--json"], ["--json"]):
            done, what = self.run(*arguments, code=2)
            self.validate(json.loads(done.stdout), "none", what)
        for arguments in (["train", "--json", "--help"], ["devices", "--js", "--version"]):
            done, what = self.run(*arguments)
            assert not done.stdout.startswith("{"), f"{what}: {done.stdout}"
        done, what = self.run("devices", "--js")
        self.validate(json.loads(done.stdout), "devices", what)
        self.run("train", "--json", "--log-json", "--data", "x", "--out", "y", code=2)
        # A path that is no UTF-8: refused before anything is made, and the error is JSON.
        for name, more in (("train", ["--data", "x"]), ("sweep", ["--data", "x"]), ("pack", ["x"]),
                           ("reconstruct", ["--run", "run", "--walk"]), ("export", ["--run", "run"]), ("report", ["run"])):
            arguments = [self.fovea, name, *more, "--json", "--out", b"no\xffutf.png"]
            done = subprocess.run(arguments, capture_output=True, check=False)
            assert done.returncode == 2, f"{name}: {done}"
            value = json.loads(done.stdout)
            self.validate(value, name, name)
            assert "UTF-8" in value["error"]["message"], value

    def events(self, text, what):
        values = [json.loads(line) for line in text.splitlines()]
        for value in values:
            self.validate(value, "line", f"{what}: {value}")
        names = [value["event"] for value in values]
        assert names[-1] == "end" and names.count("end") == 1, f"{what}: {names}"
        times = [value["time"] for value in values]
        assert times == sorted(times), f"{what}: {times}"
        return values, names

    def log(self, train):
        done, what = self.run("train", *train, "--shift", "1", "--out", "log", "--log-json")
        values, names = self.events(done.stdout, what)
        epochs = [v for v in values if v["event"] == "epoch"]
        assert [v["epoch"] for v in epochs] == [1, 2], what
        assert names.count("start") == 1 and names.count("checkpoint") == 4, f"{what}: {names}"
        pictures = {v["path"] for v in values if v["event"] == "picture"}
        assert pictures == {str(p) for p in pathlib.Path("log").glob("*.png")}, f"{what}: {pictures}"
        rows = [line.split(",") for line in pathlib.Path("log/metrics.csv").read_text().splitlines()]
        for row, epoch in zip(rows[1:], epochs):
            assert [float(c) for c in row[:-1]] == [epoch[k] for k in rows[0][:-1]], f"{what}: {row}, {epoch}"
        done, what = self.run("train", "--data", "/nowhere", "--out", "x", "--log-json", code=5)
        values, names = self.events(done.stdout, what)
        assert values[-1]["error"]["exit_code"] == 5, f"{what}: {values}"
        # A sentence that stderr has is a warning: a short training has averages that have not arrived.
        done, what = self.run("train", *train[:-2], "--epochs", "1", "--bn-momentum", "0.99", "--out", "lag", "--log-json")
        values, names = self.events(done.stdout, what)
        said = [v["message"] for v in values if v["event"] == "warning"]
        assert any("--bn-momentum" in message for message in said), f"{what}: {said}"
        assert all("fovea: " + message in done.stderr for message in said), f"{what}: {said}"

    def unread(self, train):
        """That nobody reads the lines is said while it trains, and not at its end alone."""
        reader, writer = os.pipe()
        os.close(reader)
        arguments = [self.fovea, "train", *train[:-2], "--epochs", "1", "--out", "unread", "--log-json"]
        done = subprocess.run(arguments, stdout=writer, stderr=subprocess.PIPE, text=True, check=False)
        os.close(writer)
        at = done.stderr.find("standard output cannot be written any more")
        assert done.returncode == 5 and 0 <= at < done.stderr.find("epoch 1: loss"), f"{done.returncode}: {done.stderr}"

    def interrupt(self, train):
        """Lines are flushed: the process is stopped at the first checkpoint that one tells of, and says so."""
        arguments = [self.fovea, "train", *train[:-2], "--epochs", "500", "--out", "long", "--log-json"]
        with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
            text, sent = "", False
            for line in process.stdout:
                text += line
                if '"checkpoint"' in line and not sent:
                    process.send_signal(signal.SIGTERM)
                    sent = True
        assert process.returncode == 143, process.returncode
        values, names = self.events(text, "an interrupted training")
        assert names.count("interrupt") == 1, names
        assert values[-1]["stopped"] is True and values[-1]["epochs"] < 500, values[-1]


def main():
    fovea, images = sys.argv[1:]
    if not pathlib.Path(images).is_dir():
        print(f"skipped: not installed: {images}")
        return 77
    from jsonschema import Draft202012Validator
    schema = json.loads((ROOT / "tools" / "cli" / "output.schema.json").read_text())
    Draft202012Validator.check_schema(schema)
    checker = Checker(fovea, Draft202012Validator, schema)
    lines = lines_of(images, "ONNX export" in checker.run("--version")[0].stdout.split("built without")[0])
    listing = checker.run("--help")[0].stdout.split("subcommands:")[1].split("\n\n")[0]
    names = [line.split()[0] for line in listing.strip().splitlines()]
    scratch = tempfile.mkdtemp()
    os.chdir(scratch)
    try:
        for name in names:
            assert name in schema["$defs"], f"{name} has no definition in output.schema.json"
            assert lines.get(name), f"{name} has no command line in tests/json/schema.py"
            assert "--json" in checker.run(name, "--help")[0].stdout, f"{name} has no --json"
            for code, arguments in lines[name]:
                checker.one(name, code, arguments)
        checker.unknown()
        train = ["--data", images, *NET, "--epochs", "2"]
        checker.log(train)
        checker.unread(train)
        checker.interrupt(train)
    finally:
        os.chdir("/")
        shutil.rmtree(scratch)
    print(f"{checker.count} objects of {len(names)} subcommands follow the schema")
    return 0


if __name__ == "__main__":
    sys.exit(main())
