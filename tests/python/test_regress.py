"""Regressions of columns in memory: what the command prints of the same table."""

from __future__ import annotations

import csv
import json
import math
import os
import unittest
from typing import Any

import numpy as np

import fovea
from common import Test, command

DRAW = np.random.default_rng(5)
TABLE: dict[str, Any] = {
    "x": DRAW.normal(size=24),
    "single": DRAW.normal(size=24).astype(np.float32),
    "n": list(range(24)),
    "kind": ["u", "v", "w with, comma"] * 8,
    "on": [True, False] * 12,
    "y": DRAW.normal(size=24),
}


class Frame:
    """As little of a data frame as is used."""

    def __init__(self, columns: dict[str, Any]) -> None:
        self._columns = columns
        self.columns = list(columns)

    def __getitem__(self, name: str) -> Any:
        return self._columns[name]


class Regress(Test):
    @classmethod
    def setUpClass(cls) -> None:  # no device
        os.environ["SOURCE_DATE_EPOCH"] = "0"

    @classmethod
    def tearDownClass(cls) -> None:
        pass

    def written(self, table: dict[str, Any]) -> str:
        path = self.folder / "table.csv"
        with open(path, "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(table)
            writer.writerows(zip(*table.values()))
        return str(path)

    def test_as_the_command(self) -> None:
        path = self.written(TABLE)
        for arguments, options in (
            ((), {}),
            (("--constant", "--robust", "hc3"), {"constant": True, "covariance": "hc3"}),
            (
                ("--terms", "kind*on,x", "--anova", "2", "--baseline", "kind=v", "--detect", "0.5"),
                {"terms": ["kind*on", "x"], "anova": 2, "baselines": {"kind": "v"}, "detect": 0.5},
            ),
            (("--columns", "x,n", "--poly", "x:3"), {"columns": ["x", "n"], "powers": {"x": 3}}),
            (("--response", "x", "--cluster", "kind", "--alpha", "0.1"), {"cluster": "kind", "alpha": 0.1}),
        ):
            with self.subTest(arguments):
                response = "x" if "--response" in arguments else None
                printed = command("regress", path, *arguments).stdout
                for table in (TABLE, Frame(TABLE), path):
                    made = fovea.regress(table, response, **options)
                    if "--anova" not in arguments:
                        self.assertEqual(str(made), printed)
                    else:  # before it are remarks on the command's options
                        self.assertTrue(printed.endswith(str(made)), printed)
                numbers = json.loads(command("regress", path, *arguments, "--json").stdout)
                for name in ("coefficients", "std_errors", "r_squared"):
                    self.assertEqual(made.numbers[name], numbers[name])
                self.assertEqual(made.effects, numbers.get("analysis"))

    def test_results(self) -> None:
        made = fovea.regress({"x": [1, 2, 3, 4], "z": [2, 4, 6, 8], "y": [1.0, 3.0, 2.0, 5.0]}, constant=True)
        self.assertAlmostEqual(made.coefficients["x"], 1.1)
        self.assertTrue(math.isnan(made.coefficients["z"]))
        self.assertAlmostEqual(made.std_errors["x"], 0.5196152422706632)
        self.assertGreater(made.p_values["x"], 0.1)
        self.assertIn("OLS Regression Results", made.summary())
        self.assertIsNone(made.analysis())

    def test_missing(self) -> None:
        table = {"x": [1.0, 2.0, None, 4.0, 3.5, 1], "w": [1, 2, 2, float("nan"), 3, 1], "y": [1, 2, 3, 4, 5, 7]}
        with self.assertRaisesRegex(fovea.InvalidError, "line 3, column x"):
            fovea.regress(table)
        made = fovea.regress(table, missing="drop")
        self.assertEqual(made.numbers["nobs"], 4)
        self.assertTrue(any("left out" in note for note in made.notes), made.notes)

    def test_refused(self) -> None:
        good = {"x": [1, 2, 3], "y": [1, 2, 4]}
        for table, options, error, message in (
            ({}, {}, ValueError, "no columns"),
            ({"x": [], "y": []}, {}, ValueError, "no rows"),
            ({"x": [1], "y": [1, 2]}, {}, ValueError, "x: 1, y: 2"),
            ({"x": "abc", "y": [1, 2, 3]}, {}, TypeError, "column 'x' is str"),
            ({"x": 3, "y": [1]}, {}, TypeError, "column 'x' is int"),
            ({"x": np.zeros((3, 2)), "y": [1, 2, 3]}, {}, ValueError, r"shape \(3, 2\)"),
            ({"": [1, 2], "y": [1, 2]}, {}, ValueError, "column 1 has no name"),
            ({"x": ["a\0b", "c", "d"], "y": [1, 2, 3]}, {}, ValueError, "zero character"),
            ({"x": [1, 2, math.inf], "y": [1, 2, 4]}, {}, ValueError, "inf"),
            ({"x": [1, 2, "word"], "y": [1, 2, 4]}, {}, ValueError, "word"),
            ([1, 2], {}, TypeError, "not list"),
            ("/no/such/file.csv", {}, OSError, "/no/such/file.csv"),
            (good, {"response": "z"}, ValueError, "z"),
            (good, {"anova": 4}, ValueError, "anova"),
            (good, {"covariance": "hc2"}, ValueError, "hc3"),
            (good, {"adjust": "none at all"}, ValueError, "tukey"),
            (good, {"missing": "fill"}, ValueError, "drop"),
            (good, {"alpha": 2}, ValueError, "2"),
            (good, {"alpha": "0.05"}, TypeError, "alpha"),
            (good, {"constant": "no"}, TypeError, "constant"),
            (good, {"log": 1}, TypeError, "log"),
            (good, {"columns": 3}, TypeError, "columns"),
        ):
            with self.subTest(message), self.assertRaisesRegex(error, message):
                fovea.regress(table, **options)  # type: ignore[arg-type]


if __name__ == "__main__":
    unittest.main()
