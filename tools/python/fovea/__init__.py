"""Fovea: deep-learning training on any OpenCL device, with the same bits everywhere.

    import fovea
    model = fovea.VAE(latent=2, epochs=5).fit(images)    # N x H x W, uint8 or floats in [0, 1]
    codes = model.encode(images)
    again = model.decode(codes)

The C library does the work, without holding Python's lock; models may be trained in several threads at once.
"""

from ._device import Device, DeviceInfo, devices
from ._graph import Graph, Losses, Network, Parameter, Tensor
from ._library import (
    DeviceError,
    Error,
    FileError,
    InvalidError,
    MismatchError,
    OutOfMemoryError,
    Status,
    lib,
    text,
)
from ._regress import Regression, regress
from ._vae import VAE, Callback, NotFittedError, Progress

__version__ = text(lib.fovea_version())

__all__ = [
    "VAE",
    "Callback",
    "Device",
    "DeviceError",
    "DeviceInfo",
    "Error",
    "FileError",
    "Graph",
    "InvalidError",
    "Losses",
    "MismatchError",
    "Network",
    "NotFittedError",
    "OutOfMemoryError",
    "Parameter",
    "Progress",
    "Regression",
    "Status",
    "Tensor",
    "devices",
    "regress",
]
