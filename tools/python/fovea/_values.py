"""Parameters as C takes them. What is of another type is refused, with the parameter's name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ._library import InvalidError


def choice(what: str, value: object, choices: Sequence[str] | Mapping[str, int]) -> int:
    """The number of a word: its place in a sequence, its value in a mapping."""
    if isinstance(value, str) and value in choices:
        return choices[value] if isinstance(choices, Mapping) else choices.index(value)
    raise InvalidError(f"{what} is {value!r}, expected one of {', '.join(choices)}")


def integer(what: str, value: object, low: int = -(2**31), high: int = 2**31 - 1) -> int:
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"{what} is {value!r}, expected an integer")
    if not low <= value <= high:
        raise InvalidError(f"{what} is {value}, expected {low} to {high}")
    return int(value)


def real(what: str, value: object) -> float:
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise TypeError(f"{what} is {value!r}, expected a number")
    return float(value)


def switch(what: str, value: object) -> bool:
    """True and False, and the command's words for them."""
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, str) and value in ("on", "off"):
        return value == "on"
    raise TypeError(f"{what} is {value!r}, expected True or False, or 'on' or 'off'")


def several(what: str, values: object, expected: str) -> list[Any]:
    """The elements of an iterable."""
    if not isinstance(values, Iterable):
        raise TypeError(f"{what} is {values!r}, expected {expected}")
    return list(values)
