#!/usr/bin/python3
"""Makes tests/golden/regress/: NAME.csv, NAME.txt (the printed summary) and NAME.json (the numbers, full precision).

Where columns are aliased statsmodels prints the coefficients of least norm, and fovea does not: the rows of coefficients
are then statsmodels' of the design without those columns, found here by numpy's singular values of columns at unit
length, and an aliased one has its name alone. What a fit has whatever its coefficients stays that of the whole design.

distributions.json holds tail probabilities by mpmath at 60 digits: [function, arguments, value].

Needs Debian 12's python3-statsmodels 0.13.5, python3-pandas 1.5.3 and python3-mpmath, numpy on reference LAPACK:
  /usr/bin/python3 tests/golden/make_regress.py
Every case is read back from its CSV, so that statsmodels and fovea see the same doubles.
"""
import itertools
import json
import math
import pathlib
import warnings

import mpmath as mp
import numpy as np
import pandas as pd
import scipy
import scipy.stats
import statsmodels
import statsmodels.api as sm
from statsmodels.stats.stattools import durbin_watson

warnings.simplefilter("ignore")
OUT = pathlib.Path(__file__).parent / "regress"
SEED_COLUMNS = ["BatchNorm", "Dropout", "SpatialAttention", "Activation_elu", "Activation_relu", "Activation_selu",
                "Activation_sigmoid"]


def number(v):
    v = float(v)
    return v if math.isfinite(v) else None


def numbers(values):
    return [number(v) for v in values]


def design(frame, response):
    """What fovea does to a table, by pandas: switches to 0 and 1, words to one-hot columns, in place."""
    x = pd.DataFrame(index=frame.index)
    for name in frame.columns.drop(response):
        column = frame[name]
        if set(column.unique()) <= {"on", "off"}:
            x[name] = (column == "on").astype(float)
        elif column.dtype == object:
            x = x.join(pd.get_dummies(column, prefix=name).astype(float))
        else:
            x[name] = column.astype(float)
    return x


def sweep_design(frame):
    x = pd.DataFrame({"BatchNorm": frame.batchnorm == "on", "Dropout": frame.dropout == "on"}).astype(float)
    for level, name in (("spatial", "SpatialAttention"), ("channel", "ChannelAttention"), ("cbam", "CBAM")):
        if (frame.attention == level).any():
            x[name] = (frame.attention == level).astype(float)
    for level in ("elu", "relu", "selu", "sigmoid"):
        x["Activation_" + level] = (frame.activation == level).astype(float)
    return x


def aliases(x):
    """The columns that depend on those before them, each with the names of which it is a combination."""
    tolerance = max(x.shape) * np.finfo(float).eps
    kept, found = [], {}
    lengths = np.linalg.norm(x, axis=0)
    unit = x / np.where(lengths > 0, lengths, 1)
    for name in x.columns:
        if np.linalg.matrix_rank(unit[kept + [name]], tol=tolerance) > len(kept):
            kept.append(name)
            continue
        parts = np.abs(np.linalg.lstsq(unit[kept], unit[name], rcond=None)[0]) if kept else np.zeros(0)
        found[name] = [other for other, part in zip(kept, parts) if part > 1e-8 * parts.max()]
    return found


def add_note(text, note):
    text.extra_txt += f"\n[{text.extra_txt.count(chr(10) + '[') + 1}] {note}"


def summary(whole, fit, columns, of):
    """print(fit.summary()) of the whole design, but for the coefficients, which are those of `fit`, and notes of ours."""
    text = whole.summary()
    if of:
        text.tables[1] = fit.summary().tables[1]
        for i, name in enumerate(columns):
            if name in of:
                text.tables[1].insert(i + 1, ["aliased"] + [""] * 5, datatype=0)
                text.tables[1][i + 1].insert_stub(0, name)
        add_note(text, "Aliased columns are combinations, to the rank's tolerance, of earlier ones and have no estimate:\n" +
                 ", ".join(f"{a} (of {', '.join(b)})" for a, b in of.items()) + ".")
    if whole.df_resid == 0:
        add_note(text, f"The fit is saturated: {whole.nobs:.0f} observations for a rank of {whole.model.rank} leave "
                       "nothing to tell errors from.")
    elif whole.ssr <= 1e-28 * np.sum(whole.model.endog ** 2):
        add_note(text, "The fit is exact: the residuals, and all that is computed from them, are rounding noise.")
    return str(text) + "\n"


def spread(values, columns, of):
    """One value for each column, null for an aliased one."""
    rest = iter(values)
    return [None if name in of else next(rest) for name in columns]


