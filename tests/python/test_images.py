"""Arrays: what is taken, what it becomes, and what is refused."""

from __future__ import annotations

import unittest
from typing import Any

import numpy as np

import fovea
from common import Test, drawn


class Images(Test):
    gray: fovea.VAE
    colour: fovea.VAE

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        options: dict[str, Any] = {"arch": (3, 2), "depth": 1, "epochs": 1, "batch": 16, "device": cls.device}
        cls.gray = fovea.VAE(**options).fit(drawn(32, 8, 6))
        cls.colour = fovea.VAE(**options).fit(drawn(32, 8, 6, 3))

    @classmethod
    def tearDownClass(cls) -> None:
        cls.gray.close()
        cls.colour.close()
        super().tearDownClass()

    def test_the_same_images_in_other_types(self) -> None:
        bytes_ = drawn(5, 8, 6)
        codes = self.gray.encode(bytes_)
        for name, array in {
            "float32": bytes_.astype(np.float32) / 255,
            "float64": bytes_ / 255.0,
            "big endian": (bytes_ / 255.0).astype(">f8"),
            "int64": bytes_.astype(np.int64),
            "uint16": bytes_.astype(np.uint16),
            "a list": bytes_.tolist(),
            "column order": np.asfortranarray(bytes_),
            "not contiguous": np.repeat(bytes_, 2, axis=2)[:, :, ::2],
            "backwards": bytes_[::-1, ::-1][::-1, ::-1],
            "one channel": bytes_[..., None],
            "objects": (bytes_ / 255.0).astype(object),
            "nearly": bytes_ / 255.0 * (1 - 1e-7),
        }.items():
            with self.subTest(name):
                np.testing.assert_array_equal(self.gray.encode(array), codes)
        read_only = bytes_.copy()
        read_only.setflags(write=False)
        np.testing.assert_array_equal(self.gray.encode(read_only), codes)

    def test_masked(self) -> None:
        images = np.ma.masked_less(drawn(5, 8, 6), 10)
        self.assertTrue(images.mask.any())
        with self.assertRaisesRegex(ValueError, r"X is a masked array with \d+ masked numbers.*X\.filled"):
            self.gray.encode(images)
        np.testing.assert_array_equal(self.gray.encode(np.ma.array(images.data)), self.gray.encode(images.data))

    def test_rounding(self) -> None:
        """To the nearest of 256 steps, half to even."""
        form = fovea._images.Form("NHWC", None, (-1.0, 1.0))
        for value, expected in ((-1.0, 0), (1.0, 255), (0.0, 128), (1 - 1.1 / 255, 254), (1 - 0.9 / 255, 255)):
            found = fovea._images.to_bytes(np.full((1, 1, 1), value), form)
            self.assertEqual(found[0, 0, 0, 0], expected, value)
        many = np.linspace(-1, 1, 9_000_000).reshape(-1, 100, 100)  # more than are converted at once
        self.assertTrue((np.diff(fovea._images.to_bytes(many, form).reshape(-1).astype(int)) >= 0).all())

    def test_layouts(self) -> None:
        images = drawn(5, 8, 6, 3)
        codes = self.colour.encode(images)
        shapes = {
            "NHWC": ("NHWC", None, images),
            "NCHW": ("NCHW", None, images.transpose(0, 3, 1, 2)),
            "rows, last": ("NHWC", (8, 6, 3), images.reshape(5, -1)),
            "rows, first": ("NCHW", (3, 8, 6), images.transpose(0, 3, 1, 2).reshape(5, -1)),
        }
        for name, (layout, image_shape, array) in shapes.items():
            with self.subTest(name):
                model = self.colour.set_params(layout=layout, image_shape=image_shape)
                np.testing.assert_array_equal(model.encode(array), codes)
                self.assertEqual(model.reconstruct(array).shape, array.shape)
                back = model.reconstruct(array)
                if layout == "NCHW":
                    back = back.reshape(5, 3, 8, 6).transpose(0, 2, 3, 1)
                self.colour.set_params(layout="NHWC", image_shape=None)
                np.testing.assert_array_equal(back.reshape(images.shape), self.colour.reconstruct(images))

    def test_a_range(self) -> None:
        images = drawn(32, 8, 6)
        options: dict[str, Any] = {"arch": (3, 2), "depth": 1, "epochs": 1, "batch": 16, "device": self.device}
        model = fovea.VAE(**options, value_range=(-1, 1)).fit(images / 127.5 - 1)
        np.testing.assert_array_equal(model.encode(images), self.gray.encode(images))
        np.testing.assert_allclose(model.reconstruct(images), self.gray.reconstruct(images) * 2 - 1, atol=1e-6)

    def test_refused(self) -> None:
        good = drawn(4, 8, 6) / 255.0
        bad_place = good.copy()
        bad_place[2, 1, 3] = np.nan
        infinite = good.copy()
        infinite[3, 0, 0] = -np.inf
        for name, array, error, message in (
            ("NaN", bad_place, ValueError, "nan in image 2, .*NaN"),
            ("infinity", infinite, ValueError, "-inf in image 3, .*inf"),
            ("too large", good * 2, ValueError, "expected 0 to 1; value_range"),
            ("negative", good - 0.5, ValueError, "expected 0 to 1"),
            ("integers too large", good.astype(int) + 256, ValueError, "256 in image 0, expected 0 to 255"),
            ("another size", good[:, :7], ValueError, r"\(1, 7, 6\) .*the model \(1, 8, 6\)"),
            ("one image", good[0], ValueError, r"X\[None\]"),
            ("rows", good.reshape(4, -1), ValueError, "image_shape="),
            ("five dimensions", good[..., None, None], ValueError, "shape"),
            ("a number", 3.0, ValueError, "2D"),
            ("none", good[:0], ValueError, "0 sample"),
            ("no pixels", good[:, :0], ValueError, "0 feature"),
            ("channels first, untold", np.zeros((4, 3, 8, 6), np.uint8), ValueError, "layout='NCHW'"),
            ("bool", good > 0.5, TypeError, "bool"),
            ("words", np.full((4, 8, 6), "a"), TypeError, "<U1"),
            ("complex", good + 1j, ValueError, "Complex"),
            ("None", None, ValueError, "2D"),
        ):
            with self.subTest(name), self.assertRaisesRegex(error, message):
                self.gray.encode(array)

    def test_codes_refused(self) -> None:
        for codes in (np.zeros((3, 3)), np.zeros(2), np.zeros((0, 2)), np.full((1, 2), np.nan), "ab"):
            with self.subTest(codes=codes), self.assertRaises(ValueError):
                self.gray.decode(codes)
        self.assertEqual(self.gray.decode([[0, 1]]).shape, (1, 8, 6))

    def test_sample_and_mean(self) -> None:
        images = drawn(20, 8, 6)
        mu, logvar = self.gray.encode_distribution(images)
        np.testing.assert_array_equal(mu, self.gray.encode(images))
        self.assertTrue(np.isfinite(logvar).all())
        mean, sample = (self.gray.reconstruct(images, latent=latent) for latent in ("mean", "sample"))
        np.testing.assert_array_equal(mean, self.gray.decode(mu))
        self.assertFalse((mean == sample).all())
        with self.assertRaisesRegex(ValueError, "mean, sample"):
            self.gray.reconstruct(images, latent="mode")
        losses = self.gray.evaluate(images)
        self.assertAlmostEqual(losses.total, losses.bce + 0.001 * losses.kl)
        self.assertEqual(self.gray.score(images), -losses.total)


if __name__ == "__main__":
    unittest.main()
