"""Which library speaks to the GPU: cuda-bindings, and PyCUDA where that is what is installed."""

from __future__ import annotations

from importlib.util import find_spec

from mar_edge.edge.errors import MarEdgeError, MissingExtra
from mar_edge.edge.runtime.tensorrt.device.base import Device


def open_device() -> Device:
    """The first GPU that this process may use.

    Raises:
        MarEdgeError: neither library is installed.
        DeviceError: there is no GPU, or no driver for it.
    """
    try:
        from mar_edge.edge.runtime.tensorrt.device.cuda import CudaDevice
    except MissingExtra:
        if find_spec("pycuda") is None:
            raise MarEdgeError(
                "nothing is installed that speaks to the GPU: pip install cuda-bindings, of the first number that "
                "'nvidia-smi' shows for CUDA (as 'cuda-bindings==12.*'), or pycuda"
            ) from None
        from mar_edge.edge.runtime.tensorrt.device.pycuda import PyCudaDevice

        return PyCudaDevice()
    return CudaDevice()
