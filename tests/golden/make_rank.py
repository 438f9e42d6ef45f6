#!/usr/bin/python3
"""Makes tests/golden/rank/NAME.json from NAME.csv: least squares in rational arithmetic on the very doubles that a table
holds, so that rank, aliased columns and every number are exact before they are rounded. The CSV files are small tables,
made for this, on which a solution in double alone, or a tolerance that depends on units, goes wrong.

  tests/golden/make_rank.py
"""
import csv
import json
import math
import pathlib
from fractions import Fraction

OUT = pathlib.Path(__file__).parent / "rank"
CASES = [("dummy_trap", True), ("tiny_units", True), ("nanoseconds", True), ("seconds", True), ("milliseconds", True),
         ("two_words", False), ("near_tolerance", True), ("near_tolerance_thirds", True), ("shares", False),
         ("shares_constant", True)]


def is_number(text):
    try:
        float(text)
        return True
    except ValueError:
        return False


def design(path, constant):
    with open(path, newline="") as file:
        header, *rows = csv.reader(file)
    names, columns = (["const"], [[1] * len(rows)]) if constant else ([], [])
    for j, name in enumerate(header[:-1]):
        cells = [row[j] for row in rows]
        for word in [None] if is_number(cells[0]) else sorted(set(cells)):
            names.append(name if word is None else f"{name}_{word}")
            columns.append([Fraction(float(c)) if word is None else Fraction(c == word) for c in cells])
    return names, columns, [Fraction(float(row[-1])) for row in rows]


def dot(a, b):
    return sum(p * q for p, q in zip(a, b))


def solve(columns, v):
    """The coefficients of v's projection on independent columns, and the squared length of what is left."""
    m = [[dot(a, b) for b in columns] + [dot(a, v)] for a in columns]
    for i in range(len(m)):
        m[i] = [value / m[i][i] for value in m[i]]
        for r in range(len(m)):
            if r != i:
                m[r] = [p - m[r][i] * q for p, q in zip(m[r], m[i])]
    c = [row[-1] for row in m]
    return c, dot(v, v) - sum(p * dot(a, v) for p, a in zip(c, columns))


def is_dependent(columns, v):
    """Exactly, or by the rounding of decimals to doubles: what is left is below 2^-52 of what cancels."""
    c, left = solve(columns, v)
    return left <= Fraction(2) ** -104 * (dot(v, v) + sum(p * p * dot(a, a) for p, a in zip(c, columns)))


def root(value):
    return math.sqrt(value) if value < 10 ** 30 else math.sqrt(value / 10 ** 30) * 1e15


def save(name, constant):
    names, columns, y = design(OUT / (name + ".csv"), constant)
    kept = []
    for j, column in enumerate(columns):
        if not is_dependent([columns[i] for i in kept], column):
            kept.append(j)
    x = [columns[j] for j in kept]
    n, k, (b, ssr) = len(y), len(kept), solve(x, y)
    mean = is_dependent(x, [Fraction(1)] * n)
    total = dot(y, y) - (sum(y) ** 2 / n if mean else 0)
    scale = ssr / (n - k)
    inverse = [solve(x[:i] + x[i + 1:], x[i])[1] for i in range(k)]
    spread = iter(range(k))
    at = [next(spread) if j in kept else None for j in range(len(columns))]
    values = {"options": {"constant": constant}, "names": names, "rank": k, "constant": mean,
              "aliased": [i is None for i in at],
              "coefficients": [None if i is None else float(b[i]) for i in at],
              "std_errors": [None if i is None else root(scale / inverse[i]) for i in at],
              "r_squared": float(1 - ssr / total), "f_value": float((total - ssr) / (k - mean) / scale)}
    (OUT / (name + ".json")).write_text(json.dumps(values, indent=1) + "\n")


def main():
    for name, constant in CASES:
        save(name, constant)


main()
