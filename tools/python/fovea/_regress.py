"""Least squares on a table, and what its factors do."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ._declarations import ffi
from ._library import InvalidError, check, lib, path_bytes, taken_text, text
from ._values import choice, real, several, switch

COVARIANCES = ("classical", "hc0", "hc1", "hc3", "cluster")
ADJUSTMENTS = ("tukey", "holm", "none")
MISSING = ("error", "drop")


def _is_missing(value: object) -> bool:
    """None, NaN, and pandas' NA and NaT, which say so by not being equal to themselves."""
    if value is None or isinstance(value, str):
        return value is None
    try:
        return bool(value != value)  # noqa: PLR0124
    except TypeError:
        return True


def _cell(value: object) -> str:
    """A number in as few digits as read back the same, as a CSV file would have it; a missing value is empty."""
    if _is_missing(value):
        return ""
    if isinstance(value, str):
        return value
    return str(int(value)) if isinstance(value, np.integer) else str(value)


def _columns(table: object) -> dict[str, list[object]]:
    """The columns of a mapping, or of what has `columns`, as pandas' data frames."""
    if isinstance(table, Mapping):
        named: Iterable[tuple[Any, Any]] = table.items()
    elif hasattr(table, "columns") and hasattr(table, "__getitem__"):
        named = ((name, table[name]) for name in table.columns)
    else:
        raise TypeError(f"a table is a path, a dict of columns or a data frame, not {type(table).__name__}")
    columns: dict[str, list[object]] = {}
    for name, values in named:
        if isinstance(values, (str, bytes)) or not hasattr(values, "__iter__"):
            raise TypeError(f"column {name!r} is {type(values).__name__}, expected a sequence of numbers or words")
        if np.ndim(values) > 1:
            raise ValueError(f"column {name!r} has shape {np.shape(values)}, expected one dimension")
        columns[str(name)] = list(values)
    return columns


class _Strings:
    """Arrays of C strings, which live as long as this does."""

    def __init__(self) -> None:
        self._kept: list[Any] = []

    def one(self, value: str | None) -> Any:
        if value is None:
            return ffi.NULL
        if "\0" in value:
            raise InvalidError(f"a zero character in {value!r}")
        self._kept.append(ffi.new("char[]", value.encode("utf-8", "surrogateescape")))
        return self._kept[-1]

    def many(self, values: Iterable[str]) -> tuple[Any, int]:
        pointers = [self.one(value) for value in values]
        self._kept.append(ffi.new("const char *[]", pointers))
        return (self._kept[-1] if pointers else ffi.NULL), len(pointers)


def _table(table: object, strings: _Strings) -> Any:
    made = ffi.new("fovea_table **")
    if isinstance(table, (str, os.PathLike)):
        check(lib.fovea_table_read(path_bytes(table), made))
        return ffi.gc(made[0], lib.fovea_table_destroy)
    columns = _columns(table)
    rows = {len(values) for values in columns.values()}
    if len(rows) > 1:
        sizes = ", ".join(f"{name}: {len(values)}" for name, values in columns.items())
        raise InvalidError(f"the columns have different lengths: {sizes}")
    names, count = strings.many(columns)
    cells, _ = strings.many(_cell(value) for row in zip(*columns.values()) for value in row)
    if cells == ffi.NULL:
        raise InvalidError("the table has no rows" if columns else "the table has no columns")
    check(lib.fovea_table_create(names, count, cells, rows.pop(), made))
    return ffi.gc(made[0], lib.fovea_table_destroy)


class Regression:
    """A fit. str() of it is what `fovea regress` prints of the same table, less its remarks; `numbers`, and `effects`
    where an analysis was made, have all digits, under the names that `fovea regress --json` has."""

    def __init__(self, numbers: dict[str, Any], summary: str, effects: dict[str, Any] | None, sentences: str | None):
        self.numbers = numbers
        self.effects = effects
        self._summary = summary
        self._sentences = sentences
        self.notes: list[str] = []  #: what was found out, left out or changed, a sentence each

    def summary(self) -> str:
        """The table as statsmodels 0.13.5 prints it."""
        return self._summary

    def analysis(self) -> str | None:
        """What the factors do, in sentences and tables; None where it was not asked for."""
        return self._sentences

    def __str__(self) -> str:
        return self._summary if self._sentences is None else f"{self._sentences}\n{self._summary}"

    def _column(self, key: str) -> dict[str, float]:
        values = (float("nan") if value is None else float(value) for value in self.numbers[key])
        return dict(zip(self.numbers["names"], values))

    @property
    def coefficients(self) -> dict[str, float]:
        """By the columns' names; NaN for an aliased one."""
        return self._column("coefficients")

    @property
    def std_errors(self) -> dict[str, float]:
        return self._column("std_errors")

    @property
    def p_values(self) -> dict[str, float]:
        return self._column("p_values")


