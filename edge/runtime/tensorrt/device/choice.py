"""Chooses the library for the GPU: cuda-bindings, or PyCUDA where only that is installed."""

from __future__ import annotations

from importlib.util import find_spec

from mar_edge.edge.errors import MarEdgeError, MissingExtra
from mar_edge.edge.runtime.tensorrt.device.base import Device


def open_device() -> Device:
    """Open the first GPU that this process may use.

    Raises:
        MarEdgeError: neither library is installed.
        DeviceError: there is no GPU, or no driver for it.
    """
    try:
        from mar_edge.edge.runtime.tensorrt.device.cuda import CudaDevice
    except MissingExtra:
        if find_spec("pycuda") is None:
            raise MarEdgeError(
                "no library for the GPU is installed: pip install cuda-bindings, with the first number that "
                "'nvidia-smi' shows for CUDA (as 'cuda-bindings==12.*'), or pycuda"
            ) from None
        from mar_edge.edge.runtime.tensorrt.device.pycuda import PyCudaDevice

        return PyCudaDevice()
    return CudaDevice()
