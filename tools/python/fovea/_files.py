"""Safetensors files: what their metadata say, and what may be replaced by one."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ._declarations import ffi
from ._library import InvalidError, check, lib, path_bytes, text


@contextmanager
def opened_file(path: bytes) -> Iterator[Any]:
    """The file, and what is read from it until the end of the block."""
    made = ffi.new("fovea_safetensors **")
    check(lib.fovea_safetensors_open(path, made))
    try:
        yield made[0]
    finally:
        lib.fovea_safetensors_close(made[0])


def metadata(file: Any, keys: Iterable[str]) -> dict[str, str]:
    """Those of the keys that the file has."""
    found = {key: lib.fovea_safetensors_metadata(file, key.encode()) for key in keys}
    return {key: text(value) for key, value in found.items() if value != ffi.NULL}


def _kind(path: bytes) -> str:
    """Which of the metadata makes the file what it is: a model's settings, a network's graph; "" of another file."""
    try:
        with opened_file(path) as file:
            return next(iter(metadata(file, ("config", "graph"))), "")
    except InvalidError:
        return ""


def check_replaced(path: str | os.PathLike[str], kind: str, what: str) -> None:
    """Refuses to replace a file that could not have been made in its place, as the command does."""
    file = Path(os.fsdecode(path_bytes(path)))
    if file.is_file() and file.stat().st_size > 0 and _kind(path_bytes(path)) != kind:
        raise InvalidError(f"{file}: this file is there, is no {what} and would be lost; choose another name")
