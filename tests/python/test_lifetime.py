"""Threads, the order in which objects end, exit and fork: no crash, no deadlock, the same bits."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
import time
import unittest
import weakref

import numpy as np

import fovea
from common import EVERY, Test, drawn

# Of each what a process prints and how it ends; it has 60 seconds.
PROGRAMS = {
    "a thread that trains at exit": (
        """
        import threading
        model = fovea.VAE(**{**SMALL, "epochs": 100000})
        begun = threading.Event()
        threading.Thread(target=lambda: model.fit(images, callbacks=lambda s: begun.set()), daemon=True).start()
        begun.wait()
        print("out")
        """,
        "out",
    ),
    "models left at exit": (
        """
        device = fovea.Device()
        models = [fovea.VAE(**SMALL, device=device).fit(images) for _ in range(2)]
        circle = [models[0]]; circle.append(circle)
        graph = fovea.Graph(); graph.sigmoid_bce(graph.conv2d(graph.input(1, 8, 8), "c", 1))
        network = graph.network(batch=4, device=device)
        print("out")
        """,
        "out",
    ),
    "a child of one that trained": (
        """
        import os, warnings
        warnings.simplefilter("ignore")
        model = fovea.VAE(**SMALL).fit(images)
        child = os.fork()
        if child == 0:
            said = []
            for call in (lambda: model.encode(images), lambda: fovea.VAE(**SMALL).fit(images), fovea.devices):
                try:
                    call()
                except fovea.DeviceError as error:
                    said.append("forked" in str(error))
            model.close()
            numbers = fovea.regress({"x": [1, 2, 3], "y": [1, 2, 4]}).coefficients  # needs no device
            del model
            sys.exit(len(said) if all(said) and numbers else 50)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), model.encode(images[:1]).shape)
        """,
        "3 (1, 3)",
    ),
    "a child that alone uses devices": (
        """
        import os
        child = os.fork()
        if child == 0:
            fovea.VAE(**SMALL).fit(images)
            sys.exit(7)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        """,
        "7",
    ),
}
HEAD = "import sys; import fovea; from common import SMALL, drawn; images = drawn(64, 8, 8)\n"


class Lifetime(Test):
    def test_the_lock_is_let_go(self) -> None:
        """While the library works, another thread of Python's runs on."""
        images = drawn(6144, 12, 12)
        counted = 0
        ended = threading.Event()

        def count() -> None:
            nonlocal counted
            while not ended.is_set():
                counted += 1
                time.sleep(0.001)

        model = self.small(epochs=1, batch=2048)
        model.fit(images[:2048])  # compiles
        thread = threading.Thread(target=count)
        thread.start()
        calls: list[int] = []
        begun = time.monotonic()
        model.fit(images, callbacks=lambda s: calls.append(counted))
        seconds = time.monotonic() - begun
        ended.set()
        thread.join()
        self.assertEqual(len(calls), 1)  # three steps: the library calls back at the end alone
        self.assertGreater(calls[0], 10, f"in {seconds} s")

    def test_two_threads(self) -> None:
        """On a device each, and sharing one; the same bits as alone."""
        images = drawn(200, 8, 8)
        alone = self.small(epochs=2).fit(images).encode(images)
        for shared in (False, True):
            with self.subTest(shared=shared):
                codes: list[np.ndarray] = []

                def train(shared: bool = shared, codes: list[np.ndarray] = codes) -> None:
                    model = self.small(epochs=2, device=self.device if shared else None).fit(images)
                    codes.append(model.encode(images))
                    model.close()

                threads = [threading.Thread(target=train) for _ in range(3)]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join()
                self.assertEqual(len(codes), 3)
                for each in codes:
                    np.testing.assert_array_equal(each, alone)

    def test_closed_while_another_uses_it(self) -> None:
        """close() waits for the other's call; the next one of the other is refused."""
        images = drawn(2000, 12, 12)
        model = self.small().fit(images)
        refused = threading.Event()

        def use() -> None:
            try:
                while True:
                    model.reconstruct(images)
            except (fovea.InvalidError, fovea.NotFittedError):
                refused.set()

        thread = threading.Thread(target=use)
        thread.start()
        time.sleep(0.05)
        model.close()
        thread.join(30)
        self.assertTrue(refused.is_set())

    def test_orders_of_closing(self) -> None:
        with fovea.Device() as device:
            model = self.small(device=device).fit(drawn(32, 8, 8))
            graph = fovea.Graph()
            graph.sigmoid_bce(graph.conv2d(graph.input(1, 8, 8), "c", 1))
            network = graph.network(batch=4, device=device)
            info = device.info
        self.assertEqual(info, fovea.devices()[info.index])
        for call in (
            lambda: model.encode(drawn(1, 8, 8)),
            lambda: network.evaluate(drawn(1, 8, 8)),
            lambda: network.memory,
            lambda: device.info,
            lambda: self.small(device=device).fit(drawn(32, 8, 8)),
        ):
            with self.assertRaisesRegex(fovea.InvalidError, "is closed"):
                call()
        device.close()
        network.close()
        graph.close()
        with self.assertRaisesRegex(fovea.InvalidError, "graph is closed"):
            graph.input(1, 8, 8)

    def test_garbage(self) -> None:
        """A device and a graph that nobody names live as long as what was made of them."""
        graph = fovea.Graph()
        x = graph.sigmoid_bce(graph.conv2d(graph.input(1, 8, 8), "c", 1))
        network = graph.network(batch=4)
        gone = weakref.ref(network.device), weakref.ref(network)
        del graph, x
        gc.collect()
        network.evaluate(drawn(4, 8, 8))
        self.assertEqual(network.read(network.output, 4).shape, (4, 1, 8, 8))
        circle = [network]
        circle.append(circle)  # type: ignore[arg-type]
        del network, circle
        gc.collect()
        self.assertEqual([each() for each in gone], [None, None])
        model = self.small(device=None).fit(drawn(32, 8, 8))
        model = self.small(device=None).fit(drawn(32, 8, 8))
        gc.collect()
        self.assertEqual(model.encode(drawn(1, 8, 8)).shape, (1, 3))

    def test_programs(self) -> None:
        for name, (program, expected) in list(PROGRAMS.items())[::EVERY]:
            with self.subTest(name):
                lines = program.splitlines()
                text = HEAD + "\n".join(line[8:] for line in lines)
                done = subprocess.run(
                    [sys.executable, "-X", "faulthandler", "-c", text],
                    capture_output=True,
                    text=True,
                    timeout=60,
                    check=False,
                )
                self.assertEqual((done.returncode, done.stdout.strip()), (0, expected), done.stderr)
                self.assertEqual(done.stderr, "")


if __name__ == "__main__":
    unittest.main()