def save(name, frame, response=None, constant=False, sweep=False):
    path = OUT / (name + ".csv")
    frame.to_csv(path, index=False, lineterminator="\n")
    frame = pd.read_csv(path, float_precision="round_trip")
    response = response or ("test_loss" if sweep else frame.columns[-1])
    x = sweep_design(frame) if sweep else design(frame, response)
    if constant:
        x = sm.add_constant(x)
    y = frame[response].astype(float)
    r = sm.OLS(y, x).fit()
    of = aliases(x)
    kept = [column for column in x.columns if column not in of]
    b = sm.OLS(y, x[kept]).fit() if of else r
    (OUT / (name + ".txt")).write_text(summary(r, b, x.columns, of), encoding="utf-8")
    d = r.diagn
    values = {
        "versions": f"statsmodels {statsmodels.__version__}, pandas {pd.__version__}, scipy {scipy.__version__}, "
                    f"numpy {np.__version__}",
        "response": response, "names": list(x.columns),
        "coefficients": spread(numbers(b.params), x.columns, of), "std_errors": spread(numbers(b.bse), x.columns, of),
        "t_values": spread(numbers(b.tvalues), x.columns, of), "p_values": spread(numbers(b.pvalues), x.columns, of),
        "conf_int": [row or [None, None] for row in
                     spread([numbers(row) for row in np.asarray(b.conf_int())], x.columns, of)],
        "nobs": int(r.nobs), "rank": int(r.model.rank), "constant": bool(r.k_constant),
        "df_model": number(r.df_model), "df_resid": number(r.df_resid), "r_squared": number(r.rsquared),
        "r_squared_adjusted": number(r.rsquared_adj), "f_value": number(r.fvalue), "f_p_value": number(r.f_pvalue),
        "log_likelihood": number(r.llf), "aic": number(r.aic), "bic": number(r.bic), "omnibus": number(d["omni"]),
        "omnibus_p": number(d["omnipv"]), "jarque_bera": number(d["jb"]), "jarque_bera_p": number(d["jbpv"]),
        "skew": number(d["skew"]), "kurtosis": number(d["kurtosis"]), "durbin_watson": number(durbin_watson(r.wresid)),
        "condition_number": number(d["condno"]), "min_eigenvalue": number(d["mineigval"]),
    }
    if of:
        values["aliases"] = [{"name": one, "of": others} for one, others in of.items()]
    (OUT / (name + ".json")).write_text(json.dumps(values, indent=1) + "\n")


def seed_frame(rng, noise=0.01):
    rows = list(itertools.product((0, 1), (0, 1), (0, 1), range(4)))
    data = [[b, d, s] + [int(a == i) for i in range(4)] for b, d, s, a in rows]
    frame = pd.DataFrame(data, columns=SEED_COLUMNS)
    effects = np.array([-0.04, 0.012, 0.003, 0.21, 0.2, 0.22, 0.26])
    frame["fitness"] = frame.to_numpy() @ effects + noise * rng.standard_normal(32)
    return frame


def sweep_frame(rng, attentions, seeds):
    rows = []
    for c, (a, t, b, d) in enumerate(itertools.product(("elu", "relu", "selu", "sigmoid"), attentions, ("off", "on"),
                                                       ("off", "on"))):
        for s in range(seeds):
            loss = 0.2 + 0.05 * (a == "sigmoid") - 0.03 * (b == "on") + 0.01 * rng.standard_normal()
            rows.append([c, a, t, b, d, 768 + s, loss, loss - 0.01, 10.0, 217553, 12.5, 800.25])
    return pd.DataFrame(rows, columns="config,activation,attention,batchnorm,dropout,seed,test_loss,test_bce,test_kl,"
                                      "parameters,seconds,images_per_s".split(","))


def random_frame(rng, n, k, scale=1.0, y_scale=1.0, names=None):
    x = rng.standard_normal((n, k)) * scale
    frame = pd.DataFrame(x, columns=names or [f"x{i + 1}" for i in range(k)])
    frame["y"] = y_scale * (1 + x / scale @ rng.uniform(-1, 1, k) + rng.standard_normal(n))
    return frame


