"""The C library: loaded once, its statuses as exceptions, its objects ended in the right order."""

from __future__ import annotations

import enum
import os
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Callable, NoReturn

from ._declarations import ffi
from ._place import PATH, VERSION


class Status(enum.IntEnum):
    """What a call of the library came to; the numbers are the command's exit codes."""

    OK = 0
    MISMATCH = 1
    INVALID = 2
    DEVICE = 3
    NO_MEMORY = 4
    IO = 5


class Error(Exception):
    """A failure of the library, with its sentence: what, where, with which value, and what to do."""

    status = Status.INVALID


class MismatchError(Error, ArithmeticError):
    """Training met a NaN or an infinity."""

    status = Status.MISMATCH


class InvalidError(Error, ValueError):
    """Input that is not what it must be."""


class DeviceError(Error, RuntimeError):
    """No usable OpenCL device, or it failed."""

    status = Status.DEVICE


class OutOfMemoryError(Error, MemoryError):
    """The host's or the device's memory ran out, or would."""

    status = Status.NO_MEMORY


class FileError(Error, OSError):
    """A file could not be read or written."""

    status = Status.IO


_ERRORS: dict[int, type[Error]] = {
    error.status: error for error in (MismatchError, InvalidError, DeviceError, OutOfMemoryError, FileError)
}


def _load() -> Any:
    path = PATH or str(Path(__file__).parent / "libfovea.so")
    again = "install this package again: pip install CLONE/tools/python"
    try:
        loaded = ffi.dlopen(path)
    except OSError as error:
        raise ImportError(f"Fovea's library could not be loaded ({error}); {again}", path=path) from None
    found = ffi.string(loaded.fovea_version()).decode()
    if found != VERSION:
        raise ImportError(f"{path} is of version {found}, this package was made for {VERSION}; {again}", path=path)
    return loaded


lib: Any = _load()

# OpenCL's threads are not in a forked child, where a call would wait for them for ever.
_opencl_of: int | None = None


def text(string: Any) -> str:
    """A C string, which may be of any bytes."""
    return str(ffi.string(string).decode("utf-8", "replace"))


def path_bytes(path: str | os.PathLike[str]) -> bytes:
    encoded = os.fsencode(path)
    if b"\0" in encoded:
        raise ValueError(f"a path with a zero byte in it: {path!r}")
    return encoded


def fail(status: int) -> NoReturn:
    raise _ERRORS[status](text(lib.fovea_error_message()))


def check(status: int) -> None:
    """Raises the exception of any status but OK."""
    if status != Status.OK:
        fail(status)


def taken_text(string: Any) -> str:
    """The text that the library made for its caller; it is freed."""
    try:
        return text(string)
    finally:
        lib.fovea_free(string)


def use_opencl() -> None:
    """To be called before what lists or opens devices."""
    global _opencl_of  # noqa: PLW0603
    if _opencl_of is not None and _opencl_of != os.getpid():
        raise DeviceError(
            "this process was forked from one that had used OpenCL, whose threads it has not; use multiprocessing's "
            "start method spawn, or use devices only in the children"
        )
    _opencl_of = os.getpid()


class _Share:
    """What a handle and the end of its object have in common; the end must not hold the handle."""

    def __init__(self) -> None:
        self.process = os.getpid()
        self.lock = threading.RLock()
        self.left = False  # to the process's end


def _end(pointer: Any, destroy: Callable[[Any], None], share: _Share, needs: tuple[Handle, ...]) -> None:
    """`needs` live until here: what was made on a device or of a graph ends before it. At exit a daemon thread may be
    in a call: then all of it is left to the system."""
    if os.getpid() != share.process:
        return
    if share.left or not share.lock.acquire(blocking=False):
        for need in needs:
            need._share.left = True
        return
    try:
        destroy(pointer)
    finally:
        share.lock.release()


class Handle:
    """An object of the library: ended once: by close(), the garbage collector or at exit; never in a forked child."""

    def __init__(self, what: str, pointer: Any, destroy: Callable[[Any], None], *needs: Handle) -> None:
        self._what = what
        self._pointer = pointer
        self._share = _Share()
        self._uses = 0
        self._made: weakref.WeakSet[Handle] = weakref.WeakSet()
        self._finalizer = weakref.finalize(self, _end, pointer, destroy, self._share, needs)
        for need in needs:
            need._made.add(self)

    @contextmanager
    def use(self) -> Iterator[Any]:
        """The pointer, for calls of which no other thread's comes between and after which it is still there."""
        if os.getpid() != self._share.process:
            raise DeviceError(f"the {self._what} was made before this process was forked; make or load it here")
        with self._share.lock:
            if not self._finalizer.alive:
                raise InvalidError(f"the {self._what} is closed")
            self._uses += 1
            try:
                yield self._pointer
            finally:
                self._uses -= 1

    def close(self) -> None:
        """Ends the object, and before it all that was made on it. Waits for other threads' calls."""
        if os.getpid() != self._share.process:
            return
        for made in list(self._made):
            made.close()
        with self._share.lock:
            if self._uses > 0:
                raise InvalidError(f"the {self._what} is at work in this thread, in whose callback it cannot be closed")
            self._finalizer()

    @property
    def closed(self) -> bool:
        return not self._finalizer.alive
