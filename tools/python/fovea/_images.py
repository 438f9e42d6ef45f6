"""Images as numpy has them, and as the library takes them: 8-bit, image after image, channel after channel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Union

import numpy as np
import numpy.typing as npt

from ._values import integer, real, several

Bytes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
Layout = Literal["NHWC", "NCHW"]
ImageShape = Union[Sequence[int], Literal["row"], None]

_BLOCK = 1 << 22  # numbers that are converted at once


@dataclass(frozen=True)
class Form:
    """How a program has its images, and so gets them back."""

    layout: str  # "NHWC" or "NCHW", of arrays of four dimensions
    image_shape: ImageShape  # what a row is of an array of two
    value_range: tuple[float, float] | None  # what is 0 and what is 255 in arrays of other types than uint8

    def check(self) -> None:
        if self.layout not in ("NHWC", "NCHW"):
            raise ValueError(f"layout is {self.layout!r}, expected 'NHWC' (channels last) or 'NCHW' (channels first)")
        if self.value_range is not None:
            ends = several("value_range", self.value_range, "two numbers, (black, white)")
            if len(ends) != 2:
                raise ValueError(f"value_range is {self.value_range!r}, expected two numbers, (black, white)")
            low, high = (real("a number of value_range", end) for end in ends)
            if not (np.isfinite(low) and np.isfinite(high) and low < high):
                raise ValueError(f"value_range is {self.value_range!r}, expected two finite numbers, the smaller first")

    def row_shape(self, pixels: int) -> tuple[int, ...]:
        """The shape of one row's image."""
        if self.image_shape is None:
            raise ValueError(
                f"X has 2 dimensions, {pixels} numbers a row: image_shape=(height, width) says which image a row is, "
                "and image_shape='row' that it is one row of pixels. Reshape your data for one image, X[None]"
            )
        if isinstance(self.image_shape, str):
            if self.image_shape != "row":
                raise ValueError(f"image_shape is {self.image_shape!r}, expected 'row', (height, width) or three sides")
            return 1, pixels
        sides = several("image_shape", self.image_shape, "'row', (height, width) or three sides")
        shape = tuple(integer("a side of image_shape", side) for side in sides)
        if len(shape) not in (2, 3) or min(shape) < 1:
            raise ValueError(f"image_shape is {self.image_shape!r}, expected (height, width) or three sides")
        if int(np.prod(shape)) != pixels:
            raise ValueError(f"X has {pixels} numbers a row, image_shape={shape} has {int(np.prod(shape))}")
        return shape

    def dims(self, shape: tuple[int, ...]) -> tuple[int, int, int]:
        """Channels, height and width of an image of an array of this shape."""
        if len(shape) == 2:
            shape = (shape[0], *self.row_shape(shape[1]))
        if len(shape) == 3:
            return 1, shape[1], shape[2]
        if len(shape) != 4:
            raise ValueError(
                f"X has shape {shape}, expected N x H x W, N x H x W x C (or N x C x H x W with layout='NCHW'), or two "
                "dimensions with image_shape. Reshape your data: one image is X[None]"
            )
        if self.layout == "NCHW":
            return shape[1], shape[2], shape[3]
        if shape[1] <= 4 < shape[3]:
            raise ValueError(
                f"X has shape {shape}, which with layout='NHWC' is {shape[3]} channels; if these are images of "
                f"{shape[1]} channels, say layout='NCHW'"
            )
        return shape[3], shape[1], shape[2]

    def first(self, images: Any, dims: tuple[int, int, int]) -> Any:
        """An array of any kind with its channels first: N x C x H x W."""
        shape = images.shape
        if len(shape) == 2 and len(self.row_shape(shape[1])) == 3:
            images = images.reshape(shape[0], *self.row_shape(shape[1]))
        if images.ndim == 4 and self.layout == "NHWC":
            return images.transpose(0, 3, 1, 2)
        return images.reshape(shape[0], *dims)

    def back(self, images: Floats, rank: int) -> Floats:
        """The library's images, N x C x H x W in [0, 1], as arrays of `rank` dimensions had them."""
        if self.value_range is not None:
            low, high = (np.float32(end) for end in self.value_range)
            images = low + (high - low) * images
        if rank == 3:
            return images[:, 0]
        channels_last = self.layout == "NHWC" and (rank == 4 or images.shape[1] > 1)
        if channels_last:
            images = np.ascontiguousarray(images.transpose(0, 2, 3, 1))
        return images if rank == 4 else images.reshape(len(images), -1)