def main():
    OUT.mkdir(exist_ok=True)
    rng = np.random.default_rng(768)
    save("seed", seed_frame(rng))
    save("seed_constant", seed_frame(np.random.default_rng(768)), constant=True)
    save("seed_pure_noise", seed_frame(rng).assign(fitness=rng.standard_normal(32)))
    save("seed_tiny_response", seed_frame(rng).assign(fitness=1e-9 * rng.standard_normal(32)))
    save("seed_huge_response", seed_frame(rng).assign(fitness=1e9 * rng.exponential(size=32)))
    save("sweep_spatial", sweep_frame(rng, ("none", "spatial"), 1), sweep=True)
    save("sweep_all_attentions", sweep_frame(rng, ("none", "spatial", "channel", "cbam"), 3), sweep=True)
    save("random_constant", random_frame(rng, 50, 4), constant=True)
    save("random_no_constant", random_frame(rng, 50, 4))
    save("one_column", random_frame(rng, 30, 1))
    constant_only = random_frame(rng, 20, 1)
    constant_only["x1"] = 3.0
    save("constant_only", constant_only)
    save("twelve_columns", random_frame(rng, 40, 12), constant=True)
    save("prime_rows", random_frame(rng, 137, 3), constant=True)
    save("long_names", random_frame(rng, 25, 3, names=["a_name_that_is_longer_than_the_column", "b", "größe_µ"])
         .rename(columns={"y": "a_response_with_a_long_name"}), constant=True)
    deficient = random_frame(rng, 30, 3)
    deficient.insert(3, "sum", deficient.x1 + deficient.x2)
    save("rank_deficient", deficient, constant=True)
    integers = pd.DataFrame(rng.integers(-9, 10, (24, 3)), columns=["a", "b", "c"])
    integers["twice"] = 2 * integers.a
    integers["y"] = rng.standard_normal(24)
    save("rank_deficient_integers", integers)
    dummies = pd.DataFrame({"word": rng.choice(["blue", "green", "Red", "10th"], 40), "on": rng.choice(["on", "off"], 40),
                            "x": rng.standard_normal(40)})
    dummies["y"] = rng.standard_normal(40) + (dummies.word == "Red")
    save("words", dummies)
    save("words_constant", dummies, constant=True)
    near = random_frame(rng, 60, 2)
    near.insert(2, "near", near.x1 + 1e-7 * rng.standard_normal(60))
    save("nearly_collinear", near, constant=True)
    nearer = random_frame(rng, 60, 2)
    nearer.insert(2, "near", nearer.x1 * 1e4 + rng.standard_normal(60))
    save("large_condition", nearer, constant=True)
    save("huge_scale", random_frame(rng, 40, 3, 1e8, 1e12), constant=True)
    save("tiny_scale", random_frame(rng, 40, 3, 1e-7, 1e-12), constant=True)
    mixed = random_frame(rng, 40, 3)
    mixed["x1"] *= 1e3
    mixed["x2"] *= 1e-3
    save("mixed_scale", mixed, constant=True)
    for n in (4, 7, 8, 9):
        save(f"rows_{n}", random_frame(rng, n, 2), constant=True)
    save("saturated", random_frame(rng, 4, 3), constant=True)
    save("more_columns_than_rows", random_frame(rng, 5, 8), constant=True)
    exact = pd.DataFrame(rng.integers(-9, 10, (20, 3)), columns=["a", "b", "c"])
    exact["y"] = 2 * exact.a - 3 * exact.b + 5
    save("perfect_fit", exact, constant=True)
    outlier = random_frame(rng, 100, 2)
    outlier.loc[17, "y"] = 60.0
    save("outlier", outlier, constant=True)
    big = random_frame(rng, 10000, 3).round(3)
    save("ten_thousand", big, constant=True)
    save_distributions()


def t_sf(t, df):
    half = mp.betainc(mp.mpf(df) / 2, mp.mpf(1) / 2, 0, mp.mpf(df) / (df + t * t), regularized=True) / 2
    return 1 - half if t < 0 else half


def f_sf(f, d1, d2):
    return mp.betainc(mp.mpf(d2) / 2, mp.mpf(d1) / 2, 0, d2 / (d2 + d1 * f), regularized=True)


def save_distributions():
    mp.mp.dps = 60
    rows = []
    for df in (1, 2, 3, 7, 24, 25, 100, 9996, 1000000):
        for t in ("-3", "-0.5", "0", "1e-9", "0.1", "0.7", "1", "1.96", "2.5", "5", "12", "40", "1e6"):
            rows.append(["t_sf", [float(t), df], t_sf(mp.mpf(float(t)), df)])
        for p in (0.025, 0.4, 1e-6):
            start = -mp.mpf(scipy.stats.t.ppf(p, df))
            rows.append(["t_isf", [p, df], mp.findroot(lambda t: mp.log(t_sf(t, df) / mp.mpf(p)), start)])
    for d1, d2 in ((1, 1), (1, 30), (6, 25), (3, 9996), (40, 2), (999, 9000)):
        for f in ("1e-6", "0.1", "0.9", "1", "1.1", "3", "20", "1e4"):
            rows.append(["f_sf", [float(f), d1, d2], f_sf(mp.mpf(float(f)), d1, d2)])
    for df in (1, 2, 3, 10, 500):
        for x in ("1e-5", "0.5", "1", "2", "3.5", "11", "100", "499", "600", "1200"):
            value = mp.gammainc(mp.mpf(df) / 2, mp.mpf(float(x)) / 2, mp.inf, regularized=True)
            rows.append(["chi2_sf", [float(x), df], value])
    for z in ("-8", "-1", "0", "0.3", "1.96", "6", "20", "37"):
        rows.append(["normal_sf", [float(z)], mp.erfc(mp.mpf(float(z)) / mp.sqrt(2)) / 2])
    rows = [[name, args, float(value)] for name, args, value in rows if value > 1e-290]
    lines = ",\n".join(json.dumps(row) for row in rows)
    (OUT / "distributions.json").write_text("[" + lines + "]\n")


main()
