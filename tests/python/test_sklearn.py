"""scikit-learn's own checks of estimators, and its tools with ours."""

from __future__ import annotations

import unittest
import warnings

import numpy as np
import sklearn
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import check_estimator, estimator_checks_generator

import fovea
from common import EVERY, SMALL, Test, drawn

# Checks that do not apply, each with its reason; all others must pass.
NOT_RUN = {
    "check_array_api_input": "arrays of other libraries than numpy are copied to numpy's",
}


class Sklearn(Test):
    def test_checks(self) -> None:
        """Rows of any length and any numbers: an image of one row of pixels each, the numbers in 256 steps."""
        estimator = fovea.VAE(
            arch=(2, 1),
            depth=1,
            epochs=1,
            batch=16,
            image_shape="row",
            value_range=(-1e4, 1e4),
            device=self.device,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if EVERY > 1:
                self.sample(estimator)
                return
            results = check_estimator(estimator, on_fail=None, on_skip=None)
        by_status: dict[str, dict[str, object]] = {}
        for result in results:
            by_status.setdefault(result["status"], {})[result["check_name"]] = result["exception"]
        self.assertEqual(by_status.get("failed", {}), {})
        self.assertEqual(set(by_status.get("skipped", {})) - set(NOT_RUN), set())
        self.assertGreater(len(by_status["passed"]), 40)

    def sample(self, estimator: fovea.VAE) -> None:
        checks = [check for _, check in estimator_checks_generator(estimator) if check.func.__name__ not in NOT_RUN]
        self.assertGreater(len(checks), 40)
        for check in checks[::EVERY]:
            with self.subTest(check.func.__name__):
                check(sklearn.clone(estimator))

    def test_clone(self) -> None:
        model = self.small(arch=[4, 3], layout="NCHW")
        cloned = sklearn.clone(model)
        self.assertEqual(cloned.get_params(), model.get_params())
        self.assertIsNot(cloned.arch, model.arch)
        self.assertIs(cloned.device, model.device)
        self.assertEqual(repr(fovea.VAE(latent=4)), "VAE(latent=4)")

    def test_tools(self) -> None:
        images = drawn(48, 8, 8)
        rows = images.reshape(48, -1)
        model = self.small(epochs=1, image_shape=(8, 8))
        pipeline = make_pipeline(FunctionTransformer(feature_names_out="one-to-one"), model).fit(rows)
        self.assertEqual(pipeline.transform(rows).shape, (48, 3))
        self.assertEqual(pipeline.inverse_transform(pipeline.transform(rows)).shape, rows.shape)
        self.assertEqual(list(pipeline.get_feature_names_out()), ["vae0", "vae1", "vae2"])
        np.testing.assert_array_equal(pipeline.transform(rows), self.small(epochs=1).fit(images).encode(images))
        search = GridSearchCV(self.small(epochs=1), {"latent": [1, 2]}, cv=2).fit(images)
        self.assertEqual(search.best_estimator_.get_params()["batch"], SMALL["batch"])
        self.assertLess(search.best_score_, 0)

    def test_not_fitted(self) -> None:
        with self.assertRaises(sklearn.exceptions.NotFittedError) as caught:
            fovea.VAE().transform(drawn(1, 8, 8))
        self.assertIsInstance(caught.exception, fovea.NotFittedError)


if __name__ == "__main__":
    unittest.main()
