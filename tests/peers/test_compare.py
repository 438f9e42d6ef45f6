#!/usr/bin/env python3
"""compare.py with a false fovea and false peers, whose speeds are known: its arithmetic, what it skips, its exit codes.

usage: test_compare.py COMPARE
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

COMPARE = sys.argv.pop(1)

# Speeds are lists in the file SPEEDS, one a call; each call takes the next.
FALSE = """#!{python}
import json, os, sys
folder = {folder!r}
def speed(name):
    path = os.path.join(folder, name + ".calls")
    n = int(open(path).read()) if os.path.exists(path) else 0
    open(path, "w").write(str(n + 1))
    return json.load(open(os.path.join(folder, "speeds.json")))[name][n]
{body}
"""
FOVEA = """
if sys.argv[1] == "train":
    block = bytearray(b"x") * (80 << 20)
    sys.exit(0 if "--limit-train" in sys.argv else 9)
v = speed("fovea" + (os.environ["POCL_MAX_PTHREAD_COUNT"] if {scaling} else ""))
if v is None: sys.exit("fovea: no device")
out = dict(images_per_s=v, share_of_ceiling=v / 1000, batch=64, device="d", platform="false platform", driver="1.2")
if {inference}: out["inference"] = dict(images_per_s=3 * v)
print(json.dumps(out))
"""
PEER = """
variant = sys.argv[sys.argv.index("--variant") + 1]
v = speed({name!r} + "-" + variant)
if v is None: sys.exit("ImportError: no module | named " + {name!r})
print(json.dumps(dict(version="9.9", training=dict(images_per_s=v, peak_mib=v + 1),
                      inference=dict(images_per_s=2 * v, peak_mib=v))))
"""


class Compare(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)

    def program(self, name, body):
        path = self.folder / name
        path.write_text(FALSE.format(python=sys.executable, folder=str(self.folder), body=body))
        path.chmod(0o755)
        return path

    def compare(self, speeds, *arguments, inference=True, scaling=False):
        (self.folder / "speeds.json").write_text(json.dumps(speeds))
        fovea = self.program("fovea", FOVEA.format(inference=inference, scaling=scaling))
        torch = self.program("torch", PEER.format(name="torch"))
        debian = self.program("torch-debian", PEER.format(name="torch-debian"))
        return subprocess.run(
            [sys.executable, COMPARE, "--fovea", fovea, "--python", f"torch={torch}", "--python",
             f"torch-debian={debian}", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            timeout=60, env=dict(os.environ, XDG_CACHE_HOME=str(self.folder)))

    def rows(self, done):
        self.assertEqual(done.returncode, 0, done.stderr)
        result = json.loads(done.stdout)
        return result, {(r["program"], r["variant"]): r for r in result["rows"]}

    def test_ratios_are_taken_within_rounds(self):
        speeds = {"fovea": [100, 400, 90], "torch-debian-nchw": [50, 100, 10], "torch-debian-nhwc": [20, 20, 20]}
        result, rows = self.rows(self.compare(speeds, "--rounds", "3", "--peers", "torch-debian", "--json"))
        first, second = rows["torch-debian", "nchw"], rows["torch-debian", "nhwc"]
        self.assertEqual(first["training"]["ratio"], {"median": 4, "min": 2, "max": 9})
        self.assertEqual(first["training"]["images_per_s"], {"median": 50, "min": 10, "max": 100})
        self.assertEqual(first["inference"]["ratio"], {"median": 6, "min": 3, "max": 13.5})
        self.assertEqual(first["training"]["peak_mib"], 101)
        self.assertTrue(first["training"]["best"])
        self.assertFalse(second["training"]["best"])
        self.assertEqual(result["share_of_ceiling"], {"median": 0.1, "min": 0.09, "max": 0.4})

    def test_a_variant_that_fails_is_skipped_from_then_on(self):
        speeds = {"fovea": [60, 60], "torch-nchw": [None], "torch-nhwc": [30, None], "torch-nchw-compiled": [10, 10],
                  "torch-nhwc-compiled": [5, 5]}
        done = self.compare(speeds, "--rounds", "2", "--peers", "torch,keras", "--json")
        _, rows = self.rows(done)
        for variant in ("nchw", "nhwc"):
            self.assertEqual(rows["torch", variant]["skipped"], "ImportError: no module | named torch")
        self.assertEqual(rows["keras", "function"]["skipped"], "not installed: see --setup")
        self.assertTrue(rows["torch", "nchw-compiled"]["training"]["best"])
        self.assertEqual(rows["torch", "nchw-compiled"]["training"]["ratio"]["median"], 6)

    def test_markdown(self):
        speeds = {"fovea": [300], "torch-debian-nchw": [60], "torch-debian-nhwc": [None]}
        done = self.compare(speeds, "--rounds", "1", "--peers", "torch-debian", "--markdown", inference=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("false platform 1.2", done.stdout)
        self.assertIn("| fovea | - | 300 (300 to 300) | 1 | - | - | - |", done.stdout)
        self.assertIn("| torch-debian 9.9 | nchw | **60 (60 to 60)** | **5.00 (5.00 to 5.00)** | "
                      "**120 (120 to 120)** | **-** | 61 |", done.stdout)
        self.assertIn("| torch-debian | nhwc | skipped: ImportError: no module / named torch-debian |", done.stdout)
        self.assertIn("| training, over the best of torch-debian | 5.00 (5.00 to 5.00) | at least 6 | no |",
                      done.stdout)
        columns = {line.count("|") for line in done.stdout.splitlines() if line.startswith("|")}
        self.assertEqual(columns, {8, 5})

    def test_threads_and_memory(self):
        speeds = {"fovea1": [10, 20], "fovea2": [50, 19, 40], "torch-debian-nchw": [10]}
        done = self.compare(speeds, "--rounds", "1", "--peers", "torch-debian:nchw", "--threads-scaling", "--memory",
                            "64", "--json", scaling=True)
        result, rows = self.rows(done)
        self.assertEqual(list(rows), [("fovea", ""), ("torch-debian", "nchw")])
        self.assertEqual(rows["torch-debian", "nchw"]["training"]["ratio"]["median"], 5)
        self.assertEqual(result["scaling"]["ratio"], {"median": 1.9, "min": 1.9, "max": 1.9})
        self.assertGreater(result["memory_mib"], 80)
        self.assertLess(result["memory_mib"], 200)

    def test_exit_codes(self):
        dead = {"fovea": [None], "torch-debian-nchw": [1], "torch-debian-nhwc": [1]}
        done = self.compare(dead, "--rounds", "1", "--peers", "torch-debian")
        self.assertEqual((done.returncode, done.stderr), (1, "compare: fovea: fovea: no device\n"))
        self.assertEqual(self.compare({"fovea": [1]}, "--rounds", "1", "--peers", "keras").returncode, 1)
        self.assertEqual(self.compare({}, "--peers", "abacus").returncode, 2)
        self.assertEqual(self.compare({}, "--peers", "torch:abacus").returncode, 2)
        self.assertEqual(self.compare({}, "--rounds", "0").returncode, 2)


if __name__ == "__main__":
    unittest.main()
