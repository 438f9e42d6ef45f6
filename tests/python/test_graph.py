"""Networks of one's own, by the graph's builders."""

from __future__ import annotations

import re
import unittest
from pathlib import Path

import numpy as np

import fovea
from common import Test, drawn


def autoencoder() -> tuple[fovea.Graph, fovea.Tensor]:
    """Every builder once."""
    g = fovea.Graph()
    x = g.input(1, 12, 12)
    x = g.activation(g.conv2d(x, "down", 4, stride=2), "relu")
    x = g.residual(x, g.conv2d(x, "same", 4))
    x = g.concat(x, g.spatial_attention(g.channel_attention(x, "attention"), "attention"))
    x = g.dropout(g.batchnorm(g.conv2d(x, "padded", 4, kernel=5, padding=2, bias=True), "norm", momentum=0.9), 0.1)
    code = g.reparameterize(g.dense(x, "mu", 3), g.dense(x, "logvar", 3), kl_weight=0.01)
    x = g.reshape(g.dense(code, "spread", 2 * 6 * 6), 2, 6, 6)
    x = g.conv2d_transpose(x, "up", 1, stride=2, bias=True, size=(12, 12))
    g.sigmoid_bce(x)
    return g, code


class Graphs(Test):
    def test_readme(self) -> None:
        """The example of tools/python/README.md."""
        text = (Path(__file__).resolve().parents[2] / "tools/python/README.md").read_text(encoding="utf-8")
        example = next(code for code in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "Graph()" in code)
        self.assertIn("graph.network(batch=50)", example)
        known = {"fovea": fovea, "images": drawn(120, 28, 28)}
        exec(example, known)
        self.assertEqual(np.shape(known["codes"]), (5, 4, 1, 1))

    def test_trains(self) -> None:
        images = drawn(64, 12, 12)
        graph, code = autoencoder()
        network = graph.network(batch=16, seed=3, device=self.device)
        self.assertEqual(code.shape, (3, 1, 1))
        found = []
        for _ in range(6):
            for start in range(0, 64, 16):
                network.train_step(images[start : start + 16], 0.01)
            found.append(network.losses())
        self.assertLess(found[-1].bce, found[0].bce)
        self.assertEqual(found[0].images, 64)
        self.assertEqual(network.step, 24)
        self.assertGreater(network.memory, 10000)

        network.evaluate(images[:5])
        values = network.read(code, 5)
        self.assertEqual(values.shape, (5, 3, 1, 1))
        pictures = network.read(network.output, 5)
        network.evaluate_from(code, values)
        np.testing.assert_array_equal(network.read(network.output, 5), pictures)

        path = self.folder / "network"
        network.save(path)
        loaded = fovea.Network.load(path, device=self.device)
        for each in (network, loaded):
            each.train_step(images[:16], lr=0.003)
            each.train_step(images[:16], learning_rate=0.003)
        with self.assertRaisesRegex(TypeError, "one parameter"):
            network.train_step(images[:16], 0.1, learning_rate=0.1)
        for name in network.parameters:
            np.testing.assert_array_equal(network.get(name), loaded.get(name))
        loaded.evaluate(images[:5])
        self.assertEqual(loaded.read(loaded.tensor(code.number), 5).shape, (5, 3, 1, 1))
        self.assertEqual(fovea.Network.load(path, training=False, device=self.device).shape, (1, 12, 12))
        again = fovea.Graph.load(path).network(batch=16, seed=3, device=self.device)
        self.assertEqual(list(again.parameters), list(network.parameters))

    def test_parameters(self) -> None:
        graph, _ = autoencoder()
        network = graph.network(batch=16, device=self.device)
        self.assertEqual(network.parameters["down.weight"].shape, (4, 1, 3, 3))
        self.assertFalse(network.parameters["norm.running_mean"].trainable)
        values = np.arange(36, dtype=np.float32).reshape(4, 1, 3, 3)
        network.set("down.weight", values)
        np.testing.assert_array_equal(network.get("down.weight"), values)
        network.set("down.weight", values.astype(float) / 2, "first_moment")
        np.testing.assert_array_equal(network.get("down.weight", "first_moment"), values / 2)
        for call, message in (
            (lambda: network.get("down"), "no parameter is called 'down'; there are down.weight"),
            (lambda: network.get("norm.running_mean", "gradient"), "running_mean"),
            (lambda: network.get("down.weight", "momentum"), "expected one of value"),
            (lambda: network.set("down.weight", values[0]), r"\(4, 1, 3, 3\), not \(1, 3, 3\)"),
        ):
            with self.subTest(message), self.assertRaisesRegex(fovea.InvalidError, message):
                call()
        with self.assertRaisesRegex(ValueError, r"values with 1e\+39, which is too large"):
            network.set("down.weight", values.astype(float) + 1e39)

    def test_refused(self) -> None:
        graph = fovea.Graph()
        x = graph.input(1, 8, 8)
        with self.assertRaisesRegex(fovea.InvalidError, "kernel"):
            graph.conv2d(x, "c", 4, kernel=4)
        with self.assertRaisesRegex(fovea.InvalidError, "kernel"):  # its first failure stays a graph's
            graph.network(device=self.device)
        graph, code = autoencoder()
        other = fovea.Graph().input(1, 8, 8)
        for call in (
            lambda: graph.residual(code, other),
            lambda: graph.keep(other),
            lambda: graph.network(batch=4, device=self.device).read(other, 1),
        ):
            with self.assertRaisesRegex(fovea.InvalidError, "another graph"):
                call()
        with self.assertRaises(TypeError):
            graph.dense(code, "d", 2.5)  # type: ignore[arg-type]
        for refused in (
            lambda: graph.dense(code, "d", 2, bias="no"),
            lambda: graph.conv2d(code, "d", 2, bias=None),
            lambda: graph.network(training=0, device=self.device),
        ):
            with self.assertRaisesRegex(TypeError, "^(bias|training) is .* expected True or False"):
                refused()
        with self.assertRaisesRegex(fovea.InvalidError, "frozen"):
            graph.activation(code, "relu")
        network = graph.network(batch=4, device=self.device)
        for images, message in ((drawn(5, 12, 12), "5 images"), (drawn(2, 12, 11), r"the network takes \(1, 12, 12\)")):
            with self.assertRaisesRegex(ValueError, message):
                network.train_step(images)
        with self.assertRaisesRegex(fovea.InvalidError, "nan"):
            network.train_step(drawn(2, 12, 12), float("nan"))
        with self.assertRaises(fovea.InvalidError):
            graph.network(batch=4, training=False, device=self.device).train_step(drawn(2, 12, 12))
        network.evaluate(drawn(2, 12, 12))
        with self.assertRaises(fovea.InvalidError):
            network.read(code, 3)


if __name__ == "__main__":
    unittest.main()
