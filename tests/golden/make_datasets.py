#!/usr/bin/python3
"""Makes tests/golden/datasets/: tables of statsmodels' own data sets, SET.csv, and for two responses of each the summary
that it prints with a constant, SET-RESPONSE.txt. Columns of numbers without missing values, and the first 120 rows, in
which a column has to vary.

Needs Debian 12's python3-statsmodels 0.13.5:
  /usr/bin/python3 tests/golden/make_datasets.py
"""
import importlib
import pathlib
import pkgutil
import re
import warnings

import numpy as np
import pandas as pd
import statsmodels.api as sm
import statsmodels.datasets

warnings.simplefilter("ignore")
OUT = pathlib.Path(__file__).parent / "datasets"
ROWS, COLUMNS, TABLES = 120, 12, 40


def table(name):
    try:
        data = importlib.import_module("statsmodels.datasets." + name).load_pandas().data
    except Exception:
        return None
    data = data.select_dtypes("number").head(ROWS).dropna(axis=1)
    data = data.loc[:, [data[c].nunique() > 1 for c in data.columns]].iloc[:, :COLUMNS]
    data.columns = [re.sub(r"[^A-Za-z0-9_]", "_", str(c)) for c in data.columns]
    good = data.shape[1] > 1 and data.shape[0] > data.shape[1] + 2 and data.columns.is_unique
    return data if good and np.isfinite(data.to_numpy(float)).all() else None


def main():
    OUT.mkdir(exist_ok=True)
    made = 0
    for module in sorted(m.name for m in pkgutil.iter_modules(statsmodels.datasets.__path__)):
        data = table(module)
        if data is None or made == TABLES:
            continue
        path = OUT / (module + ".csv")
        data.to_csv(path, index=False, lineterminator="\n")
        data = pd.read_csv(path, float_precision="round_trip").astype(float)
        for response in (data.columns[-1], data.columns[0]):
            fit = sm.OLS(data[response], sm.add_constant(data.drop(columns=response))).fit()
            (OUT / f"{module}-{response}.txt").write_text(str(fit.summary()) + "\n", encoding="utf-8")
            made += 1
    print(made, "tables")


main()
