#!/usr/bin/python3
"""Makes tests/golden/nist.json from NIST's Statistical Reference Datasets for linear regression, in the public domain:
https://www.itl.nist.gov/div898/strd/lls/lls.shtml. Give it the folder with their .dat files:
  tests/golden/make_nist.py FOLDER
Numbers stay the text that NIST has. "degree" is the polynomial's, whose powers are the reader's to make; where it is 1
the columns are NIST's. A zero certified deviation is that of an exact fit, whose F is null."""
import pathlib
import re
import sys

DEGREES = {"Norris": 1, "Pontius": 2, "NoInt1": 1, "NoInt2": 1, "Filip": 10, "Longley": 1, "Wampler1": 5, "Wampler2": 5,
           "Wampler3": 5, "Wampler4": 5, "Wampler5": 5}
NUMBER = r"[-+]?\d*\.?\d+(?:E[-+]?\d+)?"


def plain(text):
    """JSON knows no leading zeros or bare dots."""
    text = re.sub(r"^([-+]?)\.", r"\g<1>0.", text.lstrip("+").rstrip("."))
    return re.sub(r"^(-?)0+(?=\d)", r"\1", text)


def read(path):
    text = path.read_text(encoding="latin-1").replace("\r", "")
    certified = text[text.index("Standard Deviation"):]
    rows = re.findall(rf"^ +B(\d+) +({NUMBER}) +({NUMBER})", certified, re.M)
    f = re.search(r"^Regression +\d+ +\S+ +\S+ +(\S+)", certified, re.M).group(1)
    start = re.search(r"^Data: +y .*\n", text, re.M).end()
    data = [line.split() for line in text[start:].splitlines() if line.strip()]
    return {"constant": "true" if rows[0][0] == "0" else "false", "degree": str(DEGREES[path.stem]),
            "coefficients": [b for _, b, _ in rows], "std_errors": [s for _, _, s in rows],
            "residual_deviation": re.search(rf"Residual\s+Standard Deviation +({NUMBER})", certified).group(1),
            "r_squared": re.search(rf"R-Squared +({NUMBER})", certified).group(1),
            "f_value": "null" if f == "Infinity" else f, "y": [row[0] for row in data], "x": [row[1:] for row in data]}


def json(value):
    if isinstance(value, list):
        return "[" + ", ".join(json(v) for v in value) + "]"
    return value if value in ("true", "false", "null") else plain(value)


def main():
    sets = []
    for name in DEGREES:
        fields = read(pathlib.Path(sys.argv[1]) / (name + ".dat"))
        sets.append(f'"{name}": {{\n' + ",\n".join(f' "{key}": {json(value)}' for key, value in fields.items()) + "}")
    path = pathlib.Path(__file__).parent / "nist.json"
    path.write_text("{\n" + ",\n".join(sets) + "}\n")


main()