def _refuse_masked(values: object, what: str) -> None:
    masked = int(np.ma.getmaskarray(values).sum()) if isinstance(values, np.ma.MaskedArray) else 0
    if masked > 0:
        raise ValueError(
            f"{what} is a masked array with {masked} masked numbers, which would be taken as "
            f"if they were none: fill them, {what}.filled(0), or leave those images out"
        )


def _array(images: object) -> npt.NDArray[Any]:
    if hasattr(images, "toarray"):
        raise TypeError("Sparse data was passed, but dense data is required: X.toarray()")
    _refuse_masked(images, "X")
    array = np.asarray(images)
    if array.dtype == object:
        array = array.astype(np.float64)
    if array.dtype.kind == "c":
        raise ValueError("Complex data not supported: X is of complex numbers")
    if array.dtype.kind not in "uif":
        raise TypeError(f"X is of type {array.dtype}, expected uint8, another integer type or floats")
    if array.ndim < 2:
        raise ValueError(f"Expected 2D array or images, got shape {array.shape}. Reshape your data")
    if array.shape[0] == 0:
        raise ValueError(f"0 sample(s): X has shape {array.shape}, a minimum of 1 is required.")
    if array.size == 0:
        raise ValueError(f"0 feature(s) (shape={array.shape}) while a minimum of 1 is required.")
    return array


def _refuse(images: npt.NDArray[Any], start: int, bad: npt.NDArray[np.bool_], expected: str) -> None:
    if not bad.any():
        return
    place = np.argwhere(bad)[0]
    value = images[start + place[0]][tuple(place[1:])]
    raise ValueError(f"X has {value!s} in image {start + int(place[0])}, {expected}")


def _quantized(images: npt.NDArray[Any], value_range: tuple[float, float] | None) -> Bytes:
    """Bytes of numbers of another type: the nearest of 256 equal steps, half to even."""
    floats = images.dtype.kind == "f"
    low, high = value_range or ((0.0, 1.0) if floats else (0.0, 255.0))
    hint = "" if value_range else "; value_range=(low, high) says what is black and white"
    out = np.empty(images.shape, np.uint8)
    step = max(1, _BLOCK // max(1, images[0].size))
    for start in range(0, len(images), step):
        part = images[start : start + step].astype(np.float64)
        if floats:
            _refuse(images, start, ~np.isfinite(part), "expected numbers that are no NaN and no infinity (inf)")
        _refuse(images, start, (part < low) | (part > high), f"expected {low:g} to {high:g}{hint}")
        out[start : start + step] = np.rint((part - low) * (255.0 / (high - low)))
    return out


def to_bytes(images: object, form: Form) -> Bytes:
    """N x C x H x W bytes in one block of memory; not a copy where they are that already."""
    array = _array(images)
    dims = form.dims(array.shape)
    if array.dtype != np.uint8:
        array = _quantized(array, form.value_range)
    return np.ascontiguousarray(form.first(array, dims))


def narrowed(values: object, what: str) -> Floats:
    """Numbers as float32, where its range has them."""
    array = np.asarray(values)
    if array.dtype.kind == "c":
        raise TypeError(f"{what} of complex numbers, expected real ones")
    wide = array if array.dtype.kind in "iuf" else array.astype(np.float64)
    with np.errstate(over="ignore"):
        narrow = wide.astype(np.float32)
    lost = np.isinf(narrow) & np.isfinite(wide)
    if lost.any():
        raise ValueError(f"{what} with {wide[lost][0]!s}, which is too large for float32")
    return narrow


def to_floats(values: object, columns: int, what: str) -> Floats:
    """Rows of `columns` finite numbers as the library takes them."""
    _refuse_masked(values, what)
    array = narrowed(values, what)
    if array.ndim != 2 or array.shape[1] != columns or array.shape[0] == 0:
        raise ValueError(f"{what} of shape {array.shape}, expected N x {columns}, N at least 1")
    if not np.isfinite(array).all():
        raise ValueError(f"{what} with NaN or infinity")
    return np.ascontiguousarray(array)
