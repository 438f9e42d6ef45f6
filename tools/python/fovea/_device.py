"""OpenCL devices: all of them, and an opened one."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from ._declarations import ffi
from ._library import Handle, check, lib, text, use_opencl

_TYPES = ("cpu", "gpu", "accelerator", "other")


@dataclass(frozen=True)
class DeviceInfo:
    """What a device says of itself. Sizes are in bytes."""

    index: int  #: place in the list over all platforms
    platform: str
    name: str
    vendor: str
    driver: str
    version: str
    type: str  #: "cpu", "gpu", "accelerator" or "other"
    compute_units: int
    clock_mhz: int
    global_memory: int
    max_allocation: int
    local_memory: int
    max_work_group_size: int
    correctly_rounded_divide_sqrt: bool
    denormals: bool
    fma: bool
    unified_memory: bool
    usable: bool
    why_not: str  #: a clause, when it is not usable


def _value(info: Any, name: str) -> Any:
    value = getattr(info, name)
    if name == "type":
        return _TYPES[value]
    return text(value) if isinstance(value, ffi.CData) else value


def _info(info: Any) -> DeviceInfo:
    return DeviceInfo(**{field.name: _value(info, field.name) for field in fields(DeviceInfo)})


def devices() -> list[DeviceInfo]:
    """Every device of every OpenCL platform, the unusable ones too.

    DeviceError where there is none; its message names the package to install.
    """
    use_opencl()
    listed, count = ffi.new("fovea_device_info **"), ffi.new("size_t *")
    check(lib.fovea_device_list(listed, count))
    try:
        return [_info(listed[0][i]) for i in range(count[0])]
    finally:
        lib.fovea_free(listed[0])


class Device(Handle):
    """An opened device. Models made on one share it, and their calls wait for each other; models that are to work at
    once in several threads each have their own, which may be the same hardware.

    selector: an index, "cpu", "gpu", or a part of a name or vendor; None is the fastest GPU, else the CPU.
    """

    def __init__(self, selector: str | int | None = None) -> None:
        use_opencl()
        self.selector = selector
        made = ffi.new("fovea_device **")
        check(lib.fovea_device_open(ffi.NULL if selector is None else str(selector).encode(), made))
        super().__init__("device", made[0], lib.fovea_device_close)

    @property
    def info(self) -> DeviceInfo:
        with self.use() as pointer:
            return _info(lib.fovea_device_get_info(pointer)[0])

    def __repr__(self) -> str:
        return f"Device({self.selector!r})"

    def __enter__(self) -> Device:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __deepcopy__(self, _: object) -> Device:
        return self  # scikit-learn's clone: hardware is no value

    def __reduce__(self) -> tuple[type[Device], tuple[str | int | None]]:
        return Device, (self.selector,)


def opened(device: Device | str | int | None) -> Device:
    return device if isinstance(device, Device) else Device(device)
