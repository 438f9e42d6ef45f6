"""test_run_steps.py: run.py's steps and table by a command that only writes what is expected of it, in place of Fovea:
times that are known, a step that fails or hangs, no device, a card that is in use, a signal midway."""
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
DEVICE = {"type": "gpu", "name": "a card", "platform": "P", "driver": "1", "usable": True}
BENCH = {"training": {"images_per_s": 12345.4}, "profiled_step_seconds": 0.01,
         "kernels": [{"kernel": "conv2d_forward", "seconds": 3.0}, {"kernel": "fill", "seconds": 1.0}]}
FOVEA = """#!/bin/sh
case "$*" in
*{fails}*) echo 'it went wrong' >&2; exit 1 ;;
*{hangs}*) exec sleep 60 ;;
devices*) cat "$ANSWERS/devices.json" ;;
bench*) cat "$ANSWERS/bench.json" ;;
check*) echo 'all is well, aaaabbbbccccdddd' ;;
esac
"""
SMI = """#!/bin/sh
case "$*" in
*compute-apps*) {processes} ;;
*) echo 'a card, 550.1, 3, 80000, 0, 1980, 700.0' ;;
esac
"""


def script(path, text):
    path.write_text(text)
    path.chmod(0o755)


class Steps(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.packed, self.out = (pathlib.Path(self.folder.name, name) for name in ("packed", "out"))
        self.packed.mkdir(), self.out.mkdir()
        self.answers([DEVICE], BENCH)
        (self.packed / "model.json").write_text(json.dumps(
            {"device": "H100", "steps": [2000, 16000], "kernels": {"conv2d_forward": [80, 640]}}))
        script(self.packed / "python3", "#!/bin/sh\nexit 1\n")
        script(self.packed / "nvidia-smi", SMI.format(processes=":"))

    def answers(self, devices, bench):
        (self.packed / "devices.json").write_text(json.dumps({"devices": devices}))
        (self.packed / "bench.json").write_text(bench if isinstance(bench, str) else json.dumps(bench))

    def begin(self, fails="no-such", hangs="no-such", seconds=60):
        script(self.packed / "fovea", FOVEA.format(fails=fails, hangs=hangs))
        return subprocess.Popen(
            [sys.executable, "-B", "-S", HERE / "run.py", self.packed, self.out], text=True, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={"PATH": f"{self.packed}:/usr/bin:/bin", "ANSWERS": str(self.packed), "FOVEA_RUN_SECONDS": str(seconds)})

    def table(self, **how):
        run = self.begin(**how)
        said, errors = run.communicate()
        self.assertEqual(run.returncode, 0, errors)
        written = (self.out / "table.md").read_text()
        self.assertEqual(said.strip(), written.strip())
        return written

    def test_all_is_there(self):
        table = self.table()
        self.assertIn("- nvidia-smi: name, driver, MiB used, MiB, % busy, MHz at most, W at most: a card, 550.1, 3, ", table)
        self.assertIn("`fovea check`: all is well, aaaabbbbccccdddd", table)
        self.assertIn("| Fovea | 12345 | 12345 |\n| Fovea, tuned | 12345 | - |", table)
        self.assertIn("| a model of Fovea on an H100, no measurement | 32000 | 64000 |", table)
        self.assertIn("| conv2d_forward | 7500 | 7500 | 80 | 640 |\n| fill | 2500 | 2500 | - | - |", table)

    def test_nothing_of_another_run(self):
        (self.out / "check.txt").write_text("all was well\n")
        self.assertIn("`fovea check`: not run", self.table(seconds=4))

    def test_failure_is_named(self):
        table = self.table(fails="1024")
        self.assertIn("- bench 1024: status 1: it went wrong", table)
        self.assertIn("| Fovea | 12345 | - |", table)

    def test_wrong_bits_are_in_the_table(self):
        self.assertIn("`fovea check`: it went wrong", self.table(fails="check"))

    def test_no_json(self):
        self.answers([DEVICE], "Segmentation fault")
        self.assertIn("- bench 64: what it wrote is not JSON: 'Segmentation fault'", self.table())

    def test_no_device(self):
        self.answers([{**DEVICE, "usable": False, "why_not": "no doubles"}], BENCH)
        table = self.table()
        self.assertIn("- a card, P, 1: no doubles", table)
        self.assertIn("- all of Fovea's figures: no usable OpenCL device", table)

    def test_card_in_use(self):
        script(self.packed / "nvidia-smi", SMI.format(processes="echo '77, python3, 4000 MiB'"))
        self.assertIn("- a free card: before the first step it was used by 77, python3, 4000 MiB", self.table())

    def test_stopped(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            run = self.begin(hangs="check")
            for line in run.stderr:
                if line.startswith("check: at most"):
                    break
            so_far = (self.out / "table.md").read_text()
            self.assertIn("| Fovea | 12345 | - |", so_far)
            self.assertIn("- check and all after it: the run has not come to its end", so_far)
            os.kill(run.pid, number)
            said = run.communicate(timeout=20)[0]
            self.assertEqual(run.returncode, 128 + number)
            self.assertIn(f"- check: stopped by {number.name}\n- all that would have come after", said)


if __name__ == "__main__":
    unittest.main()
