#!/usr/bin/python3
"""Makes tests/golden/robust/NAME.txt, the summaries that statsmodels prints with robust errors and Student's t, of
tests/golden/inference/two_way.csv: y on g, h and x, words against their first level.

Needs Debian 12's python3-statsmodels 0.13.5:
  /usr/bin/python3 tests/golden/make_robust.py
"""
import pathlib

import pandas as pd
import statsmodels.api as sm

HERE = pathlib.Path(__file__).parent


def main():
    out = HERE / "robust"
    out.mkdir(exist_ok=True)
    frame = pd.read_csv(HERE / "inference" / "two_way.csv", float_precision="round_trip")
    words = pd.get_dummies(frame[["g", "h"]], drop_first=True).astype(float)
    model = sm.OLS(frame.y, sm.add_constant(words.join(frame.x)))
    groups = frame.c.astype("category").cat.codes
    for name, arguments in {"hc0": {"cov_type": "HC0"}, "hc1": {"cov_type": "HC1"}, "hc3": {"cov_type": "HC3"},
                            "cluster": {"cov_type": "cluster", "cov_kwds": {"groups": groups}},
                            "alpha": {}}.items():
        fit = model.fit(use_t=True, **arguments)
        text = fit.summary(alpha=0.01 if name == "alpha" else 0.05)
        (out / (name + ".txt")).write_text(str(text) + "\n", encoding="utf-8")


main()