def _list(what: str, values: Sequence[str] | str | None) -> list[str]:
    if values is None or isinstance(values, str):
        return [] if values is None else [values]
    return several(what, values, "names of columns")


def _design(table: Any, strings: _Strings, options: Mapping[str, Any]) -> Any:
    o = ffi.new("fovea_design_options *")
    for name in ("response", "block", "cluster"):
        setattr(o, name, strings.one(options[name]))
    for name, count in (("columns", "column"), ("terms", "term"), ("categorical", "categorical")):
        pointers, number = strings.many(_list(name, options[name]))
        setattr(o, name, pointers)
        setattr(o, f"{count}_count", number)
    o.baselines, o.baseline_count = strings.many(f"{k}={v}" for k, v in (options["baselines"] or {}).items())
    o.powers, o.power_count = strings.many(f"{k}:{v}" for k, v in (options["powers"] or {}).items())
    for name in ("constant", "all_levels", "log"):
        setattr(o, name, options[name])
    o.missing = choice("missing", options["missing"], MISSING)
    made = ffi.new("fovea_design **")
    check(lib.fovea_design_from_table(table, o, made))
    return ffi.gc(made[0], lib.fovea_design_destroy)


def regress(
    table: object,
    response: str | None = None,
    *,
    columns: Sequence[str] | None = None,
    terms: Sequence[str] | None = None,
    constant: bool = False,
    all_levels: bool = False,
    baselines: Mapping[str, str] | None = None,
    categorical: Sequence[str] | None = None,
    powers: Mapping[str, int] | None = None,
    block: str | None = None,
    cluster: str | None = None,
    log: bool = False,
    missing: str = "error",
    covariance: str | None = None,
    alpha: float = 0.05,
    anova: int | None = None,
    adjust: str = "tukey",
    detect: float = 0,
    power: float = 0.8,
) -> Regression:
    """Least squares on a table: a dict of columns, a data frame, or the path of a CSV file, as a sweep's results.csv.

    The options are those of `fovea regress`, which `fovea regress --help` explains; covariance is "classical", "hc0",
    "hc1", "hc3" or, the default with `cluster`, "cluster". anova 2 or 3 asks what each factor does; a sweep's own table
    always has 2. Columns in memory are read as a CSV file that has them: numbers in as few digits as read back the
    same, None and NaN as missing, True and False as a switch.
    """
    if anova not in (None, 2, 3):
        raise InvalidError(f"anova is {anova!r}, expected 2, 3 or None")
    constant, all_levels = switch("constant", constant), switch("all_levels", all_levels)
    log = switch("log", log)
    strings = _Strings()
    given = _table(table, strings)
    own = bool(lib.fovea_table_is_sweep(given)) and columns is None and terms is None and not all_levels
    covariances = choice("covariance", covariance or ("cluster" if cluster else "classical"), COVARIANCES)
    adjustment = choice("adjust", adjust, ADJUSTMENTS)
    design = _design(
        given,
        strings,
        {
            "response": response,
            "columns": columns,
            "terms": terms,
            "categorical": categorical,
            "baselines": baselines,
            "powers": powers,
            "block": block,
            "cluster": cluster,
            "constant": constant or anova is not None,
            "all_levels": all_levels,
            "log": log,
            "missing": missing,
        },
    )
    fitted = ffi.new("fovea_ols **")
    check(
        lib.fovea_ols_fit_design(
            design, ffi.new("fovea_ols_options *", {"covariance": covariances, "alpha": real("alpha", alpha)}), fitted
        )
    )
    ols = ffi.gc(fitted[0], lib.fovea_ols_destroy)
    effects, sentences = None, None
    if design.term_count > 0 if own else anova is not None:
        how = anova or 0, adjustment, real("detect", detect), real("power", power)
        effects, sentences = _analyze(design, ols, how)
    made = Regression(json.loads(_text(lib.fovea_ols_json, ols)), _text(lib.fovea_ols_summary, ols), effects, sentences)
    for notes in (given.notes, design.remarks, design.rounded):
        if notes != ffi.NULL:
            made.notes += text(notes).splitlines()
    return made


def _text(function: Any, *arguments: Any) -> str:
    out = ffi.new("char **")
    check(function(*arguments, out))
    return taken_text(out[0])


def _analyze(design: Any, ols: Any, how: tuple[int, int, float, float]) -> tuple[dict[str, Any], str]:
    options = ffi.new("fovea_analysis_options *", dict(zip(("type", "adjustment", "difference", "power"), how)))
    made = ffi.new("fovea_analysis **")
    check(lib.fovea_analyze(design, ols, options, made))
    analysis = ffi.gc(made[0], lib.fovea_analysis_destroy)
    return json.loads(_text(lib.fovea_analysis_json, analysis, ols)), _text(lib.fovea_analysis_text, analysis, ols)
