"""The estimator: the same bytes as the command, stopping and going on, files, copies."""

from __future__ import annotations

import copy
import csv
import inspect
import json
import os
import pickle
import re
import signal
import threading
import time
import unittest
import warnings

import numpy as np

import fovea
from common import SMALL, Test, command, drawn, tensors


class SameAsTheCommand(Test):
    def setUp(self) -> None:
        super().setUp()
        self.train, self.test = drawn(150, 13, 10, 3), drawn(40, 13, 10, 3, seed=2)
        self.data = self.folder / "images.npz"
        np.savez(self.data, x_train=self.train, x_test=self.test)
        self.run = self.folder / "run"

    def options(self) -> list[str]:
        given = []
        for name, value in SMALL.items():
            text = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
            given += [f"--{name}", text]
        return given

    def test_bytes_losses_and_back(self) -> None:
        command("train", "--data", self.data, "--out", self.run, *self.options())
        model = self.small().fit(self.train, validation=self.test)
        ours = self.folder / "ours.safetensors"
        model.save(ours)
        self.same(ours, self.run / "checkpoint.safetensors")

        with open(self.run / "metrics.csv", newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual(len(rows), len(model.history_))
        for row, found in zip(rows, model.history_):
            for name, value in found.items():
                self.assertAlmostEqual(float(row[name]), value, places=6, msg=name)

        # What the command has made is loaded here, by its file and by its folder, and what is made here is taken there.
        for place in (self.run, self.run / "checkpoint.safetensors"):
            loaded = fovea.VAE.load(place, device=self.device)
            self.assertEqual(loaded.get_params()["arch"], SMALL["arch"])
            np.testing.assert_array_equal(loaded.encode(self.test), model.encode(self.test))
        mine = self.folder / "mine"
        mine.mkdir()
        os.rename(ours, mine / "checkpoint.safetensors")
        command("reconstruct", "--run", mine, "--data", self.data, "--out", self.folder / "pairs.png")

        # An epoch of the command's run, the other one here.
        half = self.folder / "half.safetensors"
        self.small().fit(self.train, callbacks=lambda seen: not seen.done).save(half)
        went_on = fovea.VAE.load(half, device=self.device).fit(self.train, resume=True)
        went_on.save(half)
        self.same(half, mine / "checkpoint.safetensors")

    def test_augmented(self) -> None:
        """A run with augmentation and other kernels goes on here as it would there, on the same images alone."""
        more = {"shift": 2, "fill": "black", "flip": "horizontal", "contrast": 0.2, "kernel": 5}
        labels = np.arange(150) % 3
        np.savez(self.data, x_train=self.train, x_test=self.test, y_train=labels, y_test=labels[:40])
        given = [str(part) for name, value in more.items() for part in (f"--{name}", value)]
        command("train", "--data", self.data, "--out", self.run, *self.options(), *given)
        model = self.small(**more).fit(self.train, callbacks=lambda seen: not seen.done)
        half, ours = self.folder / "half", self.folder / "ours"
        model.save(half)
        loaded = fovea.VAE.load(half, device=self.device)
        self.assertEqual({name: loaded.get_params()[name] for name in more}, more)
        with self.assertRaisesRegex(ValueError, "flip was 'horizontal' when training began and is 'none' now"):
            loaded.set_params(flip="none").fit(self.train, resume=True)
        loaded.set_params(flip="horizontal").fit(self.train, resume=True).save(ours)
        self.same(ours, self.run / "checkpoint.safetensors")

        run = fovea.VAE.load(self.run, device=self.device)
        run.fit(self.train, labels, resume=True)
        other = self.train.copy()
        other[7, 1, 2, 0] ^= 1
        for images, y in ((self.train, None), (self.train, labels[::-1]), (other, labels), (self.train[::-1], labels)):
            with self.assertRaisesRegex(ValueError, "content of the training images and labels was xxh64:"):
                run.fit(images, y, resume=True)
        with self.assertRaisesRegex(ValueError, "content of the training images"):
            model.fit(other, resume=True)

        run.fit(self.train, labels, validation=(self.test, labels[:40]), resume=True)
        for given in (self.test, (self.test, labels[1:41]), (self.test[::-1], labels[:40])):
            with self.assertRaisesRegex(ValueError, "content of the validation images and labels was xxh64:"):
                run.fit(self.train, labels, validation=given, resume=True)

        # What the run's checkpoint says of its data, its name and its epochs is saved again, and by a second time, too.
        places = [os.fsencode(p) for p in (self.run / "checkpoint.safetensors", ours)]
        run.save(ours)
        fovea.VAE.load(ours, device=self.device).save(ours)
        was, now = map(fovea._model.read_config, places)
        self.assertEqual(now, was)
        self.assertIn("test_hash", was)
        was, now = map(fovea._model.read_texts, places)
        self.assertEqual(now["run"], was["run"])
        self.assertEqual(json.loads(now["history"]), json.loads(was["history"]))
        self.assertEqual(len(run.history_), 2)
        command("train", "--data", self.data, "--out", self.run, "--resume")
        os.replace(ours, self.run / "checkpoint.safetensors")
        os.remove(self.run / "metrics.csv")
        command("train", "--data", self.data, "--out", self.run, "--resume")
        with open(self.run / "metrics.csv", newline="", encoding="utf-8") as file:
            restored = [float(row["val_loss"]) for row in csv.DictReader(file)]
        self.assertEqual(restored, [row["val_loss"] for row in run.history_])
        run._about["strength"] = 3
        run.save(ours)
        with self.assertRaisesRegex(ValueError, "its settings have strength, which VAE does not know"):
            fovea.VAE.load(ours, device=self.device)

    def test_defaults(self) -> None:
        text = re.sub(r"\n {20,}", " ", command("train", "--help").stdout)
        defaults = {name: p.default for name, p in inspect.signature(fovea.VAE.__init__).parameters.items()}
        shown = dict(re.findall(r"^  --([a-z-]+) .*\[([^]]+)\]$", text, re.MULTILINE))
        compared = 0
        for option, value in shown.items():
            name = option.replace("-", "_")
            if name in ("layout", "device") or name not in defaults:  # the images' own
                continue
            mine = defaults[name]
            words = {True: "on", False: "off"}
            spelled = words[mine] if isinstance(mine, bool) else ",".join(map(str, mine)) if name == "arch" else mine
            self.assertTrue(
                str(spelled) == value or (not isinstance(spelled, str) and float(value) == spelled), (name, mine, value)
            )
            compared += 1
        self.assertEqual(compared, 21)


class Stopping(Test):
    def whole(self, images: np.ndarray, path: str) -> None:
        self.small().fit(images).save(path)

    def test_interrupted(self) -> None:
        """Ctrl-C comes through, and the model can be used and goes on to the same bytes."""
        images = drawn(400, 12, 12)
        model = self.small()

        def press(seen: fovea.Progress) -> None:
            if seen.epoch == 2 and not seen.done:
                signal.raise_signal(signal.SIGINT)

        with self.assertRaises(KeyboardInterrupt):
            model.fit(images, callbacks=press)
        self.assertEqual(model.epochs_done_, 1)
        self.assertEqual(model.encode(images[:3]).shape, (3, 3))
        stopped, ours, whole = (self.folder / name for name in ("stopped", "ours", "whole"))
        model.save(stopped)
        model.fit(images, resume=True).save(ours)
        fovea.VAE.load(stopped, device=self.device).fit(images, resume=True).save(stopped)
        self.whole(images, str(whole))
        self.same(ours, whole)
        self.same(stopped, whole)

    def test_interrupted_by_another(self) -> None:
        """By a signal that comes while the library works, without a callback of the user's."""
        images = drawn(3000, 12, 12)
        model = self.small(epochs=1000)
        timer = threading.Timer(0.7, os.kill, (os.getpid(), signal.SIGINT))
        timer.start()
        begun = time.monotonic()
        with self.assertRaises(KeyboardInterrupt):
            model.fit(images)
            self.fail(f"trained for {time.monotonic() - begun} s")
        timer.join()
        self.assertEqual(model.reconstruct(images[:2]).shape, (2, 12, 12))

    def test_what_a_callback_raises(self) -> None:
        def bad(_: fovea.Progress) -> None:
            raise LookupError("mine")

        model = self.small()
        with self.assertRaisesRegex(LookupError, "mine"):
            model.fit(drawn(200, 8, 8), callbacks=bad)
        self.assertEqual(model.encode(drawn(2, 8, 8)).shape, (2, 3))

    def test_callbacks(self) -> None:
        seen: list[fovea.Progress] = []
        images = drawn(200, 8, 8)
        model = self.small().fit(images, validation=images[:20], callbacks=[seen.append, lambda s: s.epoch < 2])
        self.assertEqual(
            [(s.epoch, s.images, s.done) for s in seen], [(1, 128, False), (1, 200, True), (2, 128, False)]
        )
        self.assertEqual(seen[1].validation.images if seen[1].validation else 0, 20)
        self.assertEqual(seen[1].total, 200)
        self.assertEqual(model.epochs_done_, 1)
        self.assertEqual(len(model.history_), 1)

    def test_used_in_a_callback(self) -> None:
        """It may be used, and the training's bytes stay the same; but not ended."""
        images = drawn(200, 8, 8)
        said: list[str] = []

        def use(seen: fovea.Progress) -> None:
            seen.model.reconstruct(images[:5])
            for end in (seen.model.close, self.device.close):
                try:
                    if not seen.done:
                        end()
                except fovea.InvalidError as error:
                    said.append(str(error))

        a, b = self.folder / "a", self.folder / "b"
        self.small().fit(images, callbacks=use).save(a)
        self.whole(images, str(b))
        self.same(a, b)
        self.assertEqual(len(said), 4)
        self.assertIn("at work in this thread", said[0])

    def test_resumed_with_others(self) -> None:
        images = drawn(64, 8, 8)
        model = self.small().fit(images, callbacks=lambda s: False)
        for changed, value in (("lr", 0.5), ("epochs", 3), ("seed", 8)):
            was = model.get_params()[changed]
            with self.assertRaisesRegex(ValueError, changed):
                model.set_params(**{changed: value}).fit(images, resume=True)
            model.set_params(**{changed: was})
        with self.assertRaisesRegex(ValueError, "64 images, X has 63"):
            model.fit(images[1:], resume=True)
        with self.assertRaisesRegex(ValueError, "not fitted"):
            self.small().fit(images, resume=True)


class FilesAndCopies(Test):
    def test_copies(self) -> None:
        images = drawn(40, 8, 8)
        model = self.small().fit(images)
        codes = model.encode(images)
        for copied in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
            np.testing.assert_array_equal(copied.encode(images), codes)
            self.assertEqual(copied.history_, model.history_)
        model.close()
        with self.assertRaises(fovea.NotFittedError):
            model.encode(images)

    def test_metadata(self) -> None:
        path = self.folder / "saved"
        self.small(arch=(3, 4, 5)).fit(drawn(40, 8, 8)).save(path)
        content = path.read_bytes()
        header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
        config = json.loads(header["__metadata__"]["config"])
        self.assertEqual(config["arch"], [5, 4, 3])
        self.assertEqual((config["train_images"], config["height"]), (40, 8))

    def test_bad_files(self) -> None:
        broken = self.folder / "broken"
        broken.write_bytes(b"nothing of the kind")
        with self.assertRaisesRegex(fovea.InvalidError, "broken"):
            fovea.VAE.load(broken)
        with self.assertRaises(OSError) as caught:
            fovea.VAE.load(self.folder / "none")
        self.assertEqual(caught.exception.status, fovea.Status.IO)
        graph = fovea.Graph()
        graph.sigmoid_bce(graph.conv2d(graph.input(1, 8, 8), "c", 1))
        network, own = graph.network(batch=4, device=self.device), self.folder / "network"
        for _ in range(2):
            network.save(own)
        with self.assertRaisesRegex(fovea.InvalidError, r"Network\.load"):
            fovea.VAE.load(own)
        model = self.small().fit(drawn(40, 8, 8))
        checkpoint = self.folder / "checkpoint"
        for _ in range(2):
            model.save(checkpoint)
        for saved, other in ((model, broken), (model, own), (network, broken), (network, checkpoint)):
            was = other.read_bytes()
            with self.assertRaisesRegex(fovea.InvalidError, f"{other.name}: this file is there, is no .*would be lost"):
                saved.save(other)
            self.assertEqual(other.read_bytes(), was)
        with self.assertRaises(OSError):
            model.save(self.folder / "no" / "folder")

    def test_bad_settings(self) -> None:
        images = drawn(40, 8, 8)
        for name, value, error in (
            ("arch", (5,), ValueError),
            ("arch", range(1, 40), ValueError),
            ("latent", 0, ValueError),
            ("latent", 2.0, TypeError),
            ("latent", True, TypeError),
            ("arch", 6, TypeError),
            ("batchnorm", "no", TypeError),
            ("batchnorm", None, TypeError),
            ("batchnorm", 0, TypeError),
            ("batchnorm", [], TypeError),
            ("activation", "linear", ValueError),
            ("dropout", "0.2", TypeError),
            ("contrast", True, TypeError),
            ("value_range", 3, TypeError),
            ("value_range", (0, 1, 2), ValueError),
            ("activation", "softmax", ValueError),
            ("attention", "much", ValueError),
            ("dropout", 1.0, ValueError),
            ("dropout", float("nan"), ValueError),
            ("kl", -1.0, ValueError),
            ("epochs", 0, ValueError),
            ("seed", -1, ValueError),
            ("seed", 2**60, ValueError),
            ("kernel", 4, ValueError),
            ("kernel", 0, ValueError),
            ("shift", -1, ValueError),
            ("flip", "left", ValueError),
            ("contrast", 2.0, ValueError),
            ("lr", 0.00001, ValueError),
            ("lr", float("inf"), ValueError),
            ("batch", 2**40, ValueError),
            ("device", "no such device", ValueError),
            ("layout", "CHW", ValueError),
            ("value_range", (1, 0), ValueError),
        ):
            said = name if error is TypeError else ""  # the library's sentences have words of their own
            with self.subTest(name=name, value=value), self.assertRaisesRegex(error, said):
                self.small(**{name: value}).fit(images)
        for name, value in (("callbacks", 3), ("callbacks", [3]), ("resume", "no"), ("resume", 1)):
            with self.subTest(name=name, value=value), self.assertRaisesRegex(TypeError, f"^{name} "):
                self.small().fit(images, **{name: value})
        for seed in (-1, 2**53 + 1):
            with self.assertRaisesRegex(ValueError, f"seed is {seed}, expected 0 to 9007199254740992"):
                self.small(seed=seed).fit(images)
        self.small(seed=2**53, epochs=1).fit(images)
        with self.assertRaisesRegex(ValueError, "Invalid parameter 'units'"):
            self.small().set_params(units=(3, 2))

    def test_the_commands_words(self) -> None:
        images, kept = drawn(40, 8, 8), []
        for word, value in (("on", True), ("off", False), (np.False_, False)):
            model, path = self.small(batchnorm=word, epochs=1).fit(images), self.folder / str(word)
            model.save(path)
            self.assertIs(fovea.VAE.load(path, device=self.device).batchnorm, value)
            kept.append(list(tensors(path)))
        self.assertGreater(len(kept[0]), len(kept[1]))
        self.assertEqual(kept[1], kept[2])

    def test_codes_of_other_numbers(self) -> None:
        model = self.small(latent=2, epochs=1).fit(drawn(40, 8, 8))
        for codes, said in (([[0, 1e39]], r"1e\+39, which is too large"), ([[0, float("inf")]], "NaN or infinity")):
            with warnings.catch_warnings(), self.assertRaisesRegex(ValueError, said):
                warnings.simplefilter("error")
                model.decode(codes)
        with self.assertRaisesRegex(TypeError, "complex"):
            model.decode([[0, 1j]])

    def test_training_that_overflows(self) -> None:
        model = self.small(lr=1000.0, epochs=30, batchnorm=False, dropout=0.0, kl=1e6)
        with self.assertRaises(fovea.MismatchError) as caught:
            model.fit(drawn(200, 8, 8))
        self.assertEqual(caught.exception.status, fovea.Status.MISMATCH)
        self.assertIsInstance(caught.exception, ArithmeticError)


if __name__ == "__main__":
    unittest.main()
