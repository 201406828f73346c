"""Which library speaks to the GPU: cuda-bindings, and PyCUDA where that is what is installed."""

from __future__ import annotations

from importlib.util import find_spec

from edge.device.base import Device
from edge.errors import MissingExtra


def open_device() -> Device:
    """The first GPU that this process may use.

    Raises:
        MissingExtra: neither library is installed.
        DeviceError: there is no GPU, or no driver for it.
    """
    try:
        from edge.device.cuda import CudaDevice
    except MissingExtra:
        if find_spec("pycuda") is None:
            raise
        from edge.device.pycuda import PyCudaDevice

        return PyCudaDevice()
    return CudaDevice()
